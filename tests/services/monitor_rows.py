"""Monitors for tests, made through the service."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from llm_admin.models import Monitor, MonitorDelivery, MonitorEvent
from llm_admin.services import actors, monitor_watch, monitors
from tests.log_rows import log

NOW = timezone.now().replace(microsecond=0)
MINUTE = dt.timedelta(minutes=1)
HOUR = dt.timedelta(hours=1)


def monitor(where: Any, *, actor: Any = None, people: Any = (), webhook: str = "", **values: Any) -> Monitor:
    """Above 50% errors in the last hour, told to nobody."""
    values = {"name": "Errors", "measure": "error_rate", "alarm": 50_000} | values
    made = Monitor(**values)
    return monitors.save(made, actor=actor or actors.system(where), people=people, webhook=webhook)


def calls(where: Any, good: int, failed: int, *, at: dt.datetime = NOW - MINUTE, **values: Any) -> None:
    for number in range(good + failed):
        status = {} if number < good else {"status": "failed", "error_kind": "timeout"}
        log(where, at=at, **(status | values))


def look(made: Monitor, at: dt.datetime = NOW) -> str:
    """The state afterwards."""
    made.refresh_from_db()
    assert monitor_watch.look(made, now=at)
    made.refresh_from_db()
    return made.state


def events(made: Monitor) -> list[str]:
    """Oldest first, without that it was made."""
    rows = MonitorEvent._base_manager.filter(monitor=made).order_by("pk")
    return [f"{one.kind} {one.before}>{one.state}" for one in rows if one.kind != "edited"]


def deliveries(made: Monitor) -> list[MonitorDelivery]:
    return list(MonitorDelivery._base_manager.filter(monitor=made).order_by("created_at", "channel", "to"))
