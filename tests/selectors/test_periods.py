from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from llm_admin.selectors import periods

UTC = dt.UTC


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_bars_begin_at_the_period_itself_and_then_at_full_hours():
    found = periods.starts(at("2026-03-02 10:20"), at("2026-03-02 13:05"), "hour")
    assert found == [at("2026-03-02 10:20"), at("2026-03-02 11:00"), at("2026-03-02 12:00"), at("2026-03-02 13:00")]


def test_days_begin_at_midnight_of_the_reader():
    with timezone.override(ZoneInfo("America/New_York")):
        found = periods.starts(at("2026-03-02 12:00"), at("2026-03-04 12:00"), "day")
    assert found == [at("2026-03-02 12:00"), at("2026-03-03 05:00"), at("2026-03-04 05:00")]


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [("2026-03-28 23:00", "2026-03-29 22:00", 23), ("2026-10-24 22:00", "2026-10-25 23:00", 25)],
    ids=["clock goes forward", "clock goes back"],
)
def test_a_day_of_a_clock_change_has_all_its_hours_and_one_bar_as_a_day(since, until, hours):
    with timezone.override(ZoneInfo("Europe/Berlin")):
        assert len(periods.starts(at(since), at(until), "hour")) == hours
        assert periods.starts(at(since), at(until), "day") == [at(since)]


def test_a_full_hour_does_not_begin_two_bars():
    assert periods.starts(at("2026-03-02 10:00"), at("2026-03-02 12:00"), "hour") == [
        at("2026-03-02 10:00"),
        at("2026-03-02 11:00"),
    ]


@pytest.mark.parametrize(
    ("since", "until", "unit", "first"),
    [
        ("2026-03-02 10:20", "2026-03-02 11:05", "quarter", ["10:20", "10:30", "10:45", "11:00"]),
        ("2026-03-04 00:00", "2026-03-20 00:00", "week", ["03-04", "03-09", "03-16"]),
        ("2026-01-20 00:00", "2026-04-02 00:00", "month", ["01-20", "02-01", "03-01", "04-01"]),
    ],
)
def test_quarters_weeks_and_months(since, until, unit, first):
    found = periods.starts(at(since), at(until), unit)
    assert [f"{one:%H:%M}" if unit == "quarter" else f"{one:%m-%d}" for one in found] == first


def test_half_an_hour_that_is_repeated_ends_nothing_twice():
    """Lord Howe Island puts its clocks back by 30 minutes: at 02:00, to 01:30."""
    with timezone.override(ZoneInfo("Australia/Lord_Howe")):
        found = periods.starts(at("2026-04-04 13:00"), at("2026-04-05 13:30"), "hour")
    assert len(found) == len(set(found)) == 25
    assert found == sorted(found)


@pytest.mark.parametrize(
    "zone", ["UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo", "America/Havana", "Pacific/Apia"]
)
@pytest.mark.parametrize("unit", ["quarter", "hour", "day", "week", "month"])
def test_every_bar_begins_at_a_quarter_of_an_hour(zone, unit):
    with timezone.override(ZoneInfo(zone)):
        since = periods.chosen(None, "2026-03-20", "2026-05-02").since
        found = periods.starts(since, since + dt.timedelta(days=45), unit)
    assert [one for one in found if periods.quarter_before(one) != one] == []
    assert len(found) > 1


def test_an_unknown_range_is_the_default_one():
    assert periods.chosen("nonsense").key == periods.chosen(None).key == "7d"


@pytest.mark.parametrize("key", [*periods.ROLLING, *periods.CALENDAR])
def test_a_named_range_begins_at_a_quarter_and_ends_now_or_at_midnight(key):
    found = periods.chosen(key)
    now = timezone.now()
    assert found.since == periods.quarter_before(found.since)
    assert found.until <= now
    assert now - found.until < dt.timedelta(minutes=1) or found.until.time() == dt.time()


def test_the_last_24_hours_are_no_days():
    found = periods.rolling("24h", at("2026-03-04 12:20"))
    assert (found.since, found.until) == (at("2026-03-03 12:15"), at("2026-03-04 12:20"))


@pytest.mark.parametrize(("key", "first"), [("7d", "2026-03-03"), ("30d", "2026-02-08"), ("90d", "2025-12-10")])
def test_so_many_days_are_today_and_those_before_of_the_reader(key, first):
    with timezone.override(ZoneInfo("America/New_York")):
        found = periods.rolling(key, at("2026-03-10 01:20"))  # there it is still the 9th, and summer since the 8th
        assert found.since == timezone.make_aware(dt.datetime.fromisoformat(first))
        bars = periods.starts(found.since, found.until, "day")
    assert (found.until, len(bars)) == (at("2026-03-10 01:20"), int(key[:-1]))


def test_the_week_before_this_one():
    found = periods.chosen("last-week")
    assert (found.first.weekday(), found.last.weekday()) == (0, 6)
    assert (timezone.localdate() - found.last).days == timezone.localdate().weekday() + 1
    assert found.before == "the 7 days before"


@pytest.mark.parametrize(
    ("days", "unit"), [(0, "hour"), (2, "hour"), (3, "day"), (119, "day"), (120, "week"), (800, "month")]
)
def test_bars_are_as_fine_as_can_be_read(days, unit):
    first = dt.date(2020, 1, 1)
    assert periods.chosen(None, str(first), str(first + dt.timedelta(days=days))).unit == unit


def test_a_picked_day_is_the_readers():
    with timezone.override(ZoneInfo("America/New_York")):
        found = periods.chosen(None, "2026-03-08", "2026-03-08")  # the clocks go forward
    assert (found.since, found.until) == (at("2026-03-08 05:00"), at("2026-03-09 04:00"))
    assert found.query == {"from": "2026-03-08", "to": "2026-03-08"}


def test_ways_out_of_a_picked_range():
    hour = periods.chosen(None, "2026-03-03T14:00Z", "2026-03-03T15:00Z")
    assert hour.before == "the hour before"
    assert periods.moved(hour, -1).query == {"from": "2026-03-03T13:00Z", "to": "2026-03-03T14:00Z"}
    day = periods.wider(hour)
    week = periods.wider(day)
    month = periods.wider(week)
    assert [one.query["from"] for one in (day, week, month)] == ["2026-03-03", "2026-03-02", "2026-03-01"]
    assert periods.wider(month) is None
    assert periods.moved(month, -1).query == {"from": "2026-02-01", "to": "2026-02-28"}
    assert periods.moved(periods.chosen("today"), 1) is None, "it has not begun"
