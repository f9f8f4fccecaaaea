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


def test_an_unknown_range_is_the_default_one():
    assert periods.chosen("nonsense").key == periods.chosen(None).key == "7d"
    assert periods.chosen("24h").span == dt.timedelta(hours=24)
