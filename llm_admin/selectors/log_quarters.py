"""In which quarters of an hour calls with several values at once began, as far as the sums of the logs know it.

Minutes of one value and of another meet often where no call has both: a person and an error that are both there all
day. The sums (rollups) keep every combination that occurred in a quarter of an hour, so they say where there is none.
What they do not know yet counts as possible.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from django.conf import settings
from django.db.models import F, Q, QuerySet

from llm_admin.models import BlockLevel, UsageBlock, UsageSlot
from llm_admin.models.rollup import SLOT
from llm_admin.rollups.codes import code_of
from llm_admin.selectors.log_spans import Day, midnight
from llm_admin.selectors.usage_plans import plan

MINUTES = int(SLOT.total_seconds()) // 60
QUARTER = (1 << MINUTES) - 1
ONE_DAY = dt.timedelta(days=1)
SPARSE = 2  # minutes to look at in a quarter: the calls of so few are read as fast as the sums are
DAYS_AT_ONCE = 16
QUARTERS_AT_ONCE = 24
Given = tuple[str, tuple[Any, ...]]  # a dimension, and what it may be
Stored = tuple[dt.datetime, bytes | memoryview]  # when a block begins, its cells


class Quarters:
    """Of one workspace. `given`: all of them must hold; with fewer than two, minutes alone say as much."""

    def __init__(self, workspace_id: int, given: Sequence[Given]) -> None:
        self.workspace_id = workspace_id
        self.given = given
        self.useful = len(given) > 1
        self.plan = plan(dict(given), frozenset())

    def narrowed(self, days: Iterable[Day], always: Mapping[dt.date, int]) -> Iterator[Day]:
        """The same days in their order, less the minutes of quarters in which no such call began; `always` stays."""
        together, rest = 1, iter(days)
        while some := list(islice(rest, together)):
            for (day, before), minutes in zip(some, self._some(some), strict=True):
                yield day, minutes | (before & always.get(day, 0))
            together = min(together * 2, DAYS_AT_ONCE)

    def _some(self, days: list[Day]) -> Iterator[int]:
        first, last = min(day for day, _ in days), max(day for day, _ in days)
        unsure = self._unsure(first, last)  # read first: sums that are newer know more
        totals = self._of_days(first, last)
        for day, minutes in days:
            open_ = unsure.get(day, 0)
            sure = minutes & ~open_
            if totals.get(day) == 0:
                sure = 0
            elif sure.bit_count() > SPARSE * len(_quarters_of(sure)):
                sure &= self._of_quarters(day, sure, None if open_ else totals.get(day))
            yield sure | (minutes & open_)

    def _blocks(self) -> QuerySet[UsageBlock]:
        found: QuerySet[UsageBlock] = UsageBlock._base_manager.filter(workspace=self.workspace_id)
        return found

    def _unsure(self, first: dt.date, last: dt.date) -> dict[dt.date, int]:
        """Quarters with calls that the sums do not have, or that change no more whatever happens to the calls."""
        slots = UsageSlot._base_manager.filter(workspace=self.workspace_id, start__gte=midnight(first))
        slots = slots.filter(Q(frozen=True) | ~Q(changes=F("folded")), start__lt=midnight(last) + ONE_DAY)
        found: dict[dt.date, int] = defaultdict(int)
        for start in slots.values_list("start", flat=True):
            found[start.astimezone(dt.UTC).date()] |= _bits(start)
        return found

    def _of_days(self, first: dt.date, last: dt.date) -> dict[dt.date, int]:
        """How many such calls a UTC day had at most, where sums of whole days tell. They are of the console's own time
        zone."""
        if self.plan is None:
            return {}
        near = self._blocks().filter(zone=settings.TIME_ZONE, start__gt=midnight(first) - 2 * ONE_DAY)
        near = near.filter(start__lt=midnight(last) + ONE_DAY, end__gt=midnight(first))
        calls: dict[dt.datetime, int] = defaultdict(int)
        parts = near.filter(level=self.plan.level, **self.plan.only).values_list("start", "cells")
        for start, count in self._calls(list(parts), tagged=self.plan.keys is not None):
            calls[start] += count
        covered: dict[dt.date, dt.timedelta] = defaultdict(dt.timedelta)
        totals: dict[dt.date, int] = defaultdict(int)
        for start, end in near.filter(level=BlockLevel.DAY).values_list("start", "end"):
            day = start.astimezone(dt.UTC).date()
            while midnight(day) < end:
                covered[day] += min(end, midnight(day) + ONE_DAY) - max(start, midnight(day))
                totals[day] += calls[start]
                day += ONE_DAY
        return {day: totals[day] for day, time in covered.items() if time == ONE_DAY}

    def _of_quarters(self, day: dt.date, minutes: int, total: int | None) -> int:
        """The minutes that the sums of single quarters leave; those of one without sums stay. `total`: of the day."""
        starts = [midnight(day) + quarter * SLOT for quarter in _quarters_of(minutes)]
        rows = self._blocks().filter(level=BlockLevel.SLOT, start__in=starts)
        some, left, found = rows.order_by("-start").values_list("start", "cells").iterator(chunk_size=16), minutes, 0
        while (total is None or total > 0) and (together := list(islice(some, QUARTERS_AT_ONCE))):
            for start, calls in self._calls(together):
                left &= ~_bits(start)
                if calls:
                    found |= _bits(start)
                    total = None if total is None else total - calls
        return found if total is not None and total <= 0 else found | left

    def _calls(self, some: Sequence[Stored], *, tagged: bool = False) -> Iterator[tuple[dt.datetime, int]]:
        """By block, the calls that have the values; of a summary, only cells that tell no other dimension apart."""
        import numpy as np

        from llm_admin.rollups import blocks

        if not some:
            return
        columns = {"tag", *(name for name, _ in self.given)}
        block, owner = blocks.unpack([bytes(cells) for _, cells in some], columns=columns, only_calls=True)
        kept = block["tag"] == blocks.ALL if tagged else np.ones(len(block), dtype=bool)
        for dimension, values in self.given:
            codes, column = [code_of(dimension, value) for value in values], block[dimension]
            kept &= column == codes[0] if len(codes) == 1 else np.isin(column, codes)
        counts = np.bincount(owner[kept], weights=block["calls"][kept], minlength=len(some))
        yield from zip((start for start, _ in some), counts.astype(int).tolist(), strict=True)


def _bits(start: dt.datetime) -> int:
    utc = start.astimezone(dt.UTC)
    return QUARTER << utc.hour * 60 + utc.minute


def _quarters_of(minutes: int) -> set[int]:
    return {quarter for quarter in range(24 * 60 // MINUTES) if minutes >> quarter * MINUTES & QUARTER}
