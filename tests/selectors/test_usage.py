from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from django_scopes import ScopeError

from llm_admin.choices import CallStatus, ErrorKind
from llm_admin.models import InteractionLog, LanguageModel
from llm_admin.selectors import periods, usage
from llm_admin.selectors.usage import Totals, UsageFilter
from tests import factories, usage_by_hand
from tests.log_rows import log, unsaved

UNTIL = dt.datetime(2026, 5, 20, 14, 30, tzinfo=dt.UTC)
WEEK = UsageFilter(since=UNTIL - dt.timedelta(days=7), until=UNTIL)
HOUR = dt.timedelta(hours=1)


def fill(where, count, seed=3, *, days=14):
    """Calls of all kinds over two weeks."""
    rng = random.Random(seed)
    endings = [(CallStatus.SUCCEEDED, ""), (CallStatus.FAILED, ErrorKind.TIMEOUT), (CallStatus.FAILED, "rate_limit")]
    endings += [(CallStatus.CANCELLED, ErrorKind.CANCELLED), (CallStatus.INTERRUPTED, ErrorKind.INTERRUPTED)]
    made = []
    for _ in range(count):
        status, kind = rng.choice(endings)
        known = rng.random() < 0.7
        made.append(
            unsaved(
                where,
                at=UNTIL - dt.timedelta(seconds=rng.randrange(1, days * 86_400)),
                status=status,
                error_kind=kind,
                model_id=rng.choice([1, 2, None]),
                prompt_id=rng.choice([7, 8]),
                cost_nano=rng.randrange(10**7) if known else None,
                input_tokens=rng.randrange(1000) if known else None,
                output_tokens=rng.randrange(1000) if known else None,
                latency_ms=rng.randrange(1, 60_000),
            )
        )
    return InteractionLog.objects.bulk_create(made)


def between(rows, since, until):
    return [row for row in rows if since <= row.created_at < until]


@pytest.mark.parametrize("count", [0, 1, 2, 19, 20, 21, 300])
def test_totals_equal_the_raw_rows(scope, count):
    rows = fill(scope, count)
    assert usage.totals(WEEK) == usage_by_hand.totals(between(rows, WEEK.since, WEEK.until))


def test_a_report_has_the_period_and_the_one_before(scope):
    rows = fill(scope, 300)
    report = usage.report(WEEK, periods.starts(WEEK.since, WEEK.until, "day"))
    assert report.totals == usage.totals(WEEK) == usage_by_hand.totals(between(rows, WEEK.since, WEEK.until))
    assert report.before == usage_by_hand.totals(between(rows, WEEK.since - dt.timedelta(days=7), WEEK.since))
    assert report.before.calls, "the test would show nothing"


@pytest.mark.parametrize("unit", ["hour", "day"])
def test_each_bar_equals_its_rows(scope, unit):
    rows = fill(scope, 300)
    starts = periods.starts(WEEK.since, WEEK.until, unit)
    report = usage.report(WEEK, starts)
    assert report.buckets == usage.series(WEEK, starts)
    assert [bucket.start for bucket in report.buckets] == starts
    for bucket in report.buckets:
        mine = between(rows, bucket.start, bucket.end)
        assert bucket.totals == usage_by_hand.totals(mine)
        assert bucket.errors == Counter(row.error_kind for row in mine if row.status == "failed")
        costs = Counter()
        for row in mine:
            if row.cost_nano is not None:
                costs[row.model_id] += row.cost_nano
        assert bucket.cost_by_model == costs


def test_bars_follow_the_readers_clock_when_it_changes(scope):
    berlin = ZoneInfo("Europe/Berlin")
    since = dt.datetime(2026, 10, 24, 12, tzinfo=dt.UTC)
    moments = [since + n * dt.timedelta(minutes=10) for n in range(300)]
    InteractionLog.objects.bulk_create([unsaved(scope, at=moment) for moment in moments])
    chosen = UsageFilter(since=since, until=since + dt.timedelta(minutes=3000))
    with timezone.override(berlin):
        buckets = usage.series(chosen, periods.starts(chosen.since, chosen.until, "day"))
    expected = Counter(moment.astimezone(berlin).date() for moment in moments)
    assert {bucket.start.astimezone(berlin).date(): bucket.totals.calls for bucket in buckets} == expected
    assert expected[dt.date(2026, 10, 25)] == 25 * 6


def test_the_beginning_counts_and_the_end_does_not(scope):
    log(scope, at=WEEK.since)
    log(scope, at=WEEK.until)
    assert usage.totals(WEEK).calls == 1
    assert usage.totals(WEEK.before()).calls == 0


def test_stopped_calls_are_no_errors(scope):
    for status in CallStatus.values:
        log(scope, at=UNTIL - HOUR, status=status)
    found = usage.totals(WEEK)
    assert (found.calls, found.errors, found.stopped) == (4, 1, 2)


def test_an_unknown_cost_is_counted_and_is_not_zero(scope):
    log(scope, at=UNTIL - HOUR, cost_nano=None)
    assert (usage.totals(WEEK).cost_nano, usage.totals(WEEK).unknown_cost) == (None, 1)
    log(scope, at=UNTIL - HOUR, cost_nano=0)
    assert (usage.totals(WEEK).cost_nano, usage.totals(WEEK).unknown_cost) == (0, 1)


def test_nothing_cost_nothing(scope):
    assert usage.totals(WEEK) == Totals()


@pytest.mark.parametrize("dimension", ["prompt", "workflow", "model", "user"])
def test_filters(scope, dimension):
    log(scope, at=UNTIL - HOUR, **{f"{dimension}_id": 5})
    log(scope, at=UNTIL - HOUR, **{f"{dimension}_id": 6})
    assert usage.totals(replace(WEEK, **{dimension: 5})).calls == 1
    assert usage.totals(WEEK).calls == 2


def test_other_workspaces_do_not_count_and_none_is_an_error(scope):
    log(factories.workspace(), at=UNTIL - HOUR)
    assert usage.totals(WEEK).calls == 0


def test_outside_of_a_workspace_there_are_no_numbers(db):
    with pytest.raises(ScopeError):
        usage.totals(WEEK)


def test_names_of_models(scope):
    model = LanguageModel.objects.get(alias="demo")
    assert usage.model_names([model.pk, 999_999, None]) == {
        model.pk: "Demo model",
        999_999: "Deleted model",
        None: "Unknown model",
    }
