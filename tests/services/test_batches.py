"""Batches with the real job loop: every row exactly one result, whatever somebody does meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from llm_admin.choices import BatchStatus, RowStatus, RunStatus, StoreTexts
from llm_admin.exceptions import Conflict, InvalidInput, PermissionRefused
from llm_admin.models import Approval, Batch, BatchRow, InteractionLog, Run, RunStep
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.selectors.batches import progress
from llm_admin.services import actors, approvals, batch_pump, batch_work, batches, documents, runs, workflows
from llm_admin.services.actors import Actor
from llm_admin.services.batches import RowInput
from llm_admin.services.live import LIVE
from tests import factories
from tests.services.batch_steps import APPROVE, ASK, COPY, NUMBER, ended, rows, topics
from tests.services.test_execution import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_row_gets_its_own_result_in_order(begin):
    batch = ended(begin(COPY, topics=topics(60), concurrency=7))
    assert rows(batch, "output") == topics(60)
    assert set(rows(batch, "status")) == {RowStatus.SUCCEEDED}
    assert len(set(rows(batch, "run"))) == Run.objects.filter(batch=batch).count() == 60
    assert progress(batch).share == 1.0


def test_a_row_that_fails_does_not_stop_the_others_and_can_be_run_again(begin, system, scope):
    batch = ended(begin(COPY, NUMBER, topics=["1", "two", "3"]))
    assert rows(batch, "status") == ["succeeded", "failed", "succeeded"]
    assert "number" in rows(batch, "problem")[1]
    before = rows(batch, "run")
    BatchRow.objects.filter(batch=batch, number=2).update(inputs={"topic": "2"})
    assert batches.retry_failed(batch, actor=system) == 1
    ended(batch)
    assert rows(batch, "status") == ["succeeded"] * 3
    after = rows(batch, "run")
    assert (after[0], after[2]) == (before[0], before[2])
    assert after[1] != before[1]
    assert rows(batch, "problem") == [""] * 3
    with pytest.raises(Conflict, match="No row has failed"):
        batches.retry_failed(batch, actor=system)


def test_a_paused_batch_begins_no_row_and_goes_on_where_it_was(begin, behave, system):
    behave("words=8:delay_ms=20")
    batch = begin(ASK, topics=topics(12), concurrency=2)
    wait_until(lambda: progress(batch).succeeded >= 2)
    batches.pause(batch, actor=system)
    wait_until(lambda: progress(batch).counts.get(RowStatus.RUNNING, 0) == 0 and batch.pk not in batch_pump._pumping)
    done = progress(batch).succeeded
    assert done < 12
    assert progress(batch).counts == {RowStatus.SUCCEEDED: done, RowStatus.PENDING: 12 - done}
    batches.resume(batch, actor=system)
    ended(batch)
    assert InteractionLog.objects.count() == 12
    assert set(rows(batch, "attempts")) == {1}


def test_stop_ends_running_rows_begins_no_other_and_resume_runs_the_rest(begin, behave, system):
    behave("slow:words=30")
    batch = begin(ASK, topics=topics(10), concurrency=3)
    wait_until(lambda: len(LIVE.all()) == 3)
    batches.stop(batch, actor=system)
    ended(batch, BatchStatus.STOPPED)
    wait_until(lambda: not len(LIVE))
    assert set(rows(batch, "status")) == {RowStatus.STOPPED}
    assert not Run.objects.filter(batch=batch, status=RunStatus.SUCCEEDED).exists()
    behave("words=2")
    batches.resume(batch, actor=system)
    ended(batch)
    assert set(rows(batch, "status")) == {RowStatus.SUCCEEDED}
    assert all(rows(batch, "output"))


def test_resume_at_once_after_stop_leaves_no_row_behind(begin, behave, system):
    behave("slow:words=30")
    batch = begin(ASK, topics=topics(25), concurrency=3)
    wait_until(lambda: len(LIVE.all()) == 3)
    behave("words=2")
    batches.stop(batch, actor=system)
    batches.resume(batch, actor=system)  # the three are still being stopped
    ended(batch)
    assert set(rows(batch, "status")) == {RowStatus.SUCCEEDED}


def test_a_stop_in_another_process_reaches_the_rows_that_run_here(begin, behave, system):
    behave("slow:words=30")
    batch = begin(ASK, topics=topics(4), concurrency=2)
    wait_until(lambda: len(LIVE.all()) == 2)
    Batch.objects.filter(pk=batch.pk).update(status=BatchStatus.STOPPED)
    ended(batch, BatchStatus.STOPPED)
    assert set(rows(batch, "status")) == {RowStatus.STOPPED}


def test_a_row_whose_run_was_stopped_alone_can_be_resumed(begin, behave, system):
    behave("slow:words=30")
    batch = begin(ASK, topics=["a"])
    wait_until(lambda: len(LIVE.all()) == 1)
    runs.stop(Run.objects.get(), actor=system)
    ended(batch)
    assert rows(batch, "status") == [RowStatus.STOPPED]
    behave("words=2")
    batches.resume(batch, actor=system)
    ended(batch)
    assert rows(batch, "status") == [RowStatus.SUCCEEDED]


def test_a_row_that_was_stopped_goes_on_without_repeating_its_finished_step(begin, behave, system):
    behave("words=2")
    batch = begin(ASK, {**ASK, "id": "second", "text": "Again {{topic}}"}, APPROVE, topics=["rain"])
    wait_until(lambda: rows(batch, "status") == [RowStatus.WAITING])
    ended(batch)
    run = Run.objects.get(batch=batch)
    # as after a crash: the row was running, its run is found to be interrupted, the lease of its process is over
    Approval.objects.all().delete()
    RunStep.objects.filter(run=run, path__in=("2", "3")).delete()
    Run.objects.filter(pk=run.pk).update(status=RunStatus.INTERRUPTED, keeps_steps=False)
    BatchRow.objects.filter(batch=batch).update(status=RowStatus.RUNNING)
    gone = timezone.now() - timedelta(minutes=1)
    Batch.objects.filter(pk=batch.pk).update(status=BatchStatus.RUNNING, executor="another", lease_expires_at=gone)
    assert batch_pump.abandoned() == [batch.pk]
    batch_pump.launch(batch.pk)
    wait_until(lambda: rows(batch, "status") == [RowStatus.WAITING])
    asked = list(InteractionLog.objects.order_by("pk").values_list("step_path", flat=True))
    assert sorted(asked) == ["1", "2", "2"]
    assert rows(batch, "run") == [run.pk]


def test_rows_that_wait_for_approval_do_not_hold_the_batch_and_take_their_result(begin, system):
    batch = ended(begin(COPY, APPROVE, topics=["a", "b"]))
    assert rows(batch, "status") == [RowStatus.WAITING] * 2
    for approval in Approval.objects.all():
        approvals.decide(approval, actor=system, approve=approval.proposed == "a", word="so")
    wait_until(lambda: not Run.objects.filter(batch=batch, status__in=("pending", "running", "waiting")).exists())
    wait_until(lambda: batch_work.settle_waiting() or RowStatus.WAITING not in rows(batch, "status"))
    assert rows(batch, "status") == [RowStatus.SUCCEEDED, RowStatus.FAILED]
    assert rows(batch, "output")[0] == "a"


def test_secrets_are_masked_in_what_is_kept(begin):
    key = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD"
    batch = ended(begin(COPY, topics=[f"my key is {key}"]))
    kept = rows(batch, "inputs", "original", "output")
    assert key not in str(kept)
    assert "my key is" in str(kept)


def test_a_workspace_that_keeps_no_texts_keeps_none_of_a_finished_row(begin, scope, system):
    scope.store_texts = StoreTexts.NOTHING
    scope.save()
    batch = ended(begin(COPY, NUMBER, topics=["1", "secret words"]))
    assert rows(batch, "status") == ["succeeded", "failed"]
    assert rows(batch, "inputs", "original", "output") == [({}, {}, None)] * 2
    with pytest.raises(Conflict, match="keeps no texts"):
        batches.retry_failed(batch, actor=system)


def test_the_same_key_gives_the_same_batch(begin, scope):
    first = begin(COPY, topics=["a"], client_key="k")
    assert begin(COPY, topics=["a"], client_key="k").pk == first.pk
    ended(first)
    assert Batch.objects.count() == Run.objects.count() == 1


def test_wrong_rows_are_refused_before_anything_is_stored(begin, scope, system):
    inputs, steps = [{"name": "n", "type": "number"}], [ASK | {"text": "{{n}}"}]
    spec = WorkflowSpec.model_validate({"inputs": inputs, "steps": steps})
    workflow = factories.workflow(scope, spec=spec)
    given = [RowInput({"n": "1"}), RowInput({"n": "x"}), RowInput({})]
    with pytest.raises(InvalidInput) as refusal:
        batches.start(actor=system, workflow=workflow, version=documents.version_of(workflow), rows=given)
    assert [problem.location for problem in refusal.value.problems] == [("rows", 2, "n"), ("rows", 3, "n")]
    with pytest.raises(InvalidInput, match="between 1 and 50"):
        begin(COPY, topics=["a"], concurrency=51)
    with pytest.raises(InvalidInput, match="no rows"):
        begin(COPY, topics=[])
    assert Batch.objects.count() == 0


def test_only_the_owner_and_operators_may_touch_it(begin, scope, member):
    def acting(role):
        return Actor(scope, member(role), role)

    owner, other, viewer, operator = (acting(role) for role in ("author", "author", "viewer", "operator"))
    with pytest.raises(PermissionRefused):
        begin(COPY, topics=["a"], actor=viewer)
    batch = ended(begin(COPY, NUMBER, topics=["x"], actor=owner))
    assert [batches.visible(actor=one).count() for one in (owner, other, viewer, operator)] == [1, 0, 0, 1]
    for one in (other, viewer):
        for act in (batches.pause, batches.resume, batches.stop, batches.retry_failed, batches.delete):
            with pytest.raises(PermissionRefused):
                act(batch, actor=one)
    batches.retry_failed(batch, actor=operator)
    ended(batch)
    batches.delete(batch, actor=owner)
    assert (Batch.objects.count(), Run.objects.count()) == (0, 2)


def test_what_does_not_fit_its_status_is_a_conflict(begin, behave, system):
    batch = ended(begin(COPY, topics=["a"]))
    for act in (batches.pause, batches.resume, batches.stop):
        with pytest.raises(Conflict):
            act(batch, actor=system)
    behave("slow:words=30")
    running = begin(ASK, topics=["a"])
    with pytest.raises(Conflict, match="Stop it first"):
        batches.delete(running, actor=system)
    batches.stop(running, actor=system)
    ended(running, BatchStatus.STOPPED)


def test_a_change_of_the_workflow_meanwhile_does_not_reach_the_rows(begin, behave, system, scope):
    behave("words=6:delay_ms=20")
    batch = begin(ASK, topics=topics(6), concurrency=1)
    actor = actors.system(scope)
    other = WorkflowSpec.model_validate({"inputs": [{"name": "topic"}], "steps": [COPY]})
    workflows.save_version(batch.workflow, actor=actor, spec=other)
    ended(batch)
    assert InteractionLog.objects.count() == 6


def test_a_waiting_row_that_was_stopped_asks_again_when_the_batch_goes_on(begin, system):
    batch = ended(begin(COPY, APPROVE, topics=["a"]))
    runs.stop(Run.objects.get(), actor=system)
    batch_work.settle_waiting()
    assert rows(batch, "status") == [RowStatus.STOPPED]
    batches.resume(batch, actor=system)
    ended(batch)
    assert list(approvals.waiting_for(actor=system).values_list("proposed", flat=True)) == ["a"]
    approvals.decide(Approval.objects.get(), actor=system, approve=True)
    wait_until(lambda: Run.objects.get().status == RunStatus.SUCCEEDED, 30)
