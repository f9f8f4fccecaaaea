"""How much a template may compute, and how large what it makes may grow."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from typing import Any

MOST_ROUNDS = 100_000  # of all loops of one text together
MOST_CHARACTERS = 10_000_000
MOST_PARTS = 200_000  # of a list, those of the lists within it included
MOST_NODES = 10_000  # of the template itself
SECONDS = 2.0


class Refused(ValueError):
    pass


class Budget:
    def __init__(self) -> None:
        self.left = MOST_ROUNDS
        self.until = time.monotonic() + SECONDS

    def spend(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Refused(f"The template's loops go round more than {MOST_ROUNDS:,} times.")
        self.check_time()

    def check_time(self) -> None:
        if time.monotonic() > self.until:
            raise Refused(f"Filling in the template takes more than {SECONDS:g} seconds.")


CURRENT: ContextVar[Budget] = ContextVar("llm_budget")


def counted(rows: Iterable[Any]) -> Iterator[Any]:
    budget = CURRENT.get()
    for row in rows:
        budget.spend()
        yield row


def check_size(length: int) -> None:
    if length > MOST_CHARACTERS:
        raise Refused(f"The filled-in text is longer than {MOST_CHARACTERS:,} characters.")


def check_parts(count: int) -> None:
    if count > MOST_PARTS:
        raise Refused(f"A list in the template has more than {MOST_PARTS:,} parts.")


def weighed(value: Any) -> Any:
    """Itself. A list that holds another one twice, again and again, is endless when it is written out."""
    waiting, parts, letters = [value], 0, 0
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            letters += len(one)
            check_size(letters)
        elif isinstance(one, (list, tuple, dict)):
            parts += len(one)
            check_parts(parts)
            waiting += [*one, *one.values()] if isinstance(one, dict) else one
    return value
