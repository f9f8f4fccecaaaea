"""One run from start to its rows: success, failure, Stop, double click, stalled executor, unforeseen errors."""

from __future__ import annotations

import asyncio
import threading
import time
from decimal import Decimal

import pytest
from asgiref.sync import sync_to_async

from llm_admin import RunFailed, arun_prompt, run_prompt
from llm_admin.choices import RunStatus
from llm_admin.exceptions import ConsoleError, InvalidInput
from llm_admin.models import Deployment, DeploymentPrice, InteractionLog, InteractionText, Run, RunCheckpoint, RunError
from llm_admin.runtime.providers.fake import enqueue
from llm_admin.services import actors, documents, execution, follow, runs
from llm_admin.services.families import PROMPTS
from llm_admin.services.live import LIVE
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)


def wait_until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def behave(scope):
    """behave("slow") -> the demo model runs as demo:slow from now on."""

    def change(behaviour: str) -> None:
        deployment = Deployment.objects.get()
        deployment.provider_model = f"demo:{behaviour}"
        deployment.save()

    return change


@pytest.fixture
def prompt(scope):
    return factories.prompt(scope)


def start(prompt, **details):
    actor = actors.system(prompt.workspace)
    version = documents.version_of(prompt)
    return runs.start_prompt(
        actor=actor,
        prompt=prompt,
        spec=documents.spec_of(version),
        inputs={"topic": "rain"},
        version=version,
        **details,
    )


def ended(run):
    wait_until(lambda: not Run.objects.get(pk=run.pk).is_open)
    return Run.objects.get(pk=run.pk)


def test_a_run_leaves_a_priced_log_with_its_texts(prompt, behave):
    behave("words=5")
    DeploymentPrice.objects.all().delete()
    price = DeploymentPrice.objects.create(
        deployment=Deployment.objects.get(), input_per_million=Decimal("0.15"), output_per_million=Decimal("0.60")
    )
    result = run_prompt(prompt.slug, {"topic": "rain"})
    log = InteractionLog.objects.get()
    assert (log.output_tokens, log.run_id, log.price_id) == (5, result.run_id, price.pk)
    assert log.cost_nano == log.input_tokens * 150 + 5 * 600
    assert (log.prompt_id, log.prompt_version.number, log.status) == (prompt.pk, 1, "succeeded")
    text = InteractionText.objects.get(log_id=log.pk)
    assert text.messages[-1] == {"role": "user", "content": "Tell me about rain."}
    assert text.answer == result.output
    run = Run.objects.get(pk=result.run_id)
    assert (run.status, run.output, run.cost_nano, run.lease_expires_at) == (
        "succeeded",
        result.output,
        log.cost_nano,
        None,
    )


def test_without_a_price_or_usage_the_cost_is_unknown(prompt, behave):
    behave("nousage")
    result = run_prompt(prompt.slug, {"topic": "rain"})
    assert (result.cost_nano, result.output_tokens) == (None, None)
    assert InteractionLog.objects.get().cost_nano is None


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        ("401", "authentication"),
        ("429", "rate_limit"),
        ("500", "provider_down"),
        ("context", "context_too_long"),
        ("filter", "content_filter"),
        ("cut", "provider_down"),
    ],
)
def test_each_failure_is_a_failed_run_of_its_kind_with_a_sentence(prompt, behave, behaviour, kind):
    behave(behaviour)
    with pytest.raises(RunFailed) as failure:
        run_prompt(prompt.slug, {"topic": "rain"})
    run = Run.objects.get()
    assert (run.status, run.error_kind) == ("failed", kind)
    assert run.error_message == str(failure.value)
    assert run.error_message.endswith(".")
    assert InteractionLog.objects.get().error_kind == kind


def test_a_call_that_takes_too_long_is_a_timeout(prompt, behave, settings):
    settings.LLM_ADMIN = {**settings.LLM_ADMIN, "CALL_TIMEOUT": 0.3, "FIRST_TOKEN_TIMEOUT": 3_000}
    behave("hang")
    with pytest.raises(RunFailed):
        run_prompt(prompt.slug, {"topic": "rain"})
    assert Run.objects.get().error_kind == "timeout"


def test_what_breaks_off_is_kept(prompt, behave):
    behave("cut")
    with pytest.raises(RunFailed):
        run_prompt(prompt.slug, {"topic": "rain"})
    assert InteractionText.objects.get().answer.startswith("This is a demo answer")


def test_stop_keeps_what_had_arrived(prompt, behave):
    behave("slow")
    run = start(prompt)
    wait_until(lambda: follow.snapshot(run).texts.get(""))
    runs.stop(run, actor=actors.system(prompt.workspace))
    run = ended(run)
    log = InteractionLog.objects.get()
    assert (run.status, log.status, log.cost_nano, run.cost_nano) == ("cancelled", "cancelled", None, None)
    answer = InteractionText.objects.get().answer
    assert answer
    assert "This is a demo answer; no AI wrote it.".startswith(answer[:10])


def test_what_the_caller_does_with_the_run_meanwhile_reaches_nobody(prompt, behave):
    """`run.refresh_from_db()` beside the claim had put the executor back to what it was, and the end was lost."""
    behave("words=5:delay_ms=200")
    run = start(prompt)
    wait_until(lambda: Run.objects.get(pk=run.pk).status == RunStatus.RUNNING)
    run.executor = run.title = "the caller's own"
    assert ended(run).status == RunStatus.SUCCEEDED


def test_stop_from_another_process_is_noticed(prompt, behave):
    behave("slow")
    run = start(prompt)
    wait_until(lambda: LIVE.get(run.pk))
    Run.objects.filter(pk=run.pk).update(stop_requested_at="2026-01-01T00:00Z")  # what `stop` leaves there
    assert ended(run).status == "cancelled"


def test_the_same_client_key_is_the_same_run(prompt):
    first, second = start(prompt, client_key="click"), start(prompt, client_key="click")
    assert first.pk == second.pk
    ended(first)
    assert InteractionLog.objects.count() == 1


def test_many_threads_with_one_client_key_make_one_run(prompt):
    from django.db import connection

    found = []

    def click():
        found.append(start(prompt, client_key="click").pk)
        connection.close()

    threads = [threading.Thread(target=click) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert Run.objects.count() == 1


def test_a_stalled_executor_does_not_overwrite_a_recovery(prompt, behave):
    behave("slow")
    run = start(prompt)
    wait_until(lambda: follow.snapshot(run).texts.get(""))
    Run.objects.filter(pk=run.pk).update(status="interrupted", executor="somebody else")
    execution.stop(run.pk)
    wait_until(lambda: LIVE.get(run.pk) is None)
    assert Run.objects.get(pk=run.pk).status == "interrupted"
    assert not InteractionLog.objects.exists()


def test_the_unforeseen_is_internal_and_its_traceback_is_kept_for_operators(prompt, behave):
    enqueue("surprise", ZeroDivisionError("with sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"))
    behave("script=surprise")
    with pytest.raises(RunFailed):
        run_prompt(prompt.slug, {"topic": "rain"})
    run = Run.objects.get()
    assert (run.status, run.error_kind) == ("failed", "internal")
    assert "ZeroDivisionError" not in run.error_message
    traceback = RunError.objects.get(run=run).text
    assert "ZeroDivisionError" in traceback
    assert "abcdefghijklmnop" not in traceback


def test_a_spec_that_cannot_be_read_still_closes_its_run(prompt):
    run = start(prompt)
    ended(run)
    broken = Run.objects.create(
        workspace=prompt.workspace, kind="prompt", title="Broken", spec={"schema_version": 99}, source="code",
        created_at=run.created_at,
    )  # fmt: skip
    execution.launch(broken)
    assert ended(broken).error_kind == "internal"


def test_missing_values_and_unknown_models_leave_no_run(prompt):
    with pytest.raises(InvalidInput, match="Topic"):
        run_prompt(prompt.slug, {})
    with pytest.raises(InvalidInput, match="no model “nope”"):
        run_prompt(prompt.slug, {"topic": "rain"}, model="nope")
    assert not Run.objects.exists()


def test_a_key_in_the_values_is_masked_before_anything_is_stored(prompt):
    run_prompt(prompt.slug, {"topic": "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"})
    assert Run.objects.get().inputs == {"topic": "[masked]"}
    assert "abcdefghij" not in str(InteractionText.objects.get().messages)


def test_a_workspace_that_keeps_no_texts_keeps_numbers_only(prompt, scope):
    scope.store_texts = "nothing"
    scope.save()
    result = run_prompt(prompt.slug, {"topic": "a rare word"})
    run = Run.objects.get()
    assert (run.output, run.inputs, run.spec) == (None, {}, {})
    assert InteractionLog.objects.get().output_tokens == result.output_tokens
    assert not InteractionText.objects.exists()


def test_checkpoints_are_stored_while_it_streams_and_gone_at_the_end(prompt, behave, settings):
    settings.LLM_ADMIN = {**settings.LLM_ADMIN, "CHECKPOINT_SECONDS": 0.05}
    behave("slow")
    run = start(prompt)
    wait_until(lambda: RunCheckpoint.objects.filter(run=run).exclude(text="").exists())
    first = RunCheckpoint.objects.get()
    wait_until(lambda: RunCheckpoint.objects.get().updated_at > first.updated_at)
    checkpoint = RunCheckpoint.objects.get()  # what was asked is written once, and stands after the text was renewed
    assert checkpoint.call["messages"][-1]["content"] == "Tell me about rain."
    execution.stop(run.pk)
    ended(run)
    assert not RunCheckpoint.objects.exists()


async def test_inside_a_running_loop_the_sync_function_refuses(prompt):
    found = await sync_to_async(documents.get)(PROMPTS, actor=actors.system(prompt.workspace), slug=prompt.slug)
    from llm_admin.services.handles import handle

    ready = await sync_to_async(handle)(PROMPTS, found.slug)
    plan = await sync_to_async(ready.plan)({"topic": "x"}, model=None, user=None)
    with pytest.raises(ConsoleError, match="begins with “a”"):
        execution.run_async(execution.run_now(plan))


async def test_a_cancelled_await_closes_the_run_and_stays_cancelled(prompt):
    deployment = await sync_to_async(Deployment.objects.get)()
    deployment.provider_model = "demo:slow"
    await sync_to_async(deployment.save)()
    task = asyncio.create_task(arun_prompt(prompt.slug, {"topic": "rain"}))
    while not await sync_to_async(Run.objects.filter(status=RunStatus.RUNNING).exists)():  # noqa: ASYNC110 - its row
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    run = await sync_to_async(Run.objects.get)()
    assert run.status == RunStatus.CANCELLED


async def test_what_was_cached_may_expire_at_any_moment(prompt, monkeypatch):
    monkeypatch.setattr("llm_admin.services.catalogue.LIFETIME", 0)
    assert (await arun_prompt(prompt.slug, {"topic": "rain"})).ok
    assert (await arun_prompt(prompt.slug, {"topic": "rain"})).ok


async def test_fifty_at_once_each_leave_their_own_rows(prompt):
    results = await asyncio.gather(*(arun_prompt(prompt.slug, {"topic": f"number {n}"}) for n in range(50)))
    assert len({r.run_id for r in results}) == 50
    count = await sync_to_async(InteractionText.objects.filter(messages__icontains="number").count)()
    assert count == 50
