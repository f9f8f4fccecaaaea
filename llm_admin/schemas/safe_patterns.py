"""Regular expressions that people type: some would search for years, so each search has a time limit."""

from __future__ import annotations

import regex

SECONDS = 0.5


def problem(pattern: str) -> str:
    """The rest of a sentence, or ""."""
    try:
        regex.compile(pattern)
    except regex.error as error:
        return f"is no pattern: {str(error).rstrip('.')}"
    except (RecursionError, OverflowError, MemoryError):
        return "is no pattern: it is nested too deeply"
    return ""


def search(pattern: str, text: str) -> bool:
    """Raises ValueError when it is no pattern or takes too long."""
    if wrong := problem(pattern):
        raise ValueError(f"“{pattern[:80]}” {wrong}")
    try:
        return regex.search(pattern, text, timeout=SECONDS) is not None
    except TimeoutError:
        raise ValueError(f"searching for “{pattern[:80]}” takes too long; make it simpler") from None
