"""Texts of generated calls: about 300 bytes each, of a vocabulary that natural language has the shape of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

RARE = {"quillfeather": 1, "brontomere": 10, "sasquine": 1_000}  # a word, and in how many calls it occurs
COMMON = "invoice"
PHRASES = 20_000
SYLLABLES = ("ba", "con", "der", "el", "fi", "gro", "hal", "in", "jo", "ka", "lem", "mor", "ni", "op", "pra", "qui",
             "ros", "sta", "tur", "ul", "ven", "wo", "xi", "yer", "zo")  # fmt: skip


class Texts:
    def __init__(self, count: int, seed: int, workspace: int) -> None:
        """Rare words occur in calls of `workspace` only."""
        rng = np.random.default_rng([seed, 1])
        words = [COMMON, *("".join(rng.choice(SYLLABLES, 2 + n % 3)) for n in range(6_000))]
        weights = 1 / np.arange(4, len(words) + 4)
        self.asked = _phrases(words, weights / weights.sum(), 13, rng)
        self.answered = _phrases(words, weights / weights.sum(), 16, rng)
        self.rare = _rare(count)
        self.seed, self.workspace, self.waiting = seed, workspace, ""

    def rows(self, columns: dict[str, Any], kept: Any) -> Iterator[tuple[Any, ...]]:
        """Of calls of `columns` that are `kept`, for the table of texts."""
        ids = columns["id"][kept].tolist()
        rng = np.random.default_rng([self.seed, 2, ids[0]])
        asked, answered = (rng.integers(PHRASES, size=len(ids)).tolist() for _ in range(2))
        many = zip(ids, columns["workspace_id"][kept].tolist(), columns["status"][kept].tolist(), asked, answered,
                   strict=True)  # fmt: skip
        for number, workspace, status, one, two in many:
            self.waiting += self.rare.get(number, "")
            said, self.waiting = (self.waiting, "") if workspace == self.workspace else ("", self.waiting)
            messages = (
                '[{"role": "system", "content": "You answer in one short paragraph."}, '
                f'{{"role": "user", "content": "{self.asked[one]} case {number}{said}"}}]'
            )
            answer, error = ("", "The provider did not answer in time.") if status == 1 else (self.answered[two], "")
            yield number, workspace, messages, answer, error, '{"temperature": 0.2}'


def _phrases(words: list[str], weights: Any, length: int, rng: Any) -> list[str]:
    drawn = rng.choice(len(words), (PHRASES, length), p=weights)
    return [" ".join(words[one] for one in row) for row in drawn.tolist()]


def _rare(count: int) -> dict[int, str]:
    """By the number of the log, spread evenly over all of them."""
    found: dict[int, str] = {}
    for word, times in RARE.items():
        for n in range(times):
            number = 1 + (2 * n + 1) * (count - 1) // (2 * times)
            found[number] = f"{found.get(number, '')} {word}"
    return found
