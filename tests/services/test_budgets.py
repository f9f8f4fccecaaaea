"""Budgets: what is let through, and what is counted."""

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
from llm_admin.exceptions import CallFailed, Conflict, InvalidInput, PermissionRefused
from llm_admin.jobs.writer import WRITER
from llm_admin.models import (
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
from llm_admin.services import budgets, catalogue
from llm_admin.services.budget_gate import expire
from tests import factories
from tests.log_rows import log
from tests.services.budget_calls import NANO, actor_of, ask, ause, budget, call, end, make, model, refused, run

pytestmark = pytest.mark.django_db(transaction=True)


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
