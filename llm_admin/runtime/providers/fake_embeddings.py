"""The demo model's embeddings: texts that share words lie close together. Always the same for the same text."""

from __future__ import annotations

import re
from math import sqrt
from zlib import crc32

DIMENSIONS = 64
WORD = re.compile(r"\w+")


def vector(text: str) -> list[float]:
    """Of length 1. Each word, by its first letters, adds to one place or takes from it."""
    made = [0.0] * DIMENSIONS
    for word in WORD.findall(text.casefold()):
        number = crc32(word[:6].encode())
        made[number % DIMENSIONS] += 1.0 if number & 64 else -1.0
    length = sqrt(sum(one * one for one in made))
    if not length:
        return [1.0] + [0.0] * (DIMENSIONS - 1)
    return [one / length for one in made]
