"""Which deployment answers: order, fallback, pauses, deadlines; without a provider and without a clock to wait for."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime import calls
from llm_admin.runtime import router as module
from llm_admin.runtime.providers.failures import refusal
from llm_admin.runtime.router import IN_ORDER, Router
from llm_admin.schemas.plans import DeploymentPlan, ModelPlan
from llm_admin.schemas.usage import TokenUsage


def plan(number, **details):
    return DeploymentPlan(number, "fake", f"m{number}", f"C{number}", "", "", **details)


def model(*deployments):
    return ModelPlan(1, "fast", "Fast", deployments)


class Script:
    """Answers deployments by what is written for them: a failure, or None for success."""

    def __init__(self, **outcomes):
        self.outcomes = {int(name[1:]): list(what) for name, what in outcomes.items()}
        self.asked, self.shown = [], False

    async def __call__(self, deployment):
        self.asked.append(deployment.id)
        what = self.outcomes.get(deployment.id) or [None]
        failure = what.pop(0) if len(what) > 1 else what[0]
        if failure == "show":
            self.shown = True
            failure = down("broke off")
        if failure is not None:
            raise failure
        return TokenUsage(1, 1)


def down(detail="503", **details):
    return CallFailed(ErrorKind.PROVIDER_DOWN, detail, **details)


def limited(retry_after=None, detail="slow down"):
    return CallFailed(ErrorKind.RATE_LIMIT, detail, retry_after=retry_after)


@pytest.fixture
def pauses(monkeypatch):
    """Time that passes only when somebody sleeps."""
    slept, clock = [], SimpleNamespace(now=1000.0)

    async def sleep(seconds):
        slept.append(seconds)
        clock.now += seconds

    # Of the router alone: other threads of this process sleep, too.
    monkeypatch.setattr(module, "asyncio", SimpleNamespace(sleep=sleep, CancelledError=asyncio.CancelledError))
    here = SimpleNamespace(monotonic=lambda: clock.now, perf_counter=lambda: clock.now)
    monkeypatch.setattr(module, "time", here)
    return slept


def go(script, *deployments, retries=0, timeout=120.0, routes=None):
    context = SimpleNamespace(routes=routes, call_timeout=timeout, call_retries=retries)
    router = Router(context, model(*deployments), 10, script, lambda: script.shown)
    asyncio.run(router.answer())
    return router


def test_the_next_one_answers_and_the_first_attempt_is_kept():
    script = Script(d1=[down()])
    router = go(script, plan(1), plan(2, priority=2))
    assert script.asked == [1, 2]
    assert [(one.deployment_id, one.error_kind, one.error) for one in router.attempts] == [(1, "provider_down", "503")]


@pytest.mark.parametrize("kind", ["rate_limit", "provider_down", "timeout", "authentication", "context_too_long"])
def test_what_another_provider_may_do_better_goes_on(kind):
    script = Script(d1=[CallFailed(ErrorKind(kind), "no")])
    go(script, plan(1), plan(2, priority=2))
    assert script.asked == [1, 2]


@pytest.mark.parametrize(("kind", "status"), [("bad_request", 400), ("content_filter", 400)])
def test_what_everybody_would_refuse_does_not(kind, status):
    script = Script(d1=[CallFailed(ErrorKind(kind), "no", status_code=status)])
    with pytest.raises(CallFailed, match="no"):
        go(script, plan(1), plan(2, priority=2), retries=3)
    assert script.asked == [1]


def test_a_model_that_the_provider_does_not_know_may_be_known_to_the_next():
    for failure in (
        CallFailed(ErrorKind.BAD_REQUEST, "no such model", status_code=404),
        refusal(400, "no such model", codes=[{"odd": 1}, "model_not_supported"]),
    ):
        script = Script(d1=[failure])
        go(script, plan(1), plan(2, priority=2))
        assert script.asked == [1, 2]


def test_after_a_word_was_shown_nothing_is_begun_again():
    script = Script(d1=["show"])
    with pytest.raises(CallFailed) as caught:
        go(script, plan(1), plan(2, priority=2), retries=3)
    assert caught.value.detail == f"broke off; {module.SHOWN}"
    assert script.asked == [1]


def test_rounds_are_repeated_with_growing_pauses(pauses):
    script = Script(d1=[down(), down(), down(), None])
    router = go(script, plan(1), retries=3)
    assert script.asked == [1, 1, 1, 1]
    for pause, most in zip(pauses, (0.5, 1, 2), strict=True):
        assert most / 2 <= pause <= most
    assert [one.waited_ms for one in router.attempts] == [round(pause * 1000) for pause in pauses]


def test_retry_after_is_honoured(pauses):
    go(Script(d1=[limited(7), None]), plan(1), retries=1)
    assert pauses == [7]


def test_a_pause_beyond_the_deadline_is_not_waited_for(pauses):
    with pytest.raises(CallFailed, match="slow down"):
        go(Script(d1=[limited(200)]), plan(1), retries=5)
    assert pauses == []


def test_the_deadline_is_of_the_whole_call_and_not_of_each_attempt(pauses):
    async def hang(deployment):
        hang.asked.append(deployment.id)
        await module.asyncio.sleep(60)
        raise CallFailed(ErrorKind.TIMEOUT, "no answer in time")

    hang.asked, hang.shown = [], False
    with pytest.raises(CallFailed, match="no answer in time"):
        go(hang, *(plan(number, priority=number) for number in range(1, 6)), timeout=120.0)
    assert hang.asked == [1, 2]


def test_a_short_deadline_has_room_for_the_next_one_too(pauses):
    script = Script(d1=[down()])
    go(script, plan(1), plan(2, priority=2), timeout=0.5)
    assert script.asked == [1, 2]


def test_what_stands_in_the_log_is_told_apart_by_itself_and_not_by_its_words():
    """The first failure is an attempt; the second, of the same words, is what the call ended with."""
    script = Script(d1=[down("no")], d2=[CallFailed(ErrorKind.BAD_REQUEST, "no", status_code=400)])
    context = SimpleNamespace(routes=None, call_timeout=9, call_retries=0)
    router = Router(context, model(plan(1), plan(2, priority=2)), 10, script, lambda: False)
    with pytest.raises(CallFailed) as caught:
        asyncio.run(router.answer())
    assert [one.deployment_id for one in calls._before(router, caught.value)] == [1]


def test_a_fault_of_ours_says_nothing_of_the_deployment():
    told = []

    class Listening:
        order, begin = IN_ORDER.order, IN_ORDER.begin

        async def ended(self, deployment, tokens, usage, failure):
            told.append(failure and failure.kind)

    async def broken(deployment):
        raise ZeroDivisionError

    broken.shown = False
    with pytest.raises(ZeroDivisionError):
        go(broken, plan(1), routes=Listening())
    go(Script(), plan(1), routes=Listening())
    assert told == [ErrorKind.INTERNAL, None]


def test_stop_during_a_pause_ends_the_call():
    """What was tried before is still known."""

    async def story():
        context = SimpleNamespace(routes=None, call_timeout=100, call_retries=3)
        paused = limited(50)
        router = Router(context, model(plan(1)), 10, Script(d1=[paused]), lambda: False)
        task = asyncio.ensure_future(router.answer())
        for _ in range(9):  # it asks, fails, and begins to wait
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return [one.error_kind for one in router.attempts]

    assert asyncio.run(story()) == [ErrorKind.RATE_LIMIT]


def test_an_empty_account_is_not_asked_again(pauses):
    with pytest.raises(CallFailed, match="quota"):
        go(Script(d1=[limited(detail="insufficient quota")]), plan(1), retries=5)
    assert pauses == []


def test_what_is_full_is_waited_for_without_using_up_the_retries(pauses):
    class Full:
        order, ended = IN_ORDER.order, IN_ORDER.ended
        left = 5

        async def begin(self, deployment, tokens):
            self.left -= 1
            return 3.0 if self.left >= 0 else None

    script = Script()
    go(script, plan(1), retries=0, routes=Full())
    assert (script.asked, len(pauses)) == ([1], 5)


def test_full_until_the_deadline_is_a_sentence(pauses):
    class Full:
        order, ended = IN_ORDER.order, IN_ORDER.ended

        async def begin(self, deployment, tokens):
            return 30.0

    with pytest.raises(CallFailed, match=r"limits that are set here are reached; the next is possible in about 30 s"):
        go(Script(), plan(1), routes=Full())


def test_nowhere_to_run_is_a_sentence():
    with pytest.raises(CallFailed, match="runs nowhere yet"):
        go(Script())
