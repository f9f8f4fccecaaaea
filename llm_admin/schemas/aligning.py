"""Which message of one text is which of another."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llm_admin.schemas.prompts import MessageSpec

_WORDS = re.compile(r"\w+")
SAME, SAME_PLACE = 1.0, 0.05


def matches(base: Sequence[MessageSpec], other: Sequence[MessageSpec]) -> dict[int, int]:
    """Positions in `base` -> positions in `other`, both rising. Those left out were removed or added."""
    start = 0
    while start < min(len(base), len(other)) and base[start] == other[start]:
        start += 1
    end = 0
    while end < min(len(base), len(other)) - start and base[-1 - end] == other[-1 - end]:
        end += 1
    found = {at: at for at in range(start)}
    found |= {len(base) - at: len(other) - at for at in range(1, end + 1)}
    middle = _best(base[start : len(base) - end], other[start : len(other) - end])
    return found | {start + left: start + right for left, right in middle.items()}


def _best(base: Sequence[MessageSpec], other: Sequence[MessageSpec]) -> dict[int, int]:
    """The rising pairs that are most alike in sum."""
    alike = _likeness(base, other)
    best = [[0.0] * (len(other) + 1) for _ in range(len(base) + 1)]
    for i in range(len(base) - 1, -1, -1):
        for j in range(len(other) - 1, -1, -1):
            paired = best[i + 1][j + 1] + alike[i][j]
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    pairs, i, j = {}, 0, 0
    while i < len(base) and j < len(other):
        if alike[i][j] and best[i][j] == best[i + 1][j + 1] + alike[i][j]:
            pairs[i] = j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _likeness(base: Sequence[MessageSpec], other: Sequence[MessageSpec]) -> list[list[float]]:
    left, right = ([set(_WORDS.findall(m.text)) for m in messages] for messages in (base, other))
    return [[_alike(one, two, left[i], right[j]) for j, two in enumerate(other)] for i, one in enumerate(base)]


def _alike(one: MessageSpec, two: MessageSpec, left: set[str], right: set[str]) -> float:
    """0 for messages that are not to be paired: other roles and other texts."""
    if one == two:
        return SAME
    if one.role != two.role or one.name != two.name:
        return SAME / 2 if one.text and one.text == two.text else 0.0
    return SAME_PLACE + 0.9 * len(left & right) / max(1, len(left | right))
