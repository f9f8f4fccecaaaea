"""What a monitor decides, by a clock: once, again after so many hours, and when it is over."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_admin.choices import MONITOR_FIRING, MonitorState, NoData
from llm_admin.services.monitor_rules import HOUR, REMINDED, Rules, Standing, Tell, decide, judged

START = dt.datetime(2026, 3, 28, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
OK, WARN, ALARM, NO_DATA, UNKNOWN = "ok", "warn", "alarm", "no_data", "unknown"
BOTH = Rules(warn=20, alarm=50)


def follow(rules, values, *, step=MINUTE, muted=lambda number: False, standing=None):
    """[(state, told)] after each look."""
    standing, found = standing or Standing(), []
    for number, value in enumerate(values):
        value = None if value is None else Fraction(value)
        decision = decide(rules, standing, value, START + number * step, muted=muted(number))
        standing = decision.standing
        found.append((standing.state, decision.tell))
    return found


def tells(*arguments, **more):
    return [tell.value if tell else "" for _, tell in follow(*arguments, **more)]


class TestLevels:
    @pytest.mark.parametrize(
        ("value", "state"),
        [("0", OK), ("20", OK), ("20.0001", WARN), ("50", WARN), ("50.0001", ALARM), ("1e30", ALARM)],
    )
    def test_above_means_more_than(self, value, state):
        assert judged(BOTH, Fraction(value), OK) == state

    @pytest.mark.parametrize(("value", "state"), [("60", OK), ("50", OK), ("49", WARN), ("20", WARN), ("19", ALARM)])
    def test_below_means_less_than(self, value, state):
        assert judged(Rules(warn=50, alarm=20, direction="below"), Fraction(value), OK) == state

    def test_a_share_is_compared_exactly(self):
        third = Fraction(100_000, 3)
        assert judged(Rules(alarm=33_333), third, OK) == ALARM
        assert judged(Rules(alarm=33_334), third, OK) == OK

    @pytest.mark.parametrize(("rules", "state"), [(Rules(alarm=5), ALARM), (Rules(warn=5), WARN)])
    def test_either_level_may_be_missing(self, rules, state):
        assert judged(rules, Fraction(6), OK) == state


class TestTheClock:
    def test_it_fires_once_and_recovers_once(self):
        assert tells(BOTH, [0, 60, 70, 80, 0, 0]) == ["", "change", "", "", "recovery", ""]

    def test_it_gets_worse_and_better(self):
        found = follow(BOTH, [30, 60, 30, 0])
        assert [state for state, _ in found] == [WARN, ALARM, WARN, OK]
        assert [tell for _, tell in found] == [Tell.CHANGE, Tell.CHANGE, Tell.CHANGE, Tell.RECOVERY]

    def test_no_word_of_a_recovery_that_nobody_wants(self):
        assert tells(replace(BOTH, tell_recovery=False), [60, 0, 60]) == ["change", "", "change"]

    def test_reminders(self):
        hourly = [60] * 7
        assert tells(replace(BOTH, remind_hours=2), hourly, step=HOUR) == [
            "change", "", "reminder", "", "reminder", "", "reminder",
        ]  # fmt: skip
        assert tells(BOTH, hourly, step=HOUR) == ["change"] + [""] * 6
        assert tells(replace(BOTH, remind_hours=1), [30] * 4, step=HOUR) == ["change", "", "", ""], (
            "a warning is told once"
        )

    def test_several_looks_that_agree(self):
        three = replace(BOTH, in_a_row=3)
        assert tells(three, [0, 60, 60, 0, 60, 60, 60, 0, 0, 60, 0, 0, 0]) == [
            "", "", "", "", "", "", "change", "", "", "", "", "", "recovery",
        ]  # fmt: skip
        assert [state for state, _ in follow(three, [0, 30, 60, 30])] == [OK, OK, OK, WARN], "worse is worse"
        assert follow(three, [0])[0][0] == OK, "that all is well is believed at once"

    @pytest.mark.parametrize(
        ("mode", "states", "told"),
        [
            (NoData.KEEP, [ALARM, ALARM, OK, OK], ["change", "", "recovery", ""]),
            (NoData.OK, [ALARM, OK, OK, OK], ["change", "recovery", "", ""]),
            (NoData.ALARM, [ALARM, NO_DATA, OK, NO_DATA], ["change", "change", "recovery", "change"]),
        ],
    )
    def test_no_data(self, mode, states, told):
        rules, values = replace(BOTH, no_data=mode), [60, None, 0, None]
        assert [state for state, _ in follow(rules, values)] == states
        assert tells(rules, values) == told

    def test_nothing_is_known_until_there_is_something_to_judge(self):
        assert follow(BOTH, [None, None, 0]) == [(UNKNOWN, None), (UNKNOWN, None), (OK, None)]

    def test_muted(self):
        def looks(first, last):
            return lambda number: first <= number <= last

        assert tells(BOTH, [0, 60, 60, 60], muted=looks(1, 2)) == ["", "", "", "change"], "it still lasts afterwards"
        assert tells(BOTH, [0, 60, 60, 0, 0], muted=looks(1, 2)) == [""] * 5, "it came and went"
        assert tells(BOTH, [60, 60, 0, 0], muted=looks(1, 2)) == ["change", "", "", ""]
        assert tells(BOTH, [60, 60, 60, 60], muted=looks(1, 2)) == ["change", "", "", ""], "known already"
        assert [state for state, _ in follow(BOTH, [0, 60], muted=looks(0, 9))] == [OK, ALARM]


numbers = st.one_of(st.none(), st.integers(0, 100), st.fractions(0, 100))
rulings = st.builds(
    Rules,
    warn=st.none() | st.integers(0, 49),
    alarm=st.none() | st.integers(50, 100),
    no_data=st.sampled_from(NoData.values),
    in_a_row=st.integers(1, 4),
    remind_hours=st.none() | st.integers(1, 5),
    tell_recovery=st.booleans(),
)
looks = st.lists(st.tuples(numbers, st.integers(1, 400), st.booleans()), min_size=1, max_size=60)


@given(rulings, looks)
def test_whatever_happens(rules, steps):
    """Told iff it changed since people were told, or a reminder is due; never while muted; never of nothing new."""
    standing, now, told_state, told_at = Standing(), START, "", None
    for value, minutes, muted in steps:
        now += minutes * MINUTE
        value = None if value is None else Fraction(value)
        decision = decide(rules, standing, value, now, muted=muted)
        after = decision.standing
        firing = after.state in MONITOR_FIRING
        if muted:
            assert decision.tell is None
            told_state = told_state if firing else ""
        elif decision.tell is Tell.CHANGE:
            assert firing
            assert after.state != told_state
        elif decision.tell is Tell.REMINDER:
            assert after.state == told_state
            assert after.state in REMINDED
            assert now - told_at >= rules.remind_hours * HOUR
        elif decision.tell is Tell.RECOVERY:
            assert told_state
            assert not firing
            assert rules.tell_recovery
        else:
            assert told_state == (after.state if firing else told_state)
            late = told_at and rules.remind_hours and now - told_at >= rules.remind_hours * HOUR
            assert not (firing and after.state in REMINDED and late)
        if decision.tell:
            told_at = now
        if not muted:
            told_state = after.state if firing else ""
        assert after.since == (now if after.state != standing.state else standing.since)
        assert abs(after.pending) < max(rules.in_a_row, 2)
        assert decide(rules, standing, value, now, muted=muted) == decision, "pure"
        assert after.state in (MonitorState.UNKNOWN, standing.state, judged(rules, value, standing.state))
        standing = after
