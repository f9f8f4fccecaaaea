"""Days as bits, one for each minute, and the spans of time that they stand for."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator

DAY = 1_440  # minutes
NEAR = 3  # minutes in between that are read along
ONE_MINUTE = dt.timedelta(minutes=1)
_RUNS = re.compile(rf"1(?:0{{0,{NEAR}}}1)*")

Day = tuple[dt.date, int]
Span = tuple[dt.datetime, dt.datetime]


def midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def clipped(days: Iterable[Day], since: dt.datetime | None, until: dt.datetime | None) -> Iterator[Day]:
    """Without the minutes before and after."""
    for day, minutes in days:
        start = midnight(day)
        if until and until < start + DAY * ONE_MINUTE:
            minutes &= (1 << max(0, (until - start) // ONE_MINUTE + 1)) - 1
        if since and since > start:
            low = min(DAY, (since - start) // ONE_MINUTE)
            minutes = minutes >> low << low
        yield day, minutes


def divided(days: Iterable[Day], most: int, *, oldest_first: bool) -> tuple[list[Day], Iterator[Day]]:
    """The first minutes, `most` of them, and what follows."""
    found: list[Day] = []
    rest = iter(days)
    for day, minutes in rest:
        count = minutes.bit_count()
        if count <= most:
            found.append((day, minutes))
            most -= count
            continue
        cut = _cut(minutes, most if oldest_first else count - most)
        low, high = minutes & ((1 << cut) - 1), minutes >> cut << cut
        soon, later = (low, high) if oldest_first else (high, low)
        found.append((day, soon))
        return found, _before((day, later), rest)
    return found, rest


def _cut(minutes: int, below: int) -> int:
    """The first place with so many bits below it."""
    low, high = 0, DAY
    while low < high:
        middle = (low + high) // 2
        if (minutes & ((1 << middle) - 1)).bit_count() < below:
            low = middle + 1
        else:
            high = middle
    return low


def _before(first: Day, rest: Iterator[Day]) -> Iterator[Day]:
    yield first
    yield from rest


def spans_of(days: Iterable[Day], *, oldest_first: bool) -> Iterator[Span]:
    """In order."""
    for day, minutes in days:
        start = midnight(day)
        spans = [
            (start + (DAY - found.end()) * ONE_MINUTE, start + (DAY - found.start()) * ONE_MINUTE)
            for found in _RUNS.finditer(format(minutes, f"0{DAY}b"))
        ]
        yield from reversed(spans) if oldest_first else spans


def joined(spans: Iterable[Span], *, oldest_first: bool) -> Iterator[Span]:
    """Over midnight."""
    held: Span | None = None
    for span in spans:
        if held is None:
            held = span
        elif oldest_first and held[1] == span[0]:
            held = (held[0], span[1])
        elif not oldest_first and span[1] == held[0]:
            held = (span[0], held[1])
        else:
            yield held
            held = span
    if held is not None:
        yield held
