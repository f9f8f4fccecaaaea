"""The numbers behind monitors: what one measures now, and what it measured in the windows before."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from django.db.models import QuerySet

from llm_admin.choices import MONITOR_FIRING, MonitorWindow
from llm_admin.models import Monitor, MonitorDelivery, MonitorEvent
from llm_admin.selectors.monitor_measures import MEASURES, Reading
from llm_admin.selectors.periods import quarter_before
from llm_admin.selectors.usage import UsageFilter

SUBJECTS = ("prompt", "version", "workflow", "model", "deployment", "user")
RELATED = ("prompt", "version__prompt", "workflow", "model", "deployment__connection", "user", "owner", "workspace")
DAY = 24 * 60
SHOWN = 50  # events, and deliveries, of a page


@dataclass(frozen=True)
class Window:
    since: dt.datetime
    until: dt.datetime
    reading: Reading


def filter_of(monitor: Monitor, now: dt.datetime) -> UsageFilter:
    """The window that ends now."""
    subjects = {name: getattr(monitor, f"{name}_id") for name in SUBJECTS}
    since = now - dt.timedelta(minutes=monitor.window)
    return UsageFilter(since=since, until=now, source=monitor.source or None, **subjects)


def reading(monitor: Monitor, now: dt.datetime) -> Reading:
    """Open the scope around it."""
    measure = MEASURES[monitor.measure]
    return _judged(monitor, measure.read(filter_of(monitor, now)))


def windows(monitor: Monitor, now: dt.datetime) -> list[Window]:
    """Those before now, one after another: of a day for short windows, of a week, or the last dozen. They end at
    quarters of an hour, where numbers are at hand."""
    span, count, end = dt.timedelta(minutes=monitor.window), how_many(monitor.window), quarter_before(now)
    starts = [end - span * number for number in range(count, 0, -1)]
    whole = replace(filter_of(monitor, end), since=starts[0])
    readings = MEASURES[monitor.measure].read_many(whole, starts)
    found = zip(starts, [*starts[1:], end], readings, strict=True)
    return [Window(since, until, _judged(monitor, one)) for since, until, one in found]


def how_many(window: int) -> int:
    if window < MonitorWindow.HOUR:
        return DAY // window
    return max(7 * DAY // window, 12 if window < MonitorWindow.MONTH else 6)


def _judged(monitor: Monitor, found: Reading) -> Reading:
    least = monitor.min_calls
    if not MEASURES[monitor.measure].of_nothing:
        least = max(1, least)
    return found.with_at_least(0 if monitor.measure == "calls" else least)


def firing(rows: QuerySet[Monitor]) -> QuerySet[Monitor]:
    """Those that warn or alarm now; without those that are off."""
    return rows.filter(enabled=True, state__in=MONITOR_FIRING)


def events(monitor: Monitor) -> list[MonitorEvent]:
    return list(MonitorEvent.objects.filter(monitor=monitor).select_related("by")[:SHOWN])


def deliveries(monitor: Monitor) -> list[MonitorDelivery]:
    return list(MonitorDelivery.objects.filter(monitor=monitor)[:SHOWN])
