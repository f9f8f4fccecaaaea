"""The time ranges that people pick, and how a chart cuts them into hours or days of the reader's time zone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from django.utils import timezone

HOUR = dt.timedelta(hours=1)
Unit = Literal["hour", "day"]


@dataclass(frozen=True)
class Period:
    """`label` completes "the last ..." and "the ... before"."""

    key: str
    label: str
    short: str
    span: dt.timedelta
    unit: Unit


PERIODS = {
    period.key: period
    for period in (
        Period("24h", "24 hours", "24 h", dt.timedelta(hours=24), "hour"),
        Period("7d", "7 days", "7 days", dt.timedelta(days=7), "day"),
        Period("30d", "30 days", "30 days", dt.timedelta(days=30), "day"),
    )
}
DEFAULT_PERIOD = "7d"


def chosen(key: str | None) -> Period:
    """The default one for a key that we do not know: a mistyped address shows something useful."""
    return PERIODS.get(key or "", PERIODS[DEFAULT_PERIOD])


def starts(since: dt.datetime, until: dt.datetime, unit: Unit) -> list[dt.datetime]:
    """Where the bars of a chart begin: at `since` itself, then at every full hour or midnight before `until`."""
    found = [since]
    boundary = _next(since, unit)
    while boundary < until:
        found.append(boundary)
        boundary = _next(boundary, unit)
    return found


def _next(moment: dt.datetime, unit: Unit) -> dt.datetime:
    local = timezone.localtime(moment)
    if unit == "hour":  # in UTC, so that the hour which a clock change repeats is not skipped
        return local.replace(minute=0, second=0, microsecond=0).astimezone(dt.UTC) + HOUR
    midnight = dt.datetime.combine(local.date() + dt.timedelta(days=1), dt.time(), tzinfo=local.tzinfo)
    return midnight.astimezone(dt.UTC)
