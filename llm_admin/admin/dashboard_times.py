"""Ranges and bars in words, as the reader's clock shows them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.formats import date_format

from llm_admin.selectors.periods import CALENDAR, ROLLING, Period, Unit
from llm_admin.selectors.usage import Bucket

DAY, CLOCK = "D j M Y", "H:i"


def heading(period: Period) -> str:
    """What is shown: "Last 7 days"; of a picked range its days or hours."""
    if period.key in ROLLING:
        return f"Last {ROLLING[period.key].label}"
    if period.key in CALENDAR:
        return CALENDAR[period.key]
    return exact(period)


def exact(period: Period) -> str:
    """ "Mon 16 Nov 2026 – Sun 22 Nov 2026", "Tue 17 Nov 2026, 14:00 – 15:00"."""
    if period.first and period.last:
        first, last = date_format(period.first, DAY), date_format(period.last, DAY)
        return first if first == last else f"{first} – {last}"
    since, until = timezone.localtime(period.since), timezone.localtime(period.until)
    begin = f"{date_format(since, DAY)}, {clock(since)}"
    same = since.date() == until.date()
    return f"{begin} – {clock(until)}" if same else f"{begin} – {date_format(until, DAY)}, {clock(until)}"


def label(start: dt.datetime, unit: Unit) -> str:
    """At the axis, as short as it may be."""
    local = timezone.localtime(start)
    if unit in ("quarter", "hour"):
        return clock(local)
    return date_format(local, "M Y" if unit == "month" else "j M")


def title(bucket: Bucket, period: Period) -> str:
    """In tooltips and tables; it says when a bar is only a part of its hour, day, week or month."""
    start, end = timezone.localtime(bucket.start), timezone.localtime(bucket.end)
    so_far = ", so far" if bucket.end == period.until and not _on_boundary(end, period.unit) else ""
    if period.unit in ("quarter", "hour"):
        until = "" if so_far else f"–{clock(end)}"
        return f"{date_format(start, 'D j M')}, {clock(start)}{until}{so_far}"
    cut = f", from {clock(start)}" if bucket.start == period.since and start.time() != dt.time() else ""
    words = {"day": "D j M", "week": r"\W\e\e\k \o\f j M", "month": "F Y"}[period.unit]
    if period.unit == "week" and bucket.start == period.since and start.weekday():
        words = r"\F\r\o\m j M"
    return f"{date_format(start, words)}{cut}{so_far}"


def _on_boundary(local: dt.datetime, unit: Unit) -> bool:
    if unit == "quarter":
        return not (local.minute % 15 or local.second or local.microsecond)
    return local.time() == dt.time() if unit != "hour" else not (local.minute or local.second or local.microsecond)


def clock(local: dt.datetime) -> str:
    """The time of day; in the hour that a change of the clock repeats, with the name of its time."""
    said = date_format(local, CLOCK)
    return f"{said} {local.tzname()}" if _repeated(local) else said


def _repeated(local: dt.datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def zone_name() -> str:
    zone = timezone.get_current_timezone()
    return zone.key if isinstance(zone, ZoneInfo) else str(zone)
