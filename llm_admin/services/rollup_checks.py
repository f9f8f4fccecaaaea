"""Whether the rollups say what the rows say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.db.models import F

from llm_admin.models import BlockLevel, UsageBlock, UsageSlot, Workspace
from llm_admin.models.rollup import SLOT
from llm_admin.selectors import usage_rows
from llm_admin.selectors.snapshots import snapshot
from llm_admin.services import rollup_days

if TYPE_CHECKING:
    from llm_admin.rollups.blocks import Block


def differences(*, since: dt.datetime | None = None) -> Iterator[str]:
    """A sentence for each quarter of an hour or day that says something else than its rows; none: all is right.

    Frozen quarters have no rows to compare with; their days are compared with them.
    """
    slots = UsageSlot._base_manager.filter(frozen=False, breaks=F("mended"), last_id__gt=0)
    slots = slots.filter(start__gt=since - SLOT) if since else slots
    names = dict(Workspace.objects.values_list("pk", "name"))
    for pk in slots.order_by("start").values_list("pk", flat=True).iterator():
        with snapshot():
            slot = UsageSlot._base_manager.get(pk=pk)
            wrong = slot.breaks == slot.mended and _differs(slot)
        if wrong:
            yield f"{names[slot.workspace_id]}, {slot.start:%Y-%m-%d %H:%M} UTC: the rollup differs from its rows."
    for task in rollup_days.made(since=since):
        if rollup_days.is_stale(task):
            what = f"day in {task.zone}" if task.zone else "hour"
            start = task.span[0]
            yield f"{names[task.workspace_id]}, {start:%Y-%m-%d %H:%M} UTC: the {what} differs from its quarters."


def _differs(slot: UsageSlot) -> bool:
    from llm_admin.rollups import blocks, grouping

    rows = usage_rows.read(slot.workspace_id, [(slot.start, slot.start + SLOT)], until_id=slot.last_id)
    expected = grouping.group(rows, blocks.DIMENSIONS)
    stored = UsageBlock._base_manager.filter(workspace=slot.workspace_id, level=BlockLevel.SLOT)
    found = stored.filter(start=slot.start).first()
    if found is None:
        return len(expected) > 0
    return not _same(expected, blocks.unpack([bytes(found.cells)], [bytes(found.times)])[0])


def _same(one: Block, other: Block) -> bool:
    from llm_admin.rollups.blocks import COLUMNS, TIMES

    if len(one) != len(other):
        return False
    columns = all((one[name] == other[name]).all() for name in COLUMNS)
    return columns and all(
        len(one.times[name].bins) == len(other.times[name].bins)
        and bool((one.times[name].bins == other.times[name].bins).all())
        and bool((one.times[name].counts == other.times[name].counts).all())
        for name in TIMES
    )
