"""The time ranges that people pick, in the reader's time zone, and how a chart cuts them into bars.

Every range begins at a quarter of an hour, as the bars do; one that goes on until now ends now.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Literal

from django.utils import timezone
from django.utils.dateparse import parse_date

QUARTER, HOUR, DAY = dt.timedelta(minutes=15), dt.timedelta(hours=1), dt.timedelta(days=1)
Unit = Literal["quarter", "hour", "day", "week", "month"]
# The longest range, with a little more for a change of the clock, that is cut into each unit.
UNITS: tuple[tuple[dt.timedelta, Unit], ...] = (
    (3 * HOUR + QUARTER, "quarter"),
    (3 * DAY + 2 * HOUR, "hour"),
    (120 * DAY + 2 * HOUR, "day"),
    (731 * DAY, "week"),
)
EARLIEST = dt.date(2000, 1, 1)
MOST_DAYS = 1_830


@dataclass(frozen=True)
class Period:
    """`key`: of a named one, "" of a picked one. `first` and `last`: the days of one that has whole days.

    `label` completes "Numbers of ..."; `problem` says what was wrong with the wish that this one answers.
    """

    key: str
    label: str
    since: dt.datetime
    until: dt.datetime
    first: dt.date | None = None
    last: dt.date | None = None
    problem: str = ""

    @property
    def unit(self) -> Unit:
        span = self.until - self.since
        return next((unit for longest, unit in UNITS if span <= longest), "month")

    @property
    def before(self) -> str:
        """What it is compared with, completing "than in ..."."""
        if self.key in ROLLING:
            return f"the {ROLLING[self.key].label} before"
        return f"the {_length(self)} before"

    @property
    def query(self) -> dict[str, str]:
        """As the address has it."""
        if self.key:
            return {"range": self.key}
        if self.first and self.last:
            return {"from": self.first.isoformat(), "to": self.last.isoformat()}
        return {"from": _stamp(self.since), "to": _stamp(self.until)}


@dataclass(frozen=True)
class Rolling:
    label: str
    short: str
    span: dt.timedelta


ROLLING = {
    "24h": Rolling("24 hours", "24 h", DAY),
    "7d": Rolling("7 days", "7 days", 7 * DAY),
    "30d": Rolling("30 days", "30 days", 30 * DAY),
    "90d": Rolling("90 days", "90 days", 90 * DAY),
}
CALENDAR = {
    "today": "Today",
    "yesterday": "Yesterday",
    "this-week": "This week",
    "last-week": "Last week",
    "this-month": "This month",
    "last-month": "Last month",
}
DEFAULT = "7d"


def chosen(key: str | None = None, since: str | None = None, until: str | None = None) -> Period:
    """The range that an address names: by its key, or from and to. The default one for what nobody understands."""
    now = timezone.now()
    if since or until:
        return _picked(since or until or "", until or since or "", now)
    if key in CALENDAR:
        return _of_days(*_days_of(str(key), timezone.localdate(now)), now, key=str(key))
    return rolling(key if key in ROLLING else DEFAULT, now)


def rolling(key: str | None = DEFAULT, now: dt.datetime | None = None) -> Period:
    """So many days with today, or the hours up to now."""
    now = now or timezone.now()
    kind = ROLLING[key or DEFAULT]
    first = _midnight(timezone.localdate(now) - kind.span + DAY)
    since = first if kind.span > DAY else quarter_before(now - kind.span)
    return Period(key or DEFAULT, f"the last {kind.label}", since, now)


def starts(since: dt.datetime, until: dt.datetime, unit: Unit) -> list[dt.datetime]:
    """Where the bars of a chart begin: at `since` itself, then at every boundary of the unit before `until`."""
    found = [since]
    boundary = _next(since, unit)
    while boundary < until:
        found.append(boundary)
        boundary = _next(boundary, unit)
    return found


def wider(period: Period) -> Period | None:
    """The next larger range around a picked one: the hour's day, the day's week, the week's month."""
    if period.key in ROLLING:
        return None
    now, span = timezone.now(), period.until - period.since
    day = timezone.localdate(period.since)
    if span <= 3 * HOUR + QUARTER:
        return _of_days(day, day, now)
    if span <= DAY + HOUR:
        monday = day - dt.timedelta(days=day.weekday())
        return _of_days(monday, monday + dt.timedelta(days=6), now)
    if span <= 8 * DAY:
        return _of_days(*_month(day), now)
    return None


def moved(period: Period, steps: Literal[-1, 1]) -> Period | None:
    """The range of the same length beside a picked one; None where it has not begun yet."""
    if period.key in ROLLING:
        return None
    now = timezone.now()
    if period.first and period.last:
        found = _of_days(*_days_beside(period.first, period.last, steps), now)
    else:
        by = (period.until - period.since) * steps
        found = _of_moments(period.since + by, period.until + by, now)
    return None if found.problem or found.since >= now or found.since < _midnight(EARLIEST) else found


def bar(since: dt.datetime, until: dt.datetime, unit: Unit) -> Period | None:
    """The range of one bar; None where it is not cut any further."""
    if unit == "quarter":
        return None
    now = timezone.now()
    if unit == "hour":
        return _of_moments(since, until, now)
    last = timezone.localdate(until - dt.timedelta(microseconds=1))
    return _of_days(timezone.localdate(since), last, now)


def quarter_before(moment: dt.datetime) -> dt.datetime:
    """In every time zone of today full hours begin at full quarters of UTC."""
    moment = moment.astimezone(dt.UTC)
    return moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)


def _picked(since: str, until: str, now: dt.datetime) -> Period:
    try:
        first, last = parse_date(since), parse_date(until)
        if first and last:
            return _of_days(first, last, now)
        return _of_moments(_moment(since), _moment(until, end=True), now)
    except (ValueError, OverflowError):
        return _refused("A time in the address is no time.", now)


def _moment(text: str, *, end: bool = False) -> dt.datetime:
    if day := parse_date(text):
        return _midnight(day + dt.timedelta(days=end))
    moment = dt.datetime.fromisoformat(text)
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _of_days(first: dt.date, last: dt.date, now: dt.datetime, *, key: str = "") -> Period:
    if problem := _wrong(first, last, now):
        return _refused(problem, now)
    until = min(_midnight(last + dt.timedelta(days=1)), now)
    label = CALENDAR[key].lower() if key else "the picked time"
    return Period(key, label, quarter_before(_midnight(first)), until, first, last)


def _of_moments(since: dt.datetime, until: dt.datetime, now: dt.datetime) -> Period:
    since, end = quarter_before(since), quarter_before(until)
    end = min(end if end == until else end + QUARTER, now)
    if problem := _wrong(timezone.localdate(since), timezone.localdate(end), now, backwards=since >= end):
        return _refused(problem, now)
    return Period("", "the picked time", since, end)


def _wrong(first: dt.date, last: dt.date, now: dt.datetime, *, backwards: bool = False) -> str:
    if first > timezone.localdate(now):
        return "That time is still to come."
    if backwards or first > last:
        return "The first day is after the last one."
    if first < EARLIEST or (last - first).days > MOST_DAYS:
        return "That is too long: pick at most five years, not before the year 2000."
    return ""


def _refused(problem: str, now: dt.datetime) -> Period:
    return replace(rolling(DEFAULT, now), problem=problem)


def _days_of(key: str, today: dt.date) -> tuple[dt.date, dt.date]:
    monday = today - dt.timedelta(days=today.weekday())
    week, yesterday = dt.timedelta(days=7), today - DAY
    return {
        "today": (today, today),
        "yesterday": (yesterday, yesterday),
        "this-week": (monday, monday + week - DAY),
        "last-week": (monday - week, monday - DAY),
        "this-month": _month(today),
        "last-month": _month(today.replace(day=1) - DAY),
    }[key]


def _month(day: dt.date) -> tuple[dt.date, dt.date]:
    first = day.replace(day=1)
    return first, _next_month(first) - DAY


def _next_month(first: dt.date) -> dt.date:
    return (first + dt.timedelta(days=31)).replace(day=1)


def _days_beside(first: dt.date, last: dt.date, steps: int) -> tuple[dt.date, dt.date]:
    if (first, last) == _month(first):
        return _month(first - DAY if steps < 0 else last + DAY)
    by = (last - first + DAY) * steps
    return first + by, last + by


def _next(moment: dt.datetime, unit: Unit) -> dt.datetime:
    if unit == "quarter":
        return quarter_before(moment) + QUARTER
    local = timezone.localtime(moment)
    if unit == "hour":  # in UTC, so that the hour which a clock change repeats is not skipped
        past = dt.timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
        return moment.astimezone(dt.UTC) - past + HOUR
    days = {"day": 1, "week": 7 - local.weekday()}.get(unit)
    day = local.date()
    return _midnight(day + dt.timedelta(days=days) if days else _next_month(day.replace(day=1)))


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), tzinfo=timezone.get_current_timezone()).astimezone(dt.UTC)


def _length(period: Period) -> str:
    span = period.until - period.since
    days = (period.last - period.first).days + 1 if period.first and period.last else 0
    if days and period.until == _midnight((period.last or EARLIEST) + DAY):
        return "day" if days == 1 else f"{days} days"
    for unit, word in ((HOUR, "hour"), (dt.timedelta(minutes=1), "minute")):
        if not span % unit:
            return word if span == unit else f"{span // unit} {word}s"
    return "same length of time"


def _stamp(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%MZ")
