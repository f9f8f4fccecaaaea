"""Budgets at their edges: numbers that no table holds, rows that are not there yet, calls that were never made."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone

from llm_admin import RunFailed, arun_prompt, run_prompt
from llm_admin.choices import CallStatus, ErrorKind, Role
from llm_admin.exceptions import CallFailed, InvalidInput
from llm_admin.jobs.writer import WRITER
from llm_admin.models import BudgetReservation, BudgetUse, Deployment, InteractionLog, Membership, Run
from llm_admin.runtime import calls
from llm_admin.selectors import budgets as selector
from llm_admin.selectors.budget_periods import span_of
from llm_admin.services import budget_mails, budgets
from tests import factories
from tests.log_rows import log
from tests.services.budget_calls import NANO, ask, budget, call, end, refused, run

pytestmark = pytest.mark.django_db(transaction=True)
make = sync_to_async(budget)


def use(of):
    return BudgetUse.objects.with_scopes_disabled().filter(budget=of).first()


ause = sync_to_async(use)


async def test_the_first_call_of_a_period_may_be_the_refused_one(scope):
    made = await make(scope, unit="money", limit=1000)
    await sync_to_async(BudgetUse.objects.all().delete)()  # as a new month has none
    await refused(run(scope))
    await refused(run(scope))
    assert (await ause(made)).refused_calls == 2


@pytest.mark.parametrize("unit", ["tokens", "money"])
async def test_a_longest_answer_beyond_all_numbers_is_refused_in_words(scope, unit):
    await make(scope, unit=unit, limit=1000)
    words = (await refused(run(scope), parameters={"max_tokens": 10**30})).detail
    assert "and this may need 2,147,483,747 tokens" in words or unit == "money"


async def test_texts_beyond_latin_letters_are_estimated_by_their_bytes(scope):
    made = await make(scope, unit="tokens", limit=10_000)
    await ask(run(scope), messages=[{"role": "user", "content": "雨" * 400}], parameters={"max_tokens": 1})
    assert (await ause(made)).reserved == 300 + 4 + 1


def test_what_was_allowed_on_top_stays_within_what_the_table_holds(scope, system):
    made = budget(scope, unit="money", limit=budgets.MOST - 5)
    budgets.override(made, actor=system, amount=5, reason="More")
    with pytest.raises(InvalidInput, match="more than a budget can hold"):
        budgets.override(made, actor=system, amount=1, reason="More")
    made.limit = budgets.MOST
    budgets.save(made, actor=system)
    assert selector.standings([made])[0].limit == budgets.MOST + 5


@pytest.mark.parametrize("unit", ["money", "tokens", "calls"])
async def test_a_call_that_was_stopped_while_it_waited_uses_nothing(scope, unit):
    """No deployment had room yet, so nothing was asked."""
    made = await make(scope, unit=unit, limit=NANO)
    nothing = {"first_token_ms": None, "cost_nano": None, "input_tokens": None, "output_tokens": None}
    stopped = {"status": CallStatus.CANCELLED, "error_kind": ErrorKind.CANCELLED}
    await call(run(scope), **stopped, **nothing)
    assert ((await ause(made)).used, (await ause(made)).reserved, (await ause(made)).unknown_calls) == (0, 0, 0)
    await end(await ask(run(scope), deployment_id=1), **stopped, **nothing)
    assert (await ause(made)).used > 0


def test_by_the_logs_it_uses_nothing_either(scope):
    log(scope, status=CallStatus.CANCELLED, deployment=None)
    log(scope, status=CallStatus.CANCELLED, deployment=Deployment.objects.get())
    assert use(budget(scope)).used == 1


async def test_a_call_is_booked_in_the_period_in_which_it_began(scope):
    made = await make(scope, period="day")
    yesterday = timezone.now() - dt.timedelta(days=1)
    await end(await ask(run(scope), started_at=yesterday))
    uses = {one.starts_on: one.used async for one in BudgetUse.objects.filter(budget=made)}
    assert uses[span_of("day", yesterday).starts_on] == 1
    assert uses.get(span_of("day", timezone.now()).starts_on, 0) == 0


async def test_what_was_allowed_on_top_ends_with_its_period(scope, system):
    made = await make(scope, period="day", limit=1)
    await sync_to_async(budgets.override)(made, actor=system, amount=5, reason="Today")
    yesterday = timezone.now() - dt.timedelta(days=1)
    await sync_to_async(BudgetUse.objects.update)(starts_on=span_of("day", yesterday).starts_on)
    await call(run(scope))
    assert "is used up: 1 call" in (await refused(run(scope))).detail


async def test_a_budget_that_is_deleted_while_a_call_runs_harms_nobody(scope, system):
    made = await make(scope)
    begun = await ask(run(scope))
    await sync_to_async(budgets.delete)(made, actor=system)
    await end(begun)
    assert not await BudgetReservation.objects.aexists()
    assert (await ask(run(scope))).ticket is None


async def test_a_run_that_is_stopped_midway_is_booked_and_logged_as_unknown(scope):
    deployment = await Deployment.objects.aget()
    deployment.provider_model = "demo:slow"
    await sync_to_async(deployment.save)()
    made, tokens = await make(scope), await make(scope, name="Tokens", unit="tokens", limit=NANO)
    running = asyncio.ensure_future(arun_prompt((await sync_to_async(factories.prompt)(scope)).slug, {"topic": "rain"}))
    while not await BudgetReservation.objects.aexists():  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    logged = await InteractionLog.objects.aget()
    assert (logged.status, logged.cost_nano, logged.input_tokens) == (CallStatus.CANCELLED, None, None)
    assert ((await ause(made)).used, (await ause(tokens)).reserved) == (1, 0)
    assert (await ause(tokens)).used > 0


def test_a_run_costs_few_queries_more_with_a_budget_and_fewer_with_the_next(scope):
    deployment = Deployment.objects.get()
    deployment.provider_model = "demo:words=3:delay_ms=5"
    deployment.save()
    slug = factories.prompt(scope).slug

    def statements() -> int:
        """About budgets, of the writer's thread; leases and checkpoints come there whenever their time has come."""
        run_prompt(slug, {"topic": "rain"})
        seen = []

        def note(execute, sql, *rest):
            seen.append(sql)
            return execute(sql, *rest)

        WRITER.write_sync(lambda: connection.execute_wrappers.append(note))
        try:
            run_prompt(slug, {"topic": "rain"})
        finally:
            WRITER.write_sync(lambda: connection.execute_wrappers.remove(note))
        return len([sql for sql in seen if "llm_admin_budget" in sql])

    assert statements() <= 1
    budget(scope)
    assert 1 < statements() <= 8
    for number in range(3):
        budget(scope, name=f"B{number}")
    assert statements() <= 8 + 3 * 3


class TestMails:
    @pytest.fixture
    def made(self, scope, member, settings):
        settings.LLM_ADMIN = {**settings.LLM_ADMIN, "MAIL_FROM": "console@example.com"}
        owner = member(Role.OPERATOR, "olga")
        owner.email = "olga@example.com"
        owner.save()
        return budget(scope, limit=100, warn_at=[50], owner=owner)

    def test_who_left_the_workspace_is_told_nothing(self, made, mailoutbox):
        BudgetUse.objects.update(used=60)
        Membership.objects.filter(user=made.owner).delete()
        assert budget_mails.send_warnings() == 0
        assert mailoutbox == []

    def test_a_refusal_before_it_is_used_up_is_told_as_what_it_is(self, made, mailoutbox):
        BudgetUse.objects.update(used=30, refused_calls=1)
        budget_mails.send_warnings()
        assert mailoutbox[0].subject == "Budget “Team” is used to 30%, and refused a call"


class TestOddCounts:
    """Of providers that count wrongly: the answer is kept, the cost is unknown, the budget books its estimate."""

    @pytest.mark.parametrize(
        ("asked", "answered"), [(-5, 3), (10**30, 3), (10**12, 10**12), ("abc", 3), (1.5, 3), (3, -1), (True, 3)]
    )
    def test_counts_that_cannot_be_are_unknown(self, scope, asked, answered):
        from tests.servers.openai_behaviour import Behaviour
        from tests.servers.openai_server import OpenAIServer

        with OpenAIServer() as server:
            server.enqueue(Behaviour(usage={"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": 4}))
            place = Deployment.objects.select_related("connection").get()
            place.connection.provider, place.connection.base_url = "openai", server.base_url
            place.connection.save()
            made = budget(scope, unit="tokens", limit=NANO)
            try:
                answer = run_prompt(factories.prompt(scope).slug, {"topic": "rain"}).output
            except RunFailed as error:
                answer = str(error)
        assert answer.startswith("word1 word2")
        logged = InteractionLog.objects.get()
        assert logged.cost_nano is None and None in (logged.input_tokens, logged.output_tokens)
        assert Run.objects.get().status == "succeeded"
        found = use(made)
        assert (found.reserved, found.unknown_calls) == (0, 1)
        assert found.used > 1000

    def test_half_an_answer_is_not_paid_by_what_was_counted_so_far(self, scope, monkeypatch):
        """Some providers count as they go: what was counted when it broke off is not what it cost."""

        async def half(*_):
            yield "Half ", {"input_tokens": 5, "output_tokens": 1, "total_tokens": 6}, {}
            raise CallFailed(ErrorKind.PROVIDER_DOWN, "it broke off")

        monkeypatch.setattr(calls, "pieces", half)
        made = budget(scope, unit="tokens", limit=NANO)
        with pytest.raises(RunFailed, match="broke off"):
            run_prompt(factories.prompt(scope).slug, {"topic": "rain"})
        logged = InteractionLog.objects.get()
        assert (logged.input_tokens, logged.output_tokens, logged.cost_nano) == (None, None, None)
        assert (use(made).unknown_calls, use(made).used > 1000) == (1, True)
