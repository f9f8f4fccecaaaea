"""Days of the time zones that people read in, and people's days: made from the quarters of an hour, never from rows.

They only make reading fast. When one of their quarters changes they are thrown away, and made again later.
"""

from __future__ import annotations

import datetime as dt
import math
import time
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum
from django.utils import timezone

from llm_admin.jobs.writer import WRITER
from llm_admin.models import BlockLevel, UsageBlock, UsageSlot, UsageZone
from llm_admin.rollups.codes import NONE
from llm_admin.selectors.snapshots import snapshot

LONGEST_DAY = dt.timedelta(hours=27)
DERIVED = (BlockLevel.DAY, BlockLevel.PAIR, BlockLevel.PERSON)
LOOK_SECONDS = 60
_looked_at = -math.inf
MOST_ZONES = 6  # of a workspace besides the console's own; those used last
Span = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class _Task:
    workspace_id: int
    level: str
    zone: str
    start: dt.datetime
    end: dt.datetime

    def slots(self) -> QuerySet[UsageSlot]:
        found: QuerySet[UsageSlot] = UsageSlot._base_manager.filter(workspace=self.workspace_id)
        return found.filter(start__gte=self.start, start__lt=self.end)

    def blocks(self) -> list[UsageBlock]:
        found = UsageBlock._base_manager.filter(workspace=self.workspace_id, level=BlockLevel.SLOT, zone="", person=0)
        return list(found.filter(start__gte=self.start, start__lt=self.end).order_by("start"))

    def state(self) -> Any:
        """Changes whenever one of the quarters does."""
        return self.slots().aggregate(slots=Count("pk"), folded=Sum("folded"), mended=Sum("mended"))


def derive_all() -> int:
    """How many were made."""
    return sum(_derive(task) for task in list(_missing(timezone.now())))


def tick(deadline: float) -> None:
    """Looks once a minute, and works until the deadline (of time.monotonic)."""
    global _looked_at
    if time.monotonic() < _looked_at + LOOK_SECONDS:
        return
    for task in _missing(timezone.now()):
        if time.monotonic() >= deadline:
            return
        _derive(task)
    _looked_at = time.monotonic()


def forget(workspace_id: int, first: dt.datetime, last: dt.datetime) -> None:
    """The days in which quarters of an hour lie that changed."""
    days = Q(level__in=DERIVED, start__lte=last, start__gt=first - LONGEST_DAY)
    UsageBlock._base_manager.filter(days, workspace=workspace_id, end__gt=first).delete()


def use_zone(workspace_id: int, name: str) -> None:
    """Somebody reads in it: from now on its days have blocks."""
    if name == settings.TIME_ZONE:
        return
    now = timezone.now()
    known = UsageZone._base_manager.filter(workspace=workspace_id, name=name).first()
    if known is None:
        UsageZone._base_manager.get_or_create(workspace_id=workspace_id, name=name, defaults={"used_at": now})
        _forget_zones(workspace_id)
    elif known.used_at < now - dt.timedelta(hours=1):
        UsageZone._base_manager.filter(pk=known.pk).update(used_at=now)


def _forget_zones(workspace_id: int) -> None:
    kept = UsageZone._base_manager.filter(workspace=workspace_id).order_by("-used_at")[:MOST_ZONES]
    names = [settings.TIME_ZONE, *kept.values_list("name", flat=True)]
    UsageZone._base_manager.filter(workspace=workspace_id).exclude(name__in=names).delete()
    days = UsageBlock._base_manager.filter(workspace=workspace_id, level__in=(BlockLevel.DAY, BlockLevel.PAIR))
    days.exclude(zone__in=names).delete()


def _missing(now: dt.datetime) -> Iterator[_Task]:
    """Days that are over, hold something, and have all their quarters folded."""
    spans = UsageSlot._base_manager.values_list("workspace").annotate(Min("start"), Max("start")).order_by()
    for workspace_id, first, last in spans:
        ours = UsageSlot._base_manager.filter(workspace=workspace_id)
        filled = sorted(ours.values_list("start", flat=True))
        open_ = sorted(ours.exclude(changes=F("folded")).values_list("start", flat=True))
        made = UsageBlock._base_manager.filter(workspace=workspace_id)
        there = set(made.filter(level=BlockLevel.DAY).values_list("zone", "start"))
        people = made.filter(level=BlockLevel.PERSON, person=NONE)
        there |= {("", start) for start in people.values_list("start", flat=True)}
        used = UsageZone._base_manager.filter(workspace=workspace_id).values_list("name", flat=True)
        for zone in dict.fromkeys(["", settings.TIME_ZONE, *used]):
            level = BlockLevel.DAY if zone else BlockLevel.PERSON
            for start, end in days_of(zone or "UTC", first, last):
                done = end > now or (zone, start) in there
                if not done and _any_within(filled, start, end) and not _any_within(open_, start, end):
                    yield _Task(workspace_id, level, zone, start, end)


def _any_within(ordered: list[dt.datetime], start: dt.datetime, end: dt.datetime) -> bool:
    place = bisect_left(ordered, start)
    return place < len(ordered) and ordered[place] < end


def days_of(zone: str, first: dt.datetime, last: dt.datetime) -> Iterator[Span]:
    """Local days from that of `first` to that of `last`. None for a zone that this machine does not know any more."""
    try:
        tz = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        return
    day, final = first.astimezone(tz).date(), last.astimezone(tz).date()
    start = _midnight(day, tz)
    while day <= final:
        day += dt.timedelta(days=1)
        end = _midnight(day, tz)
        if start < end:  # a day that a zone left out has no length
            yield start, end
        start = end


def _midnight(day: dt.date, tz: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=tz).astimezone(dt.UTC)


def _derive(task: _Task) -> bool:
    with snapshot():
        state = task.state()
        found = task.blocks()
    made = _made_of(task, found)
    return bool(WRITER.write_sync(lambda: _store(task, state, made)))


def made(*, since: dt.datetime | None = None) -> Iterator[_Task]:
    """Those that are there."""
    there = UsageBlock._base_manager.filter(level__in=(BlockLevel.DAY, BlockLevel.PERSON), person=0)
    there = there.filter(end__gt=since) if since else there
    for row in there.values_list("workspace_id", "level", "zone", "start", "end").order_by("start"):
        yield _Task(*row)


def is_stale(task: _Task) -> bool:
    """Whether it says something else than its quarters."""
    with snapshot():
        stored = UsageBlock._base_manager.filter(workspace=task.workspace_id, level__in=DERIVED, zone=task.zone)
        there = {(one.level, one.person): _content(one) for one in stored.filter(start=task.start)}
        found = task.blocks()
    expected = {(one.level, one.person): _content(one) for one in _made_of(task, found)}
    return bool(there) and there != expected


def _content(one: UsageBlock) -> tuple[bytes, ...]:
    return tuple(bytes(part) for part in (one.cells, one.times, one.summary, one.summary_times))


def _made_of(task: _Task, found: list[UsageBlock]) -> list[UsageBlock]:
    from llm_admin.rollups import blocks

    block, owner = blocks.unpack([bytes(one.cells) for one in found], [bytes(one.times) for one in found])
    if task.level == BlockLevel.DAY:
        return list(_day(task, block))
    quarters = [(one.start - task.start) // (one.end - one.start) for one in found]
    block.columns["tag"] = blocks.spread(quarters, owner)
    return list(_people(task, block))


def _day(task: _Task, block: Any) -> Iterator[UsageBlock]:
    from llm_admin.rollups import blocks

    cube = blocks.group(block, [name for name in blocks.DIMENSIONS if name != "user"])
    day = _new(task)
    day.cells, day.times = _packed(cube)
    day.summary, day.summary_times = _packed(blocks.summary(cube, block))
    yield day
    for name in blocks.PAIRED:
        pairs = _new(task, person=blocks.DIMENSIONS.index(name))
        pairs.level = BlockLevel.PAIR
        pairs.summary, pairs.summary_times = _packed(blocks.pairs(cube, name))
        yield pairs


def _packed(block: Any) -> tuple[bytes, bytes]:
    from llm_admin.rollups import blocks

    return blocks.pack(blocks.narrow(block))


def _people(task: _Task, block: Any) -> Iterator[UsageBlock]:
    from llm_admin.rollups import blocks

    yield _new(task, person=NONE)
    narrow = blocks.narrow(block)
    for person, part in blocks.split(narrow, narrow["user"]):
        if person != NONE:
            made = _new(task, person=person)
            made.cells, made.times = blocks.pack(part)
            yield made


def _new(task: _Task, *, person: int = 0) -> UsageBlock:
    return UsageBlock(
        workspace_id=task.workspace_id,
        level=task.level,
        zone=task.zone,
        person=person,
        start=task.start,
        end=task.end,
    )


def _store(task: _Task, state: Any, made: list[UsageBlock]) -> bool:
    """In the writer's thread. Not where a quarter changed meanwhile, or another process was faster."""
    ours = UsageBlock._base_manager.filter(workspace=task.workspace_id, level=task.level, zone=task.zone)
    if task.state() != state or ours.filter(start=task.start).exists():
        return False
    for one in made:
        one.pk = None
    UsageBlock._base_manager.bulk_create(made)
    return True
