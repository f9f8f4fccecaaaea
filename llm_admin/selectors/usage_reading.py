"""Everything that a page of numbers needs, read at one moment: rollups, and the rows that are in none yet.

Whole days of the reader's time zone where there are some, quarters of an hour elsewhere, rows for what came since.
What is read and what is not is decided by `cuts`, the moments between which sums are wanted (ADR 0014).
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.db.models import F, QuerySet
from django.utils import timezone

from llm_admin.models import BlockLevel, UsageBlock, UsageSlot
from llm_admin.models.rollup import SLOT
from llm_admin.rollups.codes import NONE, code_of, key_of
from llm_admin.selectors import usage_rows
from llm_admin.selectors.snapshots import snapshot

if TYPE_CHECKING:
    from llm_admin.rollups.blocks import Array, Block

RANGES_AT_ONCE = 100
FEW = 0.5
Span = tuple[dt.datetime, dt.datetime]
Given = dict[str, tuple[Any, ...]]  # by dimension, what it may be


@dataclass
class Part:
    """Cells with the number of the span between two cuts that each belongs to. `summary`: one dimension a cell."""

    block: Block
    bucket: Array
    summary: bool = False


@dataclass(frozen=True)
class Question:
    """`given`: filters; `columns`: the dimensions that the answer tells apart."""

    workspace_id: int
    cuts: Sequence[dt.datetime]
    given: Given
    columns: frozenset[str]
    log_columns: dict[str, str]  # of the dimensions

    @property
    def span(self) -> Span:
        return self.cuts[0], self.cuts[-1]

    @property
    def person(self) -> int | None:
        """Whose blocks are read."""
        people = self.given.get("user", ())
        return key_of(people[0]) if len(people) == 1 and people[0] is not None else None


@dataclass(frozen=True)
class _Slot:
    start: dt.datetime
    last_id: int
    broken: bool


def read(question: Question) -> list[Part]:
    with snapshot():
        return list(_Reader(question).parts())


class _Reader:
    def __init__(self, question: Question) -> None:
        self.question = question
        self.since, self.until = question.span
        self.covered: list[Span] = []  # by days
        self.dirty = self._unfolded()
        # Slots that are read from their rows: they lie on both sides of a cut, or earlier rows of them have changed.
        self.cut = self._cut()
        self.torn = self.cut | {slot.start for slot in self.dirty if slot.broken}
        self.blocks = UsageBlock._base_manager.filter(workspace=question.workspace_id)

    def parts(self) -> Iterator[Part]:
        days = self._days()
        if days and days[0].level == BlockLevel.DAY:
            yield from self._of_days(days)
        elif days and days[0].level == BlockLevel.PAIR:
            yield self._chosen(self._unpacked(days, summary=True))
        elif days := [day for day in days if day.person != NONE]:
            yield self._chosen(self._unpacked(days))
        slots = self._slots(_gaps(self.question.span, self.covered))
        if slots:
            yield self._chosen(self._unpacked(slots))
        yield from self._rows()

    def _of_days(self, days: list[UsageBlock]) -> Iterator[Part]:
        """With filters that most calls pass: everything, less those that do not."""
        if not self.question.given:
            yield self._unpacked(days, summary=True)
            return
        part = self._unpacked(days)
        kept = self._mask(part.block)
        if kept.mean() <= FEW:
            yield _select(part, kept)
            return
        yield self._unpacked(days, summary=True)
        yield _negative(_select(part, ~kept))

    def _unfolded(self) -> list[_Slot]:
        slots = _slots_of(self.question.workspace_id, self.since, self.until).exclude(changes=F("folded"))
        rows = slots.order_by("start").values_list("start", "last_id", "breaks", "mended", "frozen")
        return [
            _Slot(start, last_id, breaks != mended and not frozen) for start, last_id, breaks, mended, frozen in rows
        ]

    def _cut(self) -> set[dt.datetime]:
        cut = {start for moment in self.question.cuts if (start := slot_of(moment)) != moment}
        if cut:
            frozen = _slots_of(self.question.workspace_id, self.since, self.until).filter(frozen=True, start__in=cut)
            cut -= set(frozen.values_list("start", flat=True))
        return cut

    def _days(self) -> list[UsageBlock]:
        """Those that lie wholly between two cuts and have no slot that is read otherwise."""
        person = self.question.person
        found = self.blocks.filter(start__gte=self.since, end__lte=self.until)
        if person is None:
            found = found.filter(zone=timezone.get_current_timezone_name())
            if not self.question.given:
                found = found.filter(level=BlockLevel.DAY, person=0).defer("cells", "times")
            elif (pair := self._paired()) is not None:
                found = found.filter(level=BlockLevel.PAIR, person=pair)
            else:
                found = found.filter(level=BlockLevel.DAY, person=0)
            days = [day for day in found if not self._is_cut(day) and not self._is_torn(day)]
        else:
            found = found.filter(level=BlockLevel.PERSON, zone="", person__in=(NONE, person))
            days = [day for day in found if not self._is_torn(day)]
        self.covered = [(day.start, day.end) for day in days]
        return days

    def _paired(self) -> int | None:
        """Of the only dimension that is filtered on, where days have sums for each of its values."""
        from llm_admin.rollups import blocks

        names = list(self.question.given)
        return blocks.DIMENSIONS.index(names[0]) if len(names) == 1 and names[0] in blocks.PAIRED else None

    def _is_cut(self, day: UsageBlock) -> bool:
        cuts = self.question.cuts
        place = bisect_right(cuts, day.start)
        return place < len(cuts) and cuts[place] < day.end

    def _is_torn(self, day: UsageBlock) -> bool:
        return any(day.start <= start < day.end for start in self.torn)

    def _slots(self, gaps: list[Span]) -> list[UsageBlock]:
        found: list[UsageBlock] = []
        for since, until in gaps:
            slots = self.blocks.filter(level=BlockLevel.SLOT, start__gt=since - SLOT, start__lt=until)
            found += slots.only("start", "end", "cells", "times")
        return [slot for slot in found if slot.start not in self.torn]

    def _unpacked(self, found: list[UsageBlock], *, summary: bool = False) -> Part:
        import numpy as np

        from llm_admin.rollups import blocks

        cells = [bytes(one.summary if summary else one.cells) for one in found]
        times = [bytes(one.summary_times if summary else one.times) for one in found]
        columns = {"tag", *self.question.columns, *self.question.given, *blocks.SUMS, *blocks.TIMES}
        block, owner = blocks.unpack(cells, times, columns=columns)
        starts = np.array([int(one.start.timestamp()) for one in found])
        if found[0].level == BlockLevel.PERSON:
            bucket = self._buckets_of(starts[owner] + block["tag"].astype(np.int64) * int(SLOT.total_seconds()))
        else:
            bucket = self._buckets_of(starts)[owner]
        return Part(block, bucket, summary)

    def _chosen(self, part: Part) -> Part:
        return _select(part, self._mask(part.block)) if self.question.given else part

    def _mask(self, block: Block) -> Any:
        import numpy as np

        kept = None
        for dimension, values in self.question.given.items():
            codes = [code_of(dimension, value) for value in values]
            hit = block[dimension] == codes[0] if len(codes) == 1 else np.isin(block[dimension], codes)
            kept = hit if kept is None else kept & hit
        return kept

    def _rows(self) -> Iterator[Part]:
        """Of slots that are read from their rows, and those that came to folded ones."""
        for since, until in self._cut_spans():
            yield self._rows_of(_read(self.question, [(since, until)]), since)
        after: dict[int, list[Span]] = defaultdict(list)
        for slot in self.dirty:
            if slot.start not in self.cut:
                after[0 if slot.broken else slot.last_id].append((slot.start, slot.start + SLOT))
        for last_id, spans in after.items():
            for some in batched(_joined(spans), RANGES_AT_ONCE):
                yield self._rows_of(_read(self.question, some, last_id))

    def _cut_spans(self) -> Iterator[Span]:
        for start in sorted(self.cut):
            inner = [cut for cut in self.question.cuts if start < cut < start + SLOT]
            for since, until in pairwise([start, *inner, start + SLOT]):
                if self.since <= since < self.until:
                    yield since, until

    def _rows_of(self, block: Block, since: dt.datetime | None = None) -> Part:
        """All in the bucket of `since`, or each in that of its slot."""
        if since is not None:
            return Part(block, block["calls"] * (bisect_right(self.question.cuts, since) - 1))
        return Part(block, self._buckets_of(block["tag"] * int(SLOT.total_seconds())))

    def _buckets_of(self, seconds: Array) -> Array:
        import numpy as np

        cuts = np.array([cut.timestamp() for cut in self.question.cuts])
        return np.searchsorted(cuts, np.maximum(seconds, cuts[0]), side="right") - 1


def _select(part: Part, kept: Any) -> Part:
    from llm_admin.rollups import blocks

    return Part(blocks.select(part.block, kept), part.bucket[kept], part.summary)


def _negative(part: Part) -> Part:
    """What is taken away from others."""
    from llm_admin.rollups import blocks

    columns = dict(part.block.columns)
    columns |= {name: -columns[name].astype("i8") for name in blocks.SUMS}
    times = {
        name: blocks.Histograms(entries.bins, -entries.counts.astype("i8"))
        for name, entries in part.block.times.items()
    }
    return Part(blocks.Block(columns, times), part.bucket)


def _read(question: Question, spans: Sequence[Span], after: int = 0) -> Block:
    names = question.log_columns
    where = [(names[dimension], values) for dimension, values in question.given.items()]
    return usage_rows.read(question.workspace_id, spans, after_id=after, where=where)


def slot_of(moment: dt.datetime) -> dt.datetime:
    moment = moment.astimezone(dt.UTC)
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def _slots_of(workspace_id: int, since: dt.datetime, until: dt.datetime) -> QuerySet[UsageSlot]:
    slots: QuerySet[UsageSlot] = UsageSlot._base_manager.filter(workspace=workspace_id)
    return slots.filter(start__gt=since - SLOT, start__lt=until)


def _gaps(span: Span, covered: Iterable[Span]) -> list[Span]:
    """What of the span is not covered."""
    gaps, at = [], span[0]
    for start, end in sorted(covered):
        if at < start:
            gaps.append((at, start))
        at = end
    return [*gaps, (at, span[1])] if at < span[1] else gaps


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Those that follow one another as one."""
    joined: list[Span] = []
    for since, until in spans:
        if joined and joined[-1][1] == since:
            joined[-1] = (joined[-1][0], until)
        else:
            joined.append((since, until))
    return joined


def batched(items: Sequence[Span], count: int) -> Iterator[Sequence[Span]]:
    """itertools has it from Python 3.12 on."""
    for place in range(0, len(items), count):
        yield items[place : place + count]
