"""Days, weeks and months of budgets, and what is left of them."""

from __future__ import annotations

import datetime as dt

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from llm_admin.models import (
    BudgetUse,
)
from llm_admin.selectors import budgets as selector
from llm_admin.selectors.budget_periods import span_of
from llm_admin.services import budgets
from tests import factories
from tests.log_rows import log
from tests.services.budget_calls import NANO, ask, budget, end, make, run, use

pytestmark = pytest.mark.django_db(transaction=True)


class TestPeriods:
    @pytest.mark.parametrize(
        ("zone", "period", "moment", "first", "hours"),
        [
            ("UTC", "day", "2026-11-23T12:00Z", "2026-11-23", 24),
            ("UTC", "week", "2026-11-22T23:59Z", "2026-11-16", 168),
            ("UTC", "week", "2026-11-23T00:00Z", "2026-11-23", 168),
            ("UTC", "month", "2026-02-28T23:59Z", "2026-02-01", 28 * 24),
            ("UTC", "month", "2024-02-29T12:00Z", "2024-02-01", 29 * 24),
            ("UTC", "month", "2026-12-31T23:59Z", "2026-12-01", 31 * 24),
            ("Europe/Berlin", "day", "2026-03-29T12:00Z", "2026-03-29", 23),  # the clocks go forward
            ("Europe/Berlin", "day", "2026-10-25T12:00Z", "2026-10-25", 25),  # and back
            ("Europe/Berlin", "week", "2026-10-19T12:00Z", "2026-10-19", 169),
            ("Europe/Berlin", "day", "2026-11-22T23:30Z", "2026-11-23", 24),
            ("America/Santiago", "day", "2026-09-06T12:00Z", "2026-09-06", 23),  # there is no midnight on this day
            ("Pacific/Auckland", "month", "2026-10-31T11:30Z", "2026-11-01", 30 * 24),
        ],
    )
    def test_by_the_local_clocks(self, settings, zone, period, moment, first, hours):
        settings.TIME_ZONE = zone
        at = dt.datetime.fromisoformat(moment)
        span = span_of(period, at)
        assert span.starts_on.isoformat() == first
        assert (span.end - span.start) == dt.timedelta(hours=hours)
        assert span.start <= at < span.end
        assert span_of(period, span.end).start == span.end  # one after the other, without a gap
        assert span_of(period, span.end - dt.timedelta(microseconds=1)) == span

    async def test_a_new_period_begins_empty(self, scope):
        made = await make(scope, limit=1, period="day")
        yesterday = timezone.now() - dt.timedelta(days=1)
        await end(await ask(run(scope), started_at=yesterday))
        await ask(run(scope))
        rows = await sync_to_async(list)(BudgetUse.objects.filter(budget=made).values_list("used", "reserved"))
        assert rows == [(0, 1), (1, 0)]

    async def test_a_call_over_midnight_counts_when_it_began(self, scope):
        made = await make(scope, limit=5, period="day")
        begun = await ask(run(scope), started_at=timezone.now() - dt.timedelta(days=1))
        await end(begun)
        assert (await sync_to_async(selector.standings)([made]))[0].used == 0

    def test_made_in_the_middle_it_has_what_was_used_already(self, scope, member):
        ann = member(username="ann")
        begin = span_of("month", timezone.now()).start
        log(scope, at=begin, cost_nano=5, input_tokens=1, output_tokens=2, user=ann)
        log(scope, at=begin, cost_nano=None, input_tokens=None)
        log(scope, at=begin - dt.timedelta(seconds=1), cost_nano=1000)
        log(scope, at=begin, cost_nano=0, cached=True)
        log(scope, at=begin, cost_nano=None, status="failed", error_kind="rate_limit")
        log(factories.workspace(), at=begin, cost_nano=1000)
        money, tokens, calls, anns = (
            use(budget(scope, name=name, limit=NANO, **values))
            for name, values in {
                "money": {"unit": "money"},
                "tokens": {"unit": "tokens"},
                "calls": {"unit": "calls"},
                "ann": {"unit": "calls", "scope": "user", "user": ann},
            }.items()
        )
        assert (money.used, money.unknown_calls) == (5, 1)
        assert (tokens.used, tokens.unknown_calls) == (3, 1)
        assert (calls.used, calls.unknown_calls, anns.used) == (2, 0, 1)

    def test_switched_on_again_it_has_what_was_used_meanwhile(self, scope, system):
        made = budget(scope)
        made.enabled = False
        budgets.save(made, actor=system)
        log(scope), log(scope)
        made.enabled = True
        budgets.save(made, actor=system)
        assert use(made).used == 2

    def test_the_projection_waits_for_a_tenth_of_the_period(self, scope):
        made = budget(scope, unit="tokens", limit=1000)
        BudgetUse.objects.update(used=100)
        one = selector.standings([made])[0]
        length = one.span.end - one.span.start
        assert one.projected(one.span.start + length / 20) is None
        assert one.projected(one.span.start + length / 4) == 400
        assert one.projected(one.span.end) == 100
