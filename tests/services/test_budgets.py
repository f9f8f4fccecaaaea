"""Budgets: what is let through, what is counted, and what people are told."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from llm_admin import RunFailed, arun_prompt
from llm_admin.choices import CallStatus, ErrorKind, Role
from llm_admin.exceptions import CallFailed, Conflict, InvalidInput, NotFound, PermissionRefused
from llm_admin.jobs.writer import WRITER
from llm_admin.models import (
    Budget,
    BudgetOverride,
    BudgetReservation,
    BudgetUse,
    Deployment,
    DeploymentPrice,
    InteractionLog,
    Run,
)
from llm_admin.selectors import budgets as selector
from llm_admin.selectors.budget_periods import span_of
from llm_admin.services import actors, budget_mails, budgets, catalogue
from llm_admin.services.budget_gate import expire
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.log_rows import log
from tests.services.budget_calls import NANO, ask, budget, call, end, model, refused, run

pytestmark = pytest.mark.django_db(transaction=True)
make = sync_to_async(budget)


def use(of: Budget) -> BudgetUse:
    return BudgetUse.objects.with_scopes_disabled().get(budget=of)


ause = sync_to_async(use)


def actor_of(where, person, role=Role.OPERATOR):
    return actors.Actor(where, person, role)


class TestTheGate:
    async def test_of_200_calls_at_once_20_are_let_through(self, scope):
        made = await make(scope)

        async def one():
            try:
                begun = await ask(run(scope))
            except CallFailed as error:
                return error.kind
            await asyncio.sleep(0.01)
            await end(begun)
            return None

        outcomes = await asyncio.gather(*(one() for _ in range(200)))
        assert outcomes.count(None) == 20
        assert outcomes.count(ErrorKind.BUDGET) == 180
        found = await ause(made)
        assert (found.used, found.reserved, found.refused_calls) == (20, 0, 180)

    async def test_money_is_reserved_by_estimate_and_settled_by_cost(self, scope):
        # Asked 100 tokens at $1/M, answered at most 1,000 at $2/M: 2,100,000 nano-dollars.
        made = await make(scope, unit="money", limit=3_000_000)
        first = await ask(run(scope))
        assert ((await ause(made)).reserved, (await ause(made)).used) == (2_100_000, 0)
        assert (await refused(run(scope))).kind == ErrorKind.BUDGET
        await end(first, cost_nano=500_000)
        found = await ause(made)
        assert (found.reserved, found.used) == (0, 500_000)
        await ask(run(scope))  # there is room again

    async def test_the_settings_say_how_long_an_answer_can_be(self, scope):
        made = await make(scope, unit="tokens", limit=10_000)
        await ask(run(scope), parameters={"max_tokens": 50})
        assert (await ause(made)).reserved == 150

    async def test_earlier_answers_to_the_version_say_how_long_one_will_be(self, scope):
        prompt = await sync_to_async(factories.prompt)(scope)
        for length in (10, 20, 30):
            await sync_to_async(log)(
                scope, prompt=prompt, prompt_version_id=7, model_id=1, output_tokens=length, input_tokens=0
            )
        made = await make(scope, unit="tokens", limit=10_000, scope="prompt", prompt=prompt)
        await ask(run(scope), prompt_id=prompt.pk, prompt_version_id=7)
        assert (await ause(made)).reserved == 130

    async def test_the_dearest_place_is_reserved_for(self, scope):
        made = await make(scope, unit="money", limit=NANO)
        await ask(run(scope), of_model=model(("1", "2"), None, ("10", "20")))
        assert (await ause(made)).reserved == 21_000_000

    async def test_a_call_without_a_known_price_is_let_through_and_counted(self, scope):
        made = await make(scope, unit="money", limit=NANO)
        await call(run(scope), of_model=model(None), cost_nano=None)
        found = await ause(made)
        assert (found.used, found.reserved, found.unknown_calls) == (0, 0, 1)

    async def test_nothing_of_unknown_price_is_let_through_when_it_is_used_up(self, scope):
        await sync_to_async(log)(scope, cost_nano=NANO)
        await make(scope, unit="money", limit=NANO)
        assert "is used up: $1.00" in (await refused(run(scope), of_model=model(None))).detail

    async def test_what_costs_nothing_is_let_through(self, scope):
        await sync_to_async(log)(scope, cost_nano=2 * NANO)
        await make(scope, unit="money", limit=NANO)
        await call(run(scope), of_model=model(("0", "0")), cost_nano=0)

    async def test_an_unknown_end_counts_what_was_reserved(self, scope):
        made = await make(scope, unit="money", limit=NANO)
        begun = await ask(run(scope), deployment_id=1)
        await end(begun, status=CallStatus.CANCELLED, error_kind=ErrorKind.CANCELLED, cost_nano=None)
        found = await ause(made)
        assert (found.used, found.reserved, found.unknown_calls) == (2_100_000, 0, 1)

    @pytest.mark.parametrize("unit", ["money", "tokens", "calls"])
    async def test_what_the_provider_refused_at_once_counts_nothing(self, scope, unit):
        made = await make(scope, unit=unit, limit=NANO)
        gone = {"first_token_ms": None, "cost_nano": None, "input_tokens": None, "output_tokens": None}
        await call(run(scope), status=CallStatus.FAILED, error_kind=ErrorKind.PROVIDER_DOWN, answer="", **gone)
        found = await ause(made)
        assert (found.used, found.reserved, found.unknown_calls) == (0, 0, 0)

    async def test_all_budgets_or_none(self, scope):
        wide = await make(scope, name="A wide", limit=5)
        narrow = await make(scope, name="B narrow", limit=1)
        begun = await ask(run(scope))
        assert "“B narrow”" in (await refused(run(scope))).detail
        assert ((await ause(wide)).reserved, (await ause(narrow)).reserved) == (1, 1)
        await end(begun)
        assert ((await ause(wide)).used, (await ause(narrow)).used) == (1, 1)
        assert ((await ause(wide)).refused_calls, (await ause(narrow)).refused_calls) == (0, 1)

    async def test_each_scope_counts_its_own_calls(self, scope, member):
        ann, bob = await sync_to_async(member)(username="ann"), await sync_to_async(member)(username="bob")
        prompt = await sync_to_async(factories.prompt)(scope)
        workflow = await sync_to_async(factories.workflow)(scope)
        group = await sync_to_async(Group.objects.create)(name="Interns")
        await sync_to_async(group.user_set.add)(bob)
        made = {
            "user": await make(scope, name="ann's", scope="user", user=ann),
            "group": await make(scope, name="interns'", scope="group", group=group),
            "prompt": await make(scope, name="prompt's", scope="prompt", prompt=prompt),
            "workflow": await make(scope, name="workflow's", scope="workflow", workflow=workflow),
        }

        async def used():
            return {scope: (await ause(one)).used for scope, one in made.items()}

        await call(run(scope, ann))
        assert await used() == {"user": 1, "group": 0, "prompt": 0, "workflow": 0}
        await call(run(scope, bob, workflow_id=workflow.pk))
        assert await used() == {"user": 1, "group": 1, "prompt": 0, "workflow": 1}
        await end(await ask(run(scope), prompt_id=prompt.pk))
        assert await used() == {"user": 1, "group": 1, "prompt": 1, "workflow": 1}

    async def test_another_workspace_is_not_counted(self, scope):
        other = await sync_to_async(factories.workspace)()
        made = await make(scope, limit=1)
        await call(run(other))
        await call(run(scope))
        assert (await ause(made)).used == 1
        assert await ask(run(other)) is not None

    async def test_a_call_that_gave_up_while_it_asked_keeps_nothing(self, scope):
        made = await make(scope)
        asking = asyncio.ensure_future(ask(run(scope)))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await WRITER.write(lambda: None)
        assert ((await ause(made)).reserved, (await ause(made)).used) == (0, 0)

    async def test_without_budgets_and_limits_the_database_is_not_asked(self, scope, monkeypatch):
        async def write(*_):
            raise AssertionError("asked")

        monkeypatch.setattr(catalogue, "LIFETIME", 600)
        await ask(run(scope))  # the rules are read once
        monkeypatch.setattr(WRITER, "write", write)
        assert (await ask(run(scope))).ticket is None

    async def test_a_budget_that_is_switched_off_refuses_nothing(self, scope):
        await make(scope, limit=1, enabled=False)
        assert (await ask(run(scope))).ticket is None


class TestRuns:
    """Real runs of the demo model, which costs something here."""

    @pytest.fixture
    def prompt(self, scope, request):
        deployment = Deployment.objects.get()
        deployment.provider_model = "demo:words=3:delay_ms=5"
        deployment.save()
        DeploymentPrice.objects.create(deployment=deployment, input_per_million=1, output_per_million=2)
        return factories.prompt(scope)

    @staticmethod
    async def outcome(prompt):
        try:
            await arun_prompt(prompt.slug, {"topic": "rain"})
        except RunFailed as error:
            return str(error)
        return ""

    async def test_of_200_runs_at_once_20_are_let_through(self, scope, prompt):
        made = await make(scope)
        outcomes = await asyncio.gather(*(self.outcome(prompt) for _ in range(200)))
        assert outcomes.count("") == 20
        assert all("the budget “Team” (without an owner" in words for words in outcomes if words)
        found = await ause(made)
        assert (found.used, found.reserved, found.refused_calls) == (20, 0, 180)
        assert await InteractionLog.objects.acount() == 20
        kinds = [kind async for kind in Run.objects.exclude(error_kind="").values_list("error_kind", flat=True)]
        assert kinds == ["budget"] * 180

    async def test_what_was_booked_is_what_was_logged(self, scope, prompt):
        made = await make(scope, unit="money", limit=NANO)
        tokens = await make(scope, name="Tokens", unit="tokens", limit=NANO)
        await asyncio.gather(*(self.outcome(prompt) for _ in range(5)))
        for one in (made, tokens):
            logged = await sync_to_async(selector.counted)(one, span_of("month", timezone.now()))
            assert (await ause(one)).used == logged.used > 0
        assert not await BudgetReservation.objects.aexists()

    async def test_money_is_not_overspent_by_calls_at_once(self, scope, prompt):
        made = await make(scope, unit="money", limit=20_000_000)
        outcomes = await asyncio.gather(*(self.outcome(prompt) for _ in range(40)))
        assert 0 < outcomes.count("") < 40
        assert (await ause(made)).used <= 20_000_000

    async def test_an_answer_from_the_cache_counts_nothing(self, scope, prompt):
        scope.cache_answers = "always"
        await sync_to_async(scope.save)()
        made = await make(scope, limit=1)
        assert [await self.outcome(prompt) for _ in range(3)] == [""] * 3
        assert (await ause(made)).used == 1

    async def test_a_stopped_run_gives_its_reservation_back(self, scope, prompt):
        deployment = await Deployment.objects.aget()
        deployment.provider_model = "demo:slow"
        await sync_to_async(deployment.save)()
        made = await make(scope, unit="money", limit=NANO)
        running = asyncio.ensure_future(self.outcome(prompt))
        while not (await BudgetReservation.objects.aexists()):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        found = await ause(made)
        assert (found.reserved, found.unknown_calls) == (0, 1)
        assert found.used > 0  # nobody knows what it cost


class TestTheSentence:
    async def test_it_names_the_budget_its_owner_the_rest_and_the_next_beginning(self, scope, member):
        olga = await sync_to_async(member)(Role.OPERATOR, "olga")
        await make(scope, unit="money", limit=NANO, owner=olga)
        await sync_to_async(log)(scope, cost_nano=999_000_000)
        await sync_to_async(BudgetUse.objects.all().update)(used=999_000_000)
        words = (await refused(run(scope))).detail
        end_of_it = span_of("month", timezone.now()).end
        assert words == (
            "the budget “Team” (owner: olga) has $0.001 of $1.00 left, and this may need $0.0021; "
            f"it begins anew on {end_of_it:%-d %B}, 00:00 UTC"
        )

    async def test_it_says_what_calls_that_run_have_set_aside(self, scope):
        await make(scope, limit=1)
        await ask(run(scope))
        words = (await refused(run(scope))).detail
        assert "(without an owner: ask an operator) is used up: 1 call, 1 call of it set aside for calls that" in words


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


class TestExpiry:
    async def test_what_a_dead_process_reserved_counts_as_used(self, scope):
        made, money = await make(scope, limit=1), await make(scope, name="Money", unit="money", limit=NANO)
        begun = await ask(run(scope))
        assert await WRITER.write(expire) == 0
        past = timezone.now() - dt.timedelta(seconds=1)
        await sync_to_async(BudgetReservation.objects.update)(expires_at=past)
        assert await WRITER.write(expire) == 2
        assert await WRITER.write(expire) == 0
        assert ((await ause(made)).used, (await ause(made)).reserved) == (1, 0)
        found = await ause(money)
        assert (found.used, found.reserved, found.unknown_calls) == (2_100_000, 0, 1)
        await end(begun)  # it lived after all: nothing is booked twice
        assert ((await ause(made)).used, (await ause(money)).used) == (1, 2_100_000)

    async def test_the_lease_is_longer_than_any_call(self, scope, settings):
        await make(scope)
        settings.LLM_ADMIN = {**settings.LLM_ADMIN, "CALL_TIMEOUT": 3600}
        await ask(run(scope))
        left = (await sync_to_async(BudgetReservation.objects.get)()).expires_at - timezone.now()
        assert left > dt.timedelta(hours=1)


class TestOverrides:
    async def test_more_is_allowed_in_this_period_and_on_record(self, scope, member):
        olga = await sync_to_async(member)(Role.OPERATOR, "olga")
        made = await make(scope, limit=1)
        await call(run(scope))
        await refused(run(scope))
        override = sync_to_async(budgets.override)
        await override(made, actor=actor_of(scope, olga), amount=1, reason="  Board   meeting ")
        await call(run(scope))
        await refused(run(scope))
        kept = await sync_to_async(BudgetOverride.objects.select_related("by").get)()
        assert (kept.amount, kept.by, kept.reason) == (1, olga, "Board meeting")

    @pytest.mark.parametrize(("amount", "reason"), [(0, "Why"), (-1, "Why"), (10**19, "Why"), (1, "  "), (1, "a\x00b")])
    def test_bad_input(self, scope, system, amount, reason):
        with pytest.raises(InvalidInput):
            budgets.override(budget(scope), actor=system, amount=amount, reason=reason)
        assert not BudgetOverride.objects.exists()

    def test_authors_may_not(self, scope, member):
        with pytest.raises(PermissionRefused):
            budgets.override(budget(scope), actor=actor_of(scope, member(), Role.AUTHOR), amount=1, reason="Please")

    def test_what_stays_on_record_is_not_deleted(self, scope, system):
        made = budget(scope)
        budgets.override(made, actor=system, amount=1, reason="Because")
        with pytest.raises(Conflict, match="stays on record"):
            budgets.delete(made, actor=system)


class TestSaving:
    @pytest.mark.parametrize(
        ("values", "place", "words"),
        [
            ({"limit": 0}, "limit", "above 0"),
            ({"limit": 10**19}, "limit", "more than a budget can hold"),
            ({"warn_at": [0]}, "warn_at", "from 1 to 99"),
            ({"warn_at": ["80"]}, "warn_at", "from 1 to 99"),
            ({"warn_at": {"a": 1}}, "warn_at", "from 1 to 99"),
            ({"scope": "user"}, "user", "Choose a person"),
            ({"scope": "prompt", "prompt_id": 99999}, "prompt", "Choose a prompt"),
            ({"scope": "group", "group_id": 99999}, "group", "Choose a group"),
            ({"scope": "moon"}, "scope", "not a valid choice"),
            ({"name": ""}, "name", "cannot be blank"),
        ],
    )
    def test_bad_input_is_said_at_its_field(self, scope, values, place, words):
        with pytest.raises(InvalidInput) as refusal:
            budget(scope, **values)
        assert any(problem.location == (place,) and words in problem.message for problem in refusal.value.problems)
        assert not Budget.objects.exists()

    def test_names_are_unique_in_a_workspace(self, scope):
        budget(scope)
        with pytest.raises(InvalidInput, match="of this name already"):
            budget(scope)
        other = factories.workspace()
        with workspace_scope(other):
            budget(other)

    def test_what_it_counts_stays(self, scope, system):
        made = budget(scope)
        made.unit = "tokens"
        with pytest.raises(InvalidInput, match="stays as it is"):
            budgets.save(made, actor=system)

    def test_people_of_other_workspaces_are_neither_counted_nor_owners(self, scope, member):
        stranger = member(where=factories.workspace())
        with pytest.raises(InvalidInput, match="Choose a person"):
            budget(scope, scope="user", user=stranger)
        with pytest.raises(InvalidInput, match="Choose a member"):
            budget(scope, owner=stranger)

    @pytest.mark.parametrize(
        ("role", "may"), [("viewer", False), ("author", False), ("operator", True), ("admin", True)]
    )
    def test_operators_and_admins(self, scope, member, role, may):
        actor = actor_of(scope, member(role), role)
        if may:
            budgets.delete(budgets.save(Budget(name="A", unit="calls", limit=1), actor=actor), actor=actor)
            return
        with pytest.raises(PermissionRefused):
            budgets.save(Budget(name="A", unit="calls", limit=1), actor=actor)
        with pytest.raises(PermissionRefused):
            budgets.delete(budget(scope), actor=actor)

    def test_another_tenant_may_not(self, scope, member):
        made, other = budget(scope), factories.workspace()
        theirs = actor_of(other, member(Role.ADMIN, where=other), Role.ADMIN)
        with pytest.raises(NotFound):
            budgets.save(made, actor=theirs)
        with pytest.raises(NotFound):
            budgets.override(made, actor=theirs, amount=1, reason="Mine")

    async def test_a_change_is_effective_at_once(self, scope, system):
        made = await make(scope, limit=1)
        await call(run(scope))
        await refused(run(scope))
        made.limit = 2
        await sync_to_async(budgets.save)(made, actor=system)
        await call(run(scope))


class TestWarnings:
    @pytest.fixture
    def told(self, scope, member, settings, mailoutbox):
        settings.LLM_ADMIN = {**settings.LLM_ADMIN, "MAIL_FROM": "console@example.com"}
        owner = member(Role.OPERATOR, "olga")
        owner.email = "olga@example.com"
        owner.save()
        made = budget(scope, limit=100, warn_at=[50, 80], owner=owner)

        def use_up_to(number):
            BudgetUse.objects.filter(budget=made).update(used=number)
            budget_mails.send_warnings()
            return [mail.subject for mail in mailoutbox]

        use_up_to.budget = made
        return use_up_to

    def test_each_level_once(self, told, mailoutbox):
        assert told(49) == []
        assert told(50) == ["Budget “Team” is used to 50%"]
        assert told(60) == told(50)
        assert told(81)[1:] == ["Budget “Team” is used to 81%"]
        assert told(100)[2:] == ["Budget “Team” is used up: calls are refused"]
        assert len(told(100)) == 3
        assert mailoutbox[0].bcc == ["olga@example.com"]
        assert "Used: 50 calls of 100 calls." in mailoutbox[0].body
        assert f"/admin/llm_admin/budget/{told.budget.pk}/change/" in mailoutbox[0].body

    def test_two_levels_at_once_are_one_mail(self, told):
        assert told(90) == ["Budget “Team” is used to 90%"]
        assert told(90) == ["Budget “Team” is used to 90%"]

    def test_refusals_are_told(self, told):
        BudgetUse.objects.update(refused_calls=1)
        assert told(30) == ["Budget “Team” is used to 30%, and refused a call"]

    def test_refusals_are_not_told_again_when_more_was_allowed(self, told, system):
        BudgetUse.objects.update(refused_calls=1)
        used_up = ["Budget “Team” is used up: calls are refused"]
        assert told(100) == used_up
        budgets.override(told.budget, actor=system, amount=200, reason="The archive")
        assert told(110) == used_up
        assert told(160)[1:] == ["Budget “Team” is used to 53%, and refused a call"]
        assert told(300)[2:] == used_up

    def test_with_a_higher_limit_the_levels_are_told_again(self, told, system):
        assert len(told(60)) == 1
        told.budget.limit = 1000
        budgets.save(told.budget, actor=system)
        assert len(told(60)) == 1
        assert told(500)[1:] == ["Budget “Team” is used to 50%"]

    def test_nobody_is_told_without_a_sender(self, told, settings):
        settings.LLM_ADMIN = {**settings.LLM_ADMIN, "MAIL_FROM": ""}
        assert told(90) == []
        settings.LLM_ADMIN = {**settings.LLM_ADMIN, "MAIL_FROM": "console@example.com"}
        assert len(told(90)) == 1

    def test_a_mail_server_that_is_gone_does_no_harm(self, told, settings):
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_PORT = 9
        assert told(90) == []


def test_those_that_concern_somebody_in_two_queries(scope, member):
    ann, bob = member(username="ann"), member(username="bob")
    interns, others = Group.objects.create(name="Interns"), Group.objects.create(name="Others")
    interns.user_set.add(ann), others.user_set.add(bob)
    prompt = factories.prompt(scope)
    budget(scope, name="all"), budget(scope, name="ann's", scope="user", user=ann)
    budget(scope, name="bob's", scope="user", user=bob), budget(scope, name="off", enabled=False)
    budget(scope, name="interns'", scope="group", group=interns)
    budget(scope, name="others'", scope="group", group=others)
    short = budget(scope, name="short", scope="prompt", prompt=prompt, limit=1)
    budget(scope, name="wide", scope="prompt", prompt=prompt)
    BudgetUse.objects.filter(budget=short).update(used=1)
    with CaptureQueriesContext(connection) as queries:
        found = [one.budget.name for one in selector.concerning(ann)]
    assert found == ["all", "ann's", "interns'", "short"]
    assert len(queries) == 2


def test_who_and_what_used_most(scope, member):
    ann = member(username="ann")
    prompt = factories.prompt(scope, name="Summary")
    log(scope, user=ann, prompt=prompt, cost_nano=5)
    log(scope, user_id=4711, prompt_id=4711, cost_nano=None)
    log(scope, cost_nano=3)
    one = selector.standings([budget(scope, unit="money", limit=NANO)])[0]
    assert [(top.name, top.used, top.calls) for top in selector.top_people(one)] == [
        ("ann", 5, 1),
        ("Code and commands", 3, 1),
        ("Deleted person", None, 1),
    ]
    assert [top.name for top in selector.top_prompts(one)][0::2] == ["Summary", "Deleted prompt"]


def test_members_and_budgets_are_forgotten_when_they_change(scope):
    catalogue.cached("anything", lambda: 1)
    budget(scope)
    assert catalogue.peek("anything") is None
