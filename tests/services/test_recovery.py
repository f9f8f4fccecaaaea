"""What a server does with the runs that a dead process left behind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from llm_admin.models import InteractionLog, InteractionText, Lease, Run, RunCheckpoint, RunStep
from llm_admin.schemas.records import CallStart
from llm_admin.services import actors, documents, execution, planning, recovery, server
from llm_admin.services.recording import start_to_json
from llm_admin.services.secrets import redactor
from tests import factories
from tests.services.test_execution import ended, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def prompt(scope):
    return factories.prompt(scope)


def stored(prompt, *, status="running", lease=-1.0, age=60.0, **details):
    """A run as another process left it. `lease`: seconds from now; `age`: seconds ago."""
    version = documents.version_of(prompt)
    run = planning.plan_prompt(
        actor=actors.system(prompt.workspace),
        prompt=prompt,
        spec=documents.spec_of(version),
        version=version,
        inputs={"topic": "rain"},
        source="studio",
    )
    now = timezone.now()
    run.created_at = run.started_at = now - timedelta(seconds=age)
    run.status, run.executor = status, "elsewhere:1:x"
    run.lease_expires_at = now + timedelta(seconds=lease) if status == "running" else None
    for name, value in details.items():
        setattr(run, name, value)
    run.save(force_insert=True)
    return run


def test_an_abandoned_run_is_interrupted_with_what_had_arrived(prompt):
    run = stored(prompt)
    began = timezone.now() - timedelta(seconds=5)
    call = CallStart("", began, [{"role": "user", "content": "Hello"}], prompt_id=prompt.pk)
    RunCheckpoint.objects.create(
        run=run,
        path="",
        call=start_to_json(call, redactor().value),
        text="So far",
        updated_at=began + timedelta(seconds=2),
    )
    assert recovery.interrupt_abandoned() == 1
    run.refresh_from_db()
    assert (run.status, run.output, run.error_kind, run.cost_nano) == ("interrupted", "So far", "interrupted", None)
    log = InteractionLog.objects.get()
    assert (log.status, log.cost_nano, log.latency_ms, log.prompt_id) == ("interrupted", None, 2000, prompt.pk)
    text = InteractionText.objects.get(log_id=log.pk)
    assert (text.answer, text.messages) == ("So far", [{"role": "user", "content": "Hello"}])
    assert not RunCheckpoint.objects.exists()
    assert recovery.interrupt_abandoned() == 0
    assert InteractionLog.objects.count() == 1


def test_a_call_that_left_no_checkpoint_is_on_record_too(prompt):
    stored(prompt)
    recovery.interrupt_abandoned()
    text = InteractionText.objects.get(log_id=InteractionLog.objects.get().pk)
    assert text.messages[-1]["content"] == "Tell me about rain."


def test_a_workflow_step_that_was_running_is_closed(scope):
    workflow = factories.workflow(scope)
    version = documents.version_of(workflow)
    run = planning.plan_workflow(
        actor=actors.system(scope),
        workflow=workflow,
        spec=documents.spec_of(version),
        version=version,
        inputs={"topic": "rain"},
        source="studio",
    )
    past = timezone.now() - timedelta(seconds=60)
    run.status, run.executor, run.lease_expires_at, run.started_at = "running", "elsewhere", past, past
    run.save(force_insert=True)
    RunStep.objects.create(run=run, path="2", step_id="answer", type="llm", started_at=past)
    recovery.interrupt_abandoned()
    assert RunStep.objects.get().status == "interrupted"
    assert (InteractionLog.objects.get().status, InteractionLog.objects.get().step_path) == ("interrupted", "2")


def test_a_run_whose_lease_holds_is_left_alone(prompt):
    stored(prompt, lease=30)
    assert recovery.interrupt_abandoned() == 0
    assert Run.objects.get().status == "running"


def test_only_pending_runs_that_nobody_starts_are_started(prompt):
    old, fresh = stored(prompt, status="pending"), stored(prompt, status="pending", age=0)
    assert [run.pk for run in recovery.waiting()] == [old.pk]
    for run in recovery.waiting():
        execution.launch(run)
    assert ended(old).status == "succeeded"
    assert Run.objects.get(pk=fresh.pk).status == "pending"


def test_two_servers_start_a_pending_run_once(prompt):
    run = stored(prompt, status="pending")
    same = Run.objects.get(pk=run.pk)
    execution.launch(run)
    execution.launch(same)
    ended(run)
    wait_until(lambda: InteractionLog.objects.count() >= 1)
    assert InteractionLog.objects.count() == 1


def test_the_ticker_is_one_processes_duty_until_its_lease_ends(db, monkeypatch):
    assert server.take_lease("ticker", 60)
    assert server.take_lease("ticker", 60)
    monkeypatch.setattr(server, "executor_id", lambda: "another")
    assert not server.take_lease("ticker", 60)
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert server.take_lease("ticker", 60)
    assert Lease.objects.get().holder == "another"
