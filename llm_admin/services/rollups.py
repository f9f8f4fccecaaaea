"""Folding logs into rollups: whole quarters of an hour, each exactly once, resumable at any point (ADR 0014).

Rows are read and added up outside of any write; what is stored is taken only if nobody else stored in between.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from llm_admin.jobs.writer import WRITER
from llm_admin.models import BlockLevel, UsageBlock, UsageSlot
from llm_admin.models.rollup import SLOT
from llm_admin.selectors import usage_rows
from llm_admin.selectors.snapshots import snapshot
from llm_admin.selectors.usage_reading import slot_of
from llm_admin.services import rollup_days

if TYPE_CHECKING:
    from llm_admin.rollups.blocks import Block

SLOTS_AT_ONCE, ROWS_AT_ONCE = 96, 50_000
RIPE = 2 * SLOT  # a call is logged when it ends, in the quarter in which it began
TICK_SECONDS = 1.0
ENOUGH_NEW = 2_000  # rows; fewer are read as they are until their slot is over


@dataclass(frozen=True)
class Folded:
    """What is to be stored of a slot as it was read: its block, None if it has no rows (any more)."""

    slot: UsageSlot
    last_id: int
    block: UsageBlock | None


@dataclass
class Counts:
    slots: int = 0
    rows: int = 0
    days: int = 0


def tick() -> None:
    """In a thread of its own, now and then, in one process: a little, so that nothing else has to wait."""
    deadline = time.monotonic() + TICK_SECONDS
    while time.monotonic() < deadline and fold_some(ripe=True):
        pass
    rollup_days.tick(deadline)


def fold_all(*, since: dt.datetime | None = None, progress: Callable[[Counts], None] | None = None) -> Counts:
    """Everything that is not folded yet, newest first, then the days and people that are complete.

    At most as many goes as there are slots now: where calls are logged all the time there is always one more.
    """
    counts = Counts()
    for _ in range(unfolded(since=since).count()):
        some = fold_some(since=since)
        if some is None:
            break
        counts.slots += some.slots
        counts.rows += some.rows
        if progress:
            progress(counts)
    counts.days = rollup_days.derive_all()
    return counts


def fold_some(
    *, since: dt.datetime | None = None, until: dt.datetime | None = None, ripe: bool = False
) -> Counts | None:
    """Some slots further; None: there is nothing to do. `ripe`: only slots that are over or have many new rows."""
    waiting = unfolded(since=since, until=until)
    if ripe:
        waiting = waiting.filter(Q(start__lt=timezone.now() - RIPE) | Q(changes__gte=F("folded") + ENOUGH_NEW))
    some = _together(list(waiting.order_by("-start")[:SLOTS_AT_ONCE]))
    if not some:
        return None
    rows = sum(slot.changes - slot.folded for slot in some)
    folded = fold(some)
    stored = WRITER.write_sync(lambda: _store(folded))
    return Counts(slots=stored, rows=rows)


def rebuild(*, since: dt.datetime | None = None) -> int:
    """Marks everything to be read again from its rows; how many slots. Not what retention has frozen."""
    slots = UsageSlot._base_manager.filter(frozen=False)
    slots = slots.filter(start__gt=since - SLOT) if since else slots
    again = {"changes": F("changes") + 1, "breaks": F("breaks") + 1}
    return int(WRITER.write_sync(lambda: slots.update(**again)))


def freeze(workspace_id: int, before: dt.datetime) -> dt.datetime:
    """The moment, at most `before`, up to which rows may be deleted: they are folded, and are never read again."""
    before = slot_of(before)
    ours = unfolded(until=before).filter(workspace=workspace_id)
    while ours.exists() and fold_some(until=before):
        pass
    slots = UsageSlot._base_manager.filter(workspace=workspace_id, start__lt=before)
    WRITER.write_sync(lambda: slots.filter(changes=F("folded"), frozen=False).update(frozen=True))
    first = slots.filter(frozen=False).order_by("start").first()
    return first.start if first else before


def _together(slots: list[UsageSlot]) -> list[UsageSlot]:
    """Of one workspace, and not too many rows."""
    found: list[UsageSlot] = []
    rows = 0
    for slot in slots:
        rows += slot.changes
        if slot.workspace_id == slots[0].workspace_id and (not found or rows <= ROWS_AT_ONCE):
            found.append(slot)
    return found


def unfolded(*, since: dt.datetime | None = None, until: dt.datetime | None = None) -> QuerySet[UsageSlot]:
    slots: QuerySet[UsageSlot] = UsageSlot._base_manager.exclude(changes=F("folded"))
    slots = slots.filter(start__lt=until) if until else slots
    return slots.filter(start__gt=since - SLOT) if since else slots


def lag() -> dt.timedelta | None:
    """How far the oldest slot that is over and not folded lies behind; None: all are."""
    over = unfolded(until=timezone.now() - SLOT).order_by("start").first()
    return timezone.now() - over.start - SLOT if over else None


def fold(slots: list[UsageSlot]) -> list[Folded]:
    """Of one workspace. Rows that came since the last time are added; all are read again where earlier ones changed."""
    with snapshot():
        slots = list(UsageSlot._base_manager.filter(pk__in=[slot.pk for slot in slots]).order_by("start"))
        last_id = usage_rows.newest_id()
        new = [slot for slot in slots if _from_the_start(slot)]
        parts = _read_whole(new)
        parts |= {slot.pk: _read_more(slot) for slot in slots if not _from_the_start(slot)}
    return [Folded(slot, last_id, _pack(slot, parts.get(slot.pk))) for slot in slots]


def _from_the_start(slot: UsageSlot) -> bool:
    return not slot.last_id or (slot.breaks != slot.mended and not slot.frozen)


def _read_whole(slots: list[UsageSlot]) -> dict[int, Block]:
    """By slot; those without rows are absent. One query: slots that are folded together mostly follow one another."""
    from llm_admin.rollups import blocks, grouping

    if not slots:
        return {}
    by_number = {usage_rows.slot_number(slot.start): slot.pk for slot in slots}
    rows = usage_rows.read(slots[0].workspace_id, [(slots[0].start, slots[-1].start + SLOT)])
    grouped = grouping.group(rows, ("tag", *blocks.DIMENSIONS))
    numbers, grouped.columns["tag"] = grouped["tag"], grouped["tag"] * 0
    parts = blocks.split(blocks.stored(grouped), numbers)
    return {by_number[number]: part for number, part in parts if number in by_number}


def _read_more(slot: UsageSlot) -> Block:
    from llm_admin.rollups import blocks, grouping

    parts = [usage_rows.read(slot.workspace_id, [(slot.start, slot.start + SLOT)], after_id=slot.last_id)]
    if stored := _blocks_of([slot]).first():
        parts.append(blocks.unpack([bytes(stored.cells)], [bytes(stored.times)])[0])
    return blocks.stored(grouping.group(blocks.concat(parts), blocks.DIMENSIONS))


def _pack(slot: UsageSlot, block: Block | None) -> UsageBlock | None:
    from llm_admin.rollups import blocks

    if block is None or not len(block):
        return None
    cells, times = blocks.pack(block)
    return UsageBlock(
        workspace_id=slot.workspace_id,
        level=BlockLevel.SLOT,
        start=slot.start,
        end=slot.start + SLOT,
        cells=cells,
        times=times,
    )


def _blocks_of(slots: list[UsageSlot]) -> QuerySet[UsageBlock]:
    found: QuerySet[UsageBlock] = UsageBlock._base_manager.filter(workspace=slots[0].workspace_id)
    return found.filter(level=BlockLevel.SLOT, start__in=[slot.start for slot in slots])


def _store(folded: list[Folded]) -> int:
    """In the writer's thread: how many. Not those that another process folded meanwhile, or whose earlier rows changed.

    On SQLite, rows that came meanwhile have higher ids and stay to be folded. On PostgreSQL ids are not given in the
    order in which rows appear, so nothing at all may have changed.
    """
    fields = ["pk", "folded", "mended", "breaks", "last_id"]
    if connection.vendor == "postgresql":
        fields.append("changes")
    rows = UsageSlot._base_manager.filter(pk__in=[one.slot.pk for one in folded]).select_for_update()
    same = set(rows.values_list(*fields))
    taken = [one for one in folded if tuple(getattr(one.slot, name) for name in fields) in same]
    if not taken:
        return 0
    with connection.cursor() as cursor:
        done = [(one.slot.changes, one.slot.breaks, one.last_id, one.slot.pk) for one in taken]
        cursor.executemany("UPDATE llm_admin_usageslot SET folded = %s, mended = %s, last_id = %s WHERE id = %s", done)
    _blocks_of([one.slot for one in taken]).delete()
    made = [one.block for one in taken if one.block is not None]
    for block in made:
        block.pk = None
    UsageBlock._base_manager.bulk_create(made)
    for first, last in _runs([one.slot.start for one in taken]):
        rollup_days.forget(taken[0].slot.workspace_id, first, last)
    return len(taken)


def _runs(starts: list[dt.datetime]) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    """The first and the last of those that lie within a day of one another; `starts` are in order."""
    first = last = starts[0]
    for start in starts[1:]:
        if start - last > dt.timedelta(days=1):
            yield first, last
            first = start
        last = start
    yield first, last
