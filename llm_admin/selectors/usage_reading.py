"""Everything that a page of numbers needs, read at one moment: rollups, and the rows that are in none yet.

Whole days of the reader's time zone where there are some, hours and quarters of an hour elsewhere, rows for what came
since. What is read and what is not is decided by `cuts`, the moments between which sums are wanted (ADR 0014).
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import or_
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from llm_admin.models import BlockLevel, UsageBlock, UsageSlot
from llm_admin.models.rollup import SLOT
from llm_admin.rollups.codes import code_of
from llm_admin.selectors import usage_rows
from llm_admin.selectors.snapshots import snapshot
from llm_admin.selectors.usage_plans import COLUMNS, Given, Plan, plan

if TYPE_CHECKING:
    from llm_admin.rollups.blocks import Array, Block

T = TypeVar("T")
RANGES_AT_ONCE = 100
BLOCKS_AT_ONCE = 1_000  # of a new time zone's days, thousands of quarters are read
TOTALS = ("model",)  # what totals tell apart: what the cache saved is told by model
Span = tuple[dt.datetime, dt.datetime]


@dataclass
class Part:
    """Cells with the number of the span between two cuts that each belongs to. `keys`: as of a plan; where there are
    some, cells are in the order of their tags."""

    block: Block
    bucket: Array
    keys: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Question:
    """`given`: filters; `columns`: the dimensions that the answer tells apart, but for the first `totals` spans."""

    workspace_id: int
    cuts: Sequence[dt.datetime]
    given: Given
    columns: frozenset[str]
    totals: int = 0

    @property
    def span(self) -> Span:
        return self.cuts[0], self.cuts[-1]


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
        self.dirty = self._unfolded()
        # Slots that are read from their rows: they lie on both sides of a cut, or earlier rows of them have changed.
        self.cut = self._cut()
        self.torn = sorted(self.cut | {slot.start for slot in self.dirty if slot.broken})
        self.blocks = UsageBlock._base_manager.filter(workspace=question.workspace_id)

    def parts(self) -> Iterator[Part]:
        """Blocks of the same kind together, so that there are few to add up, but not too many of them."""
        chosen = plan(self.question.given, self.question.columns)
        covered = self._days() if chosen else []
        found = self._of_days(chosen, covered) if chosen else []
        gaps = _gaps(self.question.span, covered)
        if not self.question.given:
            hours = self._hours(gaps)
            found += hours
            gaps = _gaps(self.question.span, [*covered, *((hour.start, hour.end) for hour in hours)])
        slots = self._quarters(gaps)
        keys = chosen.keys if chosen else None
        for some in batched(found if keys is not None else found + slots, BLOCKS_AT_ONCE):
            yield self._unpacked(some, keys)
        for some in batched(slots if keys is not None else [], BLOCKS_AT_ONCE):
            yield self._unpacked(some)
        yield from self._rows()

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

    def _days(self) -> list[Span]:
        """Those that lie wholly between two cuts and have no slot that is read otherwise."""
        ours = self.blocks.filter(level=BlockLevel.DAY, zone=timezone.get_current_timezone_name())
        days = ours.filter(start__gte=self.since, end__lte=self.until).values_list("start", "end").order_by("start")
        return [day for day in days if self._is_whole(day)]

    def _of_days(self, chosen: Plan, days: list[Span]) -> list[UsageBlock]:
        if not days:
            return []
        found = self.blocks.filter(level=chosen.level, zone=timezone.get_current_timezone_name(), **chosen.only)
        starts = {start for start, _ in days}
        return [one for one in found.filter(start__gte=days[0][0], end__lte=days[-1][1]) if one.start in starts]

    def _hours(self, gaps: list[Span]) -> list[UsageBlock]:
        within = [Q(start__gte=since, start__lt=until, end__lte=until) for since, until in gaps]
        return [one for one in self._found(BlockLevel.HOUR, within) if self._is_whole((one.start, one.end))]

    def _quarters(self, gaps: list[Span]) -> list[UsageBlock]:
        """Frozen ones, too, that reach beyond a cut."""
        within, torn = [Q(start__gt=since - SLOT, start__lt=until) for since, until in gaps], set(self.torn)
        return [one for one in self._found(BlockLevel.SLOT, within) if one.start not in torn]

    def _found(self, level: str, within: list[Q]) -> Iterator[UsageBlock]:
        for some in batched(within, RANGES_AT_ONCE):
            yield from self.blocks.filter(reduce(or_, some), level=level)

    def _is_whole(self, span: Span) -> bool:
        cuts, torn = self.question.cuts, self.torn
        cut, row = bisect_right(cuts, span[0]), bisect_left(torn, span[0])
        return (cut == len(cuts) or cuts[cut] >= span[1]) and (row == len(torn) or torn[row] >= span[1])

    def _unpacked(self, found: Sequence[UsageBlock], keys: tuple[str, ...] | None = None) -> Part:
        import numpy as np

        from llm_admin.rollups import blocks

        columns = {"tag", *self.question.columns, *self.question.given, *(keys or ()), *blocks.SUMS, *blocks.TIMES}
        cells, times = [bytes(one.cells) for one in found], [bytes(one.times) for one in found]
        block, owner = blocks.unpack(cells, times, columns=columns)
        bucket = self._buckets_of(np.array([int(one.start.timestamp()) for one in found]))[owner]
        kept = self._mask(block)
        if keys is None:
            return Part(blocks.select(block, kept), bucket[kept])
        order = np.flatnonzero(kept & self._tags(block["tag"], bucket, keys))
        order = order[np.argsort(block["tag"][order], kind="stable")]
        return Part(blocks.take(block, order), bucket[order], keys)

    def _tags(self, tags: Array, bucket: Array, keys: tuple[str, ...]) -> Any:
        """Those cells of a summary that are asked for."""
        import numpy as np

        from llm_admin.rollups import blocks

        def told(names: Iterable[str]) -> Any:
            wanted = [blocks.ALL, *(blocks.DIMENSIONS.index(name) for name in names if name not in keys)]
            return np.isin(tags, wanted)

        found = told(self.question.columns)
        return found & (told(TOTALS) | (bucket >= self.question.totals)) if self.question.totals else found

    def _mask(self, block: Block) -> Any:
        import numpy as np

        kept = np.ones(len(block), dtype=bool)
        for dimension, values in self.question.given.items():
            codes = [code_of(dimension, value) for value in values]
            kept &= block[dimension] == codes[0] if len(codes) == 1 else np.isin(block[dimension], codes)
        return kept

    def _rows(self) -> Iterator[Part]:
        """Of slots that are read from their rows, and those that came to folded ones."""
        yield from self._of_cut()
        after: dict[int, list[Span]] = defaultdict(list)
        for slot in self.dirty:
            if slot.start not in self.cut:
                after[0 if slot.broken else slot.last_id].append((slot.start, slot.start + SLOT))
        for last_id, spans in after.items():
            for some in batched(_joined(spans), RANGES_AT_ONCE):
                yield self._rows_of(_read(self.question, some, last_id))

    def _of_cut(self) -> Iterator[Part]:
        """Slots on both sides of a cut. Where one's sums are complete, they count with its longest piece, and of the
        rows only those of the other pieces are read, and taken away there."""
        whole = self.cut - {slot.start for slot in self.dirty}
        blocks = {one.start: one for one in self._found(BlockLevel.SLOT, [Q(start__in=whole)] if whole else [])}
        for start in sorted(self.cut):
            inner = [cut for cut in self.question.cuts if start < cut < start + SLOT]
            pieces = list(pairwise([start, *inner, start + SLOT]))
            inside = [piece for piece in pieces if self.since <= piece[0] < self.until]
            longest = max(inside, key=lambda piece: piece[1] - piece[0])
            if start in blocks and 2 * (longest[1] - longest[0]) > SLOT:
                yield self._within(longest, self._unpacked([blocks[start]]).block)
                pieces.remove(longest)
                rest = [(piece, _read(self.question, [piece])) for piece in pieces]
                yield from (self._within(longest, _negative(block)) for _, block in rest)
                yield from (self._within(piece, block) for piece, block in rest if piece in inside)
            else:
                yield from (self._within(piece, _read(self.question, [piece])) for piece in inside)

    def _within(self, piece: Span, block: Block) -> Part:
        """All in the bucket of the piece."""
        import numpy as np

        return Part(block, np.full(len(block), bisect_right(self.question.cuts, piece[0]) - 1))

    def _rows_of(self, block: Block) -> Part:
        """Each in the bucket of its slot."""
        return Part(block, self._buckets_of(block["tag"] * int(SLOT.total_seconds())))

    def _buckets_of(self, seconds: Array) -> Array:
        import numpy as np

        cuts = np.array([cut.timestamp() for cut in self.question.cuts])
        return np.searchsorted(cuts, np.maximum(seconds, cuts[0]), side="right") - 1


def _negative(block: Block) -> Block:
    """What is taken away from others."""
    from llm_admin.rollups import blocks

    columns = block.columns | {name: -block[name] for name in blocks.SUMS}
    times = {name: blocks.Histograms(entries.bins, -entries.counts) for name, entries in block.times.items()}
    return blocks.Block(columns, times)


def _read(question: Question, spans: Sequence[Span], after: int = 0) -> Block:
    where = [(COLUMNS[dimension], values) for dimension, values in question.given.items()]
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


def batched(items: Sequence[T], count: int) -> Iterator[Sequence[T]]:
    """itertools has it from Python 3.12 on."""
    for place in range(0, len(items), count):
        yield items[place : place + count]
