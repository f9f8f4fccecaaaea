"""Monitors are looked at, once a minute each, by the process that holds the ticker's lease, or when somebody asks.

What a look finds is written with everything that is to be sent because of it, in one transaction, if nobody else
looked or changed anything meanwhile (`turn`): so two processes tell nobody twice, and a crash loses no message.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from llm_admin.choices import MonitorEventKind
from llm_admin.exceptions import Conflict, NotFound
from llm_admin.models import Monitor, MonitorDelivery, MonitorEvent
from llm_admin.selectors import monitors as selector
from llm_admin.selectors.monitor_measures import MEASURES, Reading
from llm_admin.services import monitor_delivery, monitor_messages, monitor_words
from llm_admin.services.monitor_messages import Message
from llm_admin.services.monitor_rules import Decision, Rules, Standing, Tell, decide
from llm_admin.tenancy import workspace_scope

if TYPE_CHECKING:
    from llm_admin.services.actors import Actor

logger = logging.getLogger(__name__)
EVERY = dt.timedelta(minutes=1)
AT_A_TIME = 200
KEPT = dt.timedelta(days=400)  # of history and of what was sent
_under_way: dict[str, asyncio.Task[int]] = {}


async def tick() -> None:
    """Begins what is due, and does not wait for it: neither a slow query nor a slow server holds up the ticker."""
    for name, work in (("look", look_at_due), ("send", monitor_delivery.send_due)):
        running = _under_way.get(name)
        if running is None or running.done():
            _under_way[name] = asyncio.create_task(asyncio.to_thread(_apart, work))
            _under_way[name].add_done_callback(_report)


def _apart(work: Callable[[], int]) -> int:
    """In a thread of the loop's pool, which keeps no connection."""
    try:
        return work()
    finally:
        connection.close()


def _report(task: asyncio.Task[int]) -> None:
    if not task.cancelled() and (error := task.exception()):
        logger.error("Monitors could not be looked after, and will be again.", exc_info=error)


def look_at_due(now: dt.datetime | None = None) -> int:
    """How many were looked at. Run it outside of the loop."""
    moment = now or timezone.now()
    due = Q(evaluated_at=None) | Q(evaluated_at__lte=moment - EVERY)
    rows = Monitor._base_manager.filter(due, enabled=True, measure__in=MEASURES).select_related(*selector.RELATED)
    found = rows.order_by(F("evaluated_at").asc(nulls_first=True), "pk")[:AT_A_TIME]
    return sum(_look_safely(monitor, now) for monitor in found)


def _look_safely(monitor: Monitor, now: dt.datetime | None) -> bool:
    """One that the database refuses to measure does not keep the others from being looked at."""
    moment = now or timezone.now()
    try:
        return look(monitor, now=moment)
    except DatabaseError:
        logger.exception("The monitor %s could not be looked at.", monitor.pk)
        Monitor._base_manager.filter(pk=monitor.pk, turn=monitor.turn).update(evaluated_at=moment)
        return False


def look_now(monitor: Monitor, *, actor: Actor) -> Monitor:
    """At once, whenever it was looked at last. Raises Conflict when it is off."""
    actor.require("change_monitor")
    if monitor.workspace_id != actor.workspace.pk:
        raise NotFound("There is no such monitor in this workspace.")
    if not monitor.enabled:
        raise Conflict(f"“{monitor}” is off. Switch it on first.")
    look(monitor, now=timezone.now())
    monitor.refresh_from_db()
    return monitor


def look(monitor: Monitor, *, now: dt.datetime) -> bool:
    """Whether this look counted: False when somebody else was faster."""
    with workspace_scope(monitor.workspace):
        reading = selector.reading(monitor, now)
    before = standing_of(monitor)
    decision = decide(rules_of(monitor), before, reading.value, now, muted=monitor.is_muted(now))
    with transaction.atomic():
        if not _claim(monitor, decision.standing, reading, now):
            return False
        if seen := _Seen(monitor, before, decision, reading, now).events():
            MonitorEvent._base_manager.bulk_create(seen)
            _forget_old(monitor, now)
        if decision.tell:
            told = _message(before, decision, reading, now)
            MonitorDelivery._base_manager.bulk_create(monitor_messages.rows(monitor, told))
    return True


def rules_of(monitor: Monitor) -> Rules:
    names = ("warn", "alarm", "direction", "no_data", "in_a_row", "remind_hours", "tell_recovery")
    return Rules(**{name: getattr(monitor, name) for name in names})


def standing_of(monitor: Monitor) -> Standing:
    return Standing(monitor.state, monitor.since, monitor.pending, monitor.told, monitor.told_at)


def _claim(monitor: Monitor, standing: Standing, reading: Reading, now: dt.datetime) -> bool:
    value = None if reading.value is None else float(reading.value)
    values = vars(standing) | {"value": value, "counted": reading.counted, "evaluated_at": now}
    rows = Monitor._base_manager.filter(pk=monitor.pk, turn=monitor.turn, enabled=True)
    return rows.update(**values, turn=monitor.turn + 1) == 1


def _message(before: Standing, decision: Decision, reading: Reading, now: dt.datetime) -> Message:
    standing = decision.standing
    since = before.since if decision.tell is Tell.RECOVERY else standing.since
    return Message(decision.tell, standing.state, before.told or before.state, reading, since, now)


@dataclass(frozen=True)
class _Seen:
    """What a look leaves in the history."""

    monitor: Monitor
    before: Standing
    decision: Decision
    reading: Reading
    now: dt.datetime

    def events(self) -> list[MonitorEvent]:
        after, tell = self.decision.standing, self.decision.tell
        if after.state != self.before.state:
            return [self._event(MonitorEventKind.CHANGED)]
        if tell is None:
            return []
        return [self._event(MonitorEventKind.REMINDED if tell is Tell.REMINDER else MonitorEventKind.TOLD)]

    def _event(self, kind: str) -> MonitorEvent:
        monitor, state = self.monitor, self.decision.standing.state
        found = monitor_words.finding(monitor, state, self.reading.value, self.reading.counted, monitor.workspace)
        return MonitorEvent(
            monitor=monitor, at=self.now, kind=kind, before=self.before.state, state=state, words=found[:400]
        )


def _forget_old(monitor: Monitor, now: dt.datetime) -> None:
    MonitorEvent._base_manager.filter(monitor=monitor, at__lt=now - KEPT).delete()
    MonitorDelivery._base_manager.filter(monitor=monitor, created_at__lt=now - KEPT).delete()
