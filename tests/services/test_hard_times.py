"""Steps while the database takes nothing, between the tries of a step, and when a run is stopped within loops."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from llm_admin.choices import ApprovalStatus, ErrorKind, RunStatus, StepStatus
from llm_admin.exceptions import CallFailed
from llm_admin.jobs.local import LOCAL
from llm_admin.jobs.writer import WRITER
from llm_admin.models import Approval, Deployment, InteractionLog, Run, RunCheckpoint, RunStep
from llm_admin.runtime.providers.fake import enqueue, forget
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import approvals, recovery, runs, upkeep
from llm_admin.services.live import LIVE
from tests import factories
from tests.services.test_execution import ended, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

ASK = {"type": "llm", "id": "first", "text": "About {{topic}}"}
AGAIN = {"type": "llm", "id": "second", "text": "Again {{topic}}"}
LATER = {"retries": 3, "delay": 60}


@pytest.fixture
def begin(scope, system):
    """begin(*steps, model="words=2") -> a run that has started."""

    def go(*steps, model="words=2", topic="rain"):
        Deployment.objects.update(provider_model=f"demo:{model}")
        spec = WorkflowSpec.model_validate({"inputs": [{"name": "topic"}], "steps": list(steps)})
        workflow = factories.workflow(scope, spec=spec)
        return runs.start_workflow(actor=system, workflow=workflow, spec=spec, inputs={"topic": topic})

    return go


@pytest.fixture
def refusing():
    """refusing(3): the writer's connection refuses the next three inserts of steps or logs."""
    left = 0

    def wrapper(execute, sql, params, many, context):
        nonlocal left
        if left and sql.startswith(('INSERT INTO "llm_admin_runstep"', 'INSERT INTO "llm_admin_interactionlog"')):
            left -= 1
            raise OperationalError("database or disk is full")
        return execute(sql, params, many, context)

    def refuse(count):
        nonlocal left
        left = count

    WRITER.write_sync(lambda: connection.execute_wrappers.append(wrapper))
    yield refuse
    WRITER.write_sync(lambda: connection.execute_wrappers.remove(wrapper))


def statuses(run):
    return dict(RunStep.objects.filter(run=run).values_list("path", "status"))


def finished(run):
    run = ended(run)
    wait_until(lambda: LIVE.get(run.pk) is None)
    return run


@pytest.mark.parametrize("count", [2, 5])
def test_what_could_not_be_written_is_written_later(begin, refusing, count):
    refusing(count)
    run = finished(begin(ASK, AGAIN))
    assert (run.status, run.calls) == (RunStatus.SUCCEEDED, 2)
    assert statuses(run) == {"1": "succeeded", "2": "succeeded"}
    assert sorted(InteractionLog.objects.values_list("step_path", flat=True)) == ["1", "2"]


def test_a_call_that_ended_is_not_recorded_as_interrupted_too(begin):
    """After a crash: what is open then are the checkpoints that are left."""
    run = begin(ASK, AGAIN, model="slow:words=6")
    for path in ("1", "2"):
        wait_until(lambda path=path: LOCAL.run(upkeep._checkpoint()) or RunCheckpoint.objects.filter(path=path))
    assert list(RunCheckpoint.objects.values_list("path", flat=True)) == ["2"]
    past = timezone.now() - timedelta(seconds=1)
    Run.objects.update(lease_expires_at=past, executor="another")
    recovery.interrupt_abandoned()
    logs = InteractionLog.objects.order_by("step_path").values_list("step_path", "status")
    assert list(logs) == [("1", "succeeded"), ("2", "interrupted")]
    LIVE.get(run.pk).stop()
    wait_until(lambda: LIVE.get(run.pk) is None)


def test_a_failed_call_is_on_record_while_its_step_waits_for_the_next_try(begin, system):
    enqueue("hard", CallFailed(ErrorKind.PROVIDER_DOWN, "down"))
    run = begin(ASK | {"failure": LATER}, model="script=hard")
    wait_until(lambda: InteractionLog.objects.filter(status="failed").exists())
    runs.stop(run, actor=system)
    assert finished(run).status == RunStatus.CANCELLED
    assert (statuses(run), InteractionLog.objects.count()) == ({"1": StepStatus.CANCELLED}, 1)
    forget("hard")


def test_stop_within_loops_within_loops_leaves_nothing_open(begin, system):
    fails = {"type": "parser", "id": "number", "source": "entry", "format": "number", "failure": LATER}
    inner = {"type": "for_each", "id": "inner", "items": "topic", "item": "entry", "parallel": 2}
    approve = {"type": "approval", "id": "ok", "text": "{{entry}}"}
    inner["steps"] = [{"type": "template", "id": "copy", "text": "{{entry}}"}, fails | {"source": "copy"}, approve]
    outer = {
        "type": "for_each",
        "id": "outer",
        "items": "topic",
        "failure": LATER,
        "steps": [inner | {"failure": LATER}],
    }
    run = begin(outer, topic="1\nx\n3")
    wait_until(lambda: RunStep.objects.filter(path__endswith=".2", status="running").count() == 3)
    wait_until(lambda: Approval.objects.count() == 6)
    runs.stop(run, actor=system)
    run = finished(run)
    assert run.status == RunStatus.CANCELLED
    assert not RunStep.objects.filter(status__in=("running", "waiting")).exists()
    assert not RunStep.objects.filter(ended_at=None).exists()
    assert Counter(Approval.objects.values_list("status", flat=True)) == {ApprovalStatus.WITHDRAWN: 6}


def test_the_deadline_of_approvals_in_a_loop(begin):
    steps = [{"type": "approval", "id": "ok", "text": "{{item}}", "hours": 1, "at_deadline": "approve"}, ASK]
    run = begin({"type": "for_each", "id": "all", "items": "topic", "steps": steps}, topic="a\nb\nc")
    wait_until(lambda: Run.objects.get().status == RunStatus.WAITING and LIVE.get(run.pk) is None)
    first = Approval.objects.order_by("pk")[0]
    Approval.objects.filter(pk=first.pk).update(deadline_at=timezone.now() - timedelta(seconds=1))
    assert approvals.settle_overdue() == 1
    wait_until(lambda: Run.objects.get().status == RunStatus.WAITING and LIVE.get(run.pk) is None)
    assert Counter(statuses(run).values()) == {"waiting": 3, "succeeded": 2}
    Approval.objects.filter(status="pending").update(deadline_at=timezone.now() - timedelta(seconds=1))
    assert approvals.settle_overdue() == 2
    assert finished(run).status == RunStatus.SUCCEEDED
    assert (set(statuses(run).values()), InteractionLog.objects.count()) == ({"succeeded"}, 3)
