"""Regular expressions that people type: some would search for years, so each search has a time limit.

`budget` limits all searches inside it together: a hundred slow patterns are as bad as one endless one. It counts this
thread's own time, so that a busy machine refuses nothing that an idle one takes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import regex

SECONDS = 0.5
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def budget(seconds: float) -> Iterator[None]:
    """An inner budget cannot outlast an outer one."""
    ends, outer = time.thread_time() + seconds, _deadline.get()
    token = _deadline.set(ends if outer is None else min(ends, outer))
    try:
        yield
    finally:
        _deadline.reset(token)


def left() -> float:
    """Seconds that may still be spent."""
    ends = _deadline.get()
    return SECONDS if ends is None else min(SECONDS, ends - time.thread_time())


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
        if (seconds := left()) > 0:
            return regex.search(pattern, text, timeout=seconds) is not None
    except TimeoutError:
        pass
    raise ValueError(f"searching for “{pattern[:80]}” takes too long; make it simpler") from None
