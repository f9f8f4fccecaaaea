"""Texts that a database can hold: every one but those with NUL or half a character. And JSON that it can hold."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

Place = tuple[str | int, ...]
_HALF = re.compile("[\ud800-\udfff]")
DEEPEST = 100  # pages write JSON with Python's encoder, which a few hundred levels already exhaust


def why_not(text: str) -> str:
    """The rest of a sentence that begins with the text, or ""."""
    if "\x00" in text:
        return "holds a NUL character, which no text has; remove it"
    if not text.isascii() and _HALF.search(text):
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


def unfit(value: Any) -> str:
    """Why parsed JSON cannot be kept, or "": the rest of a sentence. Of its texts, `why_not` says that."""
    level = [value]
    for _ in range(DEEPEST):
        if any(isinstance(one, float) and not math.isfinite(one) for one in level):
            return "holds a number that JSON cannot write, such as 1e999"
        lists = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [inner for one in lists for inner in one]
        if not level:
            return ""
    return "is nested too deeply"
