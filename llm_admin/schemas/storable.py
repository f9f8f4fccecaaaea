"""Texts that a database can hold: every one but those with NUL or half a character."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Place = tuple[str | int, ...]


def why_not(text: str) -> str:
    """The rest of a sentence that begins with the text, or ""."""
    if "\x00" in text:
        return "holds a NUL character, which no text has; remove it"
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return "holds half a character (a lone surrogate); type it again"
    return ""


def texts_in(value: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Every text in parsed JSON, keys included. Without recursion: the nesting is the file's choice."""
    waiting: list[tuple[Place, Any]] = [(place, value)]
    while waiting:
        where, one = waiting.pop()
        if isinstance(one, str):
            yield where, one
        elif isinstance(one, dict):
            for key, inner in one.items():
                if isinstance(key, str):
                    yield where, key
                waiting.append(((*where, key), inner))
        elif isinstance(one, list):
            waiting += [((*where, position), inner) for position, inner in enumerate(one)]
