"""Hours, and days of the time zones that people read in: made from the quarters of an hour, never from rows.

They only make reading fast. When one of their quarters changes they are thrown away, and made again later.
"""

from __future__ import annotations

import datetime as dt
import math
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db.models import Count, F, Max, Min, Q, QuerySet, Sum
from django.utils import timezone

from llm_admin.jobs.writer import WRITER
from llm_admin.models import BlockLevel, UsageBlock, UsageSlot, UsageZone
from llm_admin.rollups.codes import NONE
from llm_admin.selectors.snapshots import snapshot
from llm_admin.selectors.usage_plans import DIMENSIONS, JOINT, PARTS

if TYPE_CHECKING:
    from llm_admin.rollups.blocks import Array, Block

HOUR = dt.timedelta(hours=1)
WITHOUT_PEOPLE = tuple(name for name in DIMENSIONS if name != "user")
LONGEST_DAY = dt.timedelta(hours=27)
DERIVED = tuple(level for level in BlockLevel if level != BlockLevel.SLOT)
LOOK_SECONDS = 60
_looked_at = -math.inf
MOST_ZONES = 6  # of a workspace besides the console's own; those used last
Span = tuple[dt.datetime, dt.datetime]


@dataclass(frozen=True)
class _Task:
    """A day, or those hours of a day of UTC that are missing; `zone`: of the day, "" of hours."""

    workspace_id: int
    zone: str
    spans: Sequence[Span]

    @property
    def span(self) -> Span:
        return self.spans[0][0], self.spans[-1][1]

    def slots(self) -> QuerySet[UsageSlot]:
        since, until = self.span
        found: QuerySet[UsageSlot] = UsageSlot._base_manager.filter(workspace=self.workspace_id)
        return found.filter(start__gte=since, start__lt=until)

    def blocks(self) -> list[UsageBlock]:
        since, until = self.span
        found = UsageBlock._base_manager.filter(workspace=self.workspace_id, level=BlockLevel.SLOT)
        return list(found.filter(start__gte=since, start__lt=until).order_by("start"))

    def made(self) -> QuerySet[UsageBlock]:
        """What is stored of it."""
        found = UsageBlock._base_manager.filter(workspace=self.workspace_id, level__in=DERIVED, zone=self.zone)
        return found.filter(start__in=[start for start, _ in self.spans])

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
    UsageBlock._base_manager.filter(workspace=workspace_id).exclude(zone__in=["", *names]).delete()


def _missing(now: dt.datetime) -> Iterator[_Task]:
    """Hours and days that are over, hold something, and have all their quarters folded; the newest first."""
    spans = UsageSlot._base_manager.values_list("workspace").annotate(Min("start"), Max("start")).order_by()
    for workspace_id, first, last in spans:
        look = _Look(workspace_id, now)
        hours = defaultdict(list)
        for start in sorted({start.replace(minute=0) for start in look.filled}):
            if look.is_missing("", start, start + HOUR):
                hours[start.date()].append((start, start + HOUR))
        yield from (_Task(workspace_id, "", hours[day]) for day in sorted(hours, reverse=True))
        used = UsageZone._base_manager.filter(workspace=workspace_id).values_list("name", flat=True)
        for zone in dict.fromkeys([settings.TIME_ZONE, *used]):
            days = [span for span in days_of(zone, first, last) if look.is_missing(zone, *span)]
            yield from (_Task(workspace_id, zone, [span]) for span in reversed(days))


class _Look:
    def __init__(self, workspace_id: int, now: dt.datetime) -> None:
        self.now = now
        ours = UsageSlot._base_manager.filter(workspace=workspace_id)
        self.filled = sorted(ours.values_list("start", flat=True))
        self.open = sorted(ours.exclude(changes=F("folded")).values_list("start", flat=True))
        made = UsageBlock._base_manager.filter(workspace=workspace_id, level__in=(BlockLevel.DAY, BlockLevel.HOUR))
        self.there = set(made.values_list("zone", "start"))

    def is_missing(self, zone: str, start: dt.datetime, end: dt.datetime) -> bool:
        if end > self.now or (zone, start) in self.there:
            return False
        return _any_within(self.filled, start, end) and not _any_within(self.open, start, end)


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


def _derive(task: _Task) -> int:
    """How many hours or days were made."""
    with snapshot():
        state = task.state()
        found = task.blocks()
    made = list(_made_of(task, found))
    return int(WRITER.write_sync(lambda: _store(task, state, made)))


def made(*, since: dt.datetime | None = None) -> Iterator[_Task]:
    """Those that are there."""
    there = UsageBlock._base_manager.filter(level__in=(BlockLevel.DAY, BlockLevel.HOUR))
    there = there.filter(end__gt=since) if since else there
    for workspace_id, zone, start, end in there.values_list("workspace_id", "zone", "start", "end").order_by("start"):
        yield _Task(workspace_id, zone, [(start, end)])


def is_stale(task: _Task) -> bool:
    """Whether it says something else than its quarters."""
    with snapshot():
        there = {_name(one): (bytes(one.cells), bytes(one.times)) for one in task.made()}
        found = task.blocks()
    expected = {_name(one): (one.cells, one.times) for one in _made_of(task, found)}
    return bool(there) and there != expected


def _name(one: UsageBlock) -> tuple[str, int, int]:
    return one.level, one.value, one.part


def _made_of(task: _Task, found: list[UsageBlock]) -> Iterator[UsageBlock]:
    from llm_admin.rollups import blocks

    block, owner = blocks.unpack([bytes(one.cells) for one in found], [bytes(one.times) for one in found])
    if task.zone:
        yield from _day(task, block)
    else:
        yield from _hours(task, found, block, owner)


def _hours(task: _Task, found: list[UsageBlock], block: Block, owner: Array) -> Iterator[UsageBlock]:
    import numpy as np

    from llm_admin.rollups import blocks, grouping

    numbers = np.array([(one.start - task.span[0]) // HOUR for one in found], dtype=np.int64)[owner]
    wanted = dict(task.spans)
    for number, part in grouping.summaries(block, numbers, DIMENSIONS):
        start = task.span[0] + number * HOUR
        if start in wanted:
            yield _packed(task, (start, wanted[start]), BlockLevel.HOUR, blocks.stored(part))


def _day(task: _Task, block: Block) -> Iterator[UsageBlock]:
    from llm_admin.rollups import blocks, grouping

    whole = grouping.group(block, DIMENSIONS)
    cube = grouping.group(whole, WITHOUT_PEOPLE)
    people = grouping.summary(whole, ["user"])
    people = blocks.select(people, people["tag"] != blocks.ALL)
    everything = blocks.concat([grouping.summary(cube, WITHOUT_PEOPLE), people])
    yield _packed(task, task.span, BlockLevel.DAY, blocks.stored(everything))
    for level, (keys, names) in JOINT.items():
        yield _packed(task, task.span, level, blocks.stored(grouping.summary(cube, names, keys)))
    cube, whole = blocks.stored(cube), blocks.stored(whole)
    for level, names in PARTS.items():
        for value, part in blocks.split(cube, cube[names[0]]):
            for detail, cells in blocks.split(part, part[names[1]]) if len(names) > 1 else [(0, part)]:
                yield _packed(task, task.span, level, cells, value, detail)
    for person, part in blocks.split(whole, whole["user"]):
        if person != NONE:
            yield _packed(task, task.span, BlockLevel.USER, part, person)


def _packed(task: _Task, span: Span, level: str, block: Block, value: int = 0, part: int = 0) -> UsageBlock:
    """`block`: in its stored form."""
    from llm_admin.rollups import blocks

    cells, times = blocks.pack(block)
    return UsageBlock(
        workspace_id=task.workspace_id,
        level=level,
        zone=task.zone,
        value=value,
        part=part,
        start=span[0],
        end=span[1],
        cells=cells,
        times=times,
    )


def _store(task: _Task, state: Any, made: list[UsageBlock]) -> int:
    """In the writer's thread. Nothing where a quarter changed meanwhile, or another process was faster."""
    if task.state() != state or task.made().exists():
        return 0
    for one in made:
        one.pk = None
    UsageBlock._base_manager.bulk_create(made)
    return len(task.spans)
