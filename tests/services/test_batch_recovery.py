"""Batches that lose their process, their workflow or a row's run: they go on, and do nothing twice."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from llm_admin.choices import BatchStatus, RowStatus, RunStatus
from llm_admin.jobs.local import LOCAL
from llm_admin.models import Approval, Batch, BatchRow, Run, RunStep
from llm_admin.selectors import batch_rows
from llm_admin.selectors.batches import progress
from llm_admin.services import approvals, batch_pump, batch_work, batches
from llm_admin.services.live import LIVE, executor_id
from tests.services.batch_steps import APPROVE, ASK, COPY, NUMBER, ended, rows, status, topics
from tests.services.test_execution import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_who_lost_the_batch_begins_none_of_its_rows_and_takes_none_back(begin, system):
    """A process that stood still while another one took over."""
    batch = begin(COPY, topics=topics(3))
    ended(batch)
    BatchRow.objects.filter(batch=batch).update(status=RowStatus.RUNNING, run=None)
    Batch.objects.filter(pk=batch.pk).update(status=BatchStatus.RUNNING, executor="another", lease_expires_at=None)
    pump = batch_pump._Pump(Batch.objects.select_related("workspace").get(pk=batch.pk))
    pump.waiting = list(BatchRow.objects.filter(batch=batch))
    before = Run.objects.count()
    LOCAL.run(batch_pump._run_row(pump, pump.waiting[0]))
    batch_pump._give_back(pump)
    batch_pump._let_go(pump)
    assert batch_pump._fetch(pump) == []
    assert Run.objects.count() == before
    assert set(rows(batch, "status")) == {RowStatus.RUNNING}
    assert Batch.objects.get().executor == "another"
    Batch.objects.update(status=BatchStatus.STOPPED)


def test_a_workflow_deleted_meanwhile_does_not_stop_its_batch(begin, system):
    batch = begin(COPY, APPROVE, topics=topics(2), concurrency=1)
    ended(batch)
    BatchRow.objects.filter(batch=batch).update(status=RowStatus.PENDING, run=None)
    stale = Batch.objects.select_related("workspace").get(pk=batch.pk)
    stale.executor = executor_id()
    Batch.objects.filter(pk=batch.pk).update(status=BatchStatus.RUNNING, executor=executor_id())
    Approval.objects.all().delete()
    Run.objects.all().delete()
    stale.workflow.delete()
    pump = batch_pump._Pump(stale)
    (row, _) = batch_pump._fetch(pump)
    LOCAL.run(batch_pump._run_row(pump, row))
    assert Run.objects.get().status == RunStatus.WAITING
    Batch.objects.update(status=BatchStatus.STOPPED)


def test_what_the_failed_tries_cost_stays_in_the_sum(begin, behave, system):
    batch = ended(begin(COPY, ASK, NUMBER, topics=["x"]))
    assert rows(batch, "status") == [RowStatus.FAILED]
    first = Run.objects.get()
    Run.objects.update(cost_nano=700)
    BatchRow.objects.update(cost_nano=700)
    batches.retry_failed(batch, actor=system)
    assert (progress(batch).calls, progress(batch).known_nano) != (0, 0)
    ended(batch)
    second = Run.objects.exclude(pk=first.pk).get()
    assert progress(batch).calls == first.calls + second.calls == 2
    assert progress(batch).known_nano == 700 + (second.cost_nano or 0)
    assert batch_rows.of_many([batch])[batch.pk].known_nano == progress(batch).known_nano


def test_a_waiting_row_whose_run_was_killed_after_the_decision_goes_on(begin, system):
    batch = ended(begin(COPY, APPROVE, topics=["a", "b"]))
    first, second = Approval.objects.order_by("pk")
    for approval in (first, second):
        approvals.decide(approval, actor=system, approve=True)
    wait_until(lambda: not Run.objects.exclude(status=RunStatus.SUCCEEDED).exists() and not len(LIVE))
    # as recovery leaves it when the process that went on with it died in between
    RunStep.objects.filter(run=first.run, path="2").update(status="interrupted")
    Run.objects.filter(pk=first.run_id).update(status=RunStatus.INTERRUPTED)
    assert batch_work.settle_waiting() == 2
    assert rows(batch, "status") == [RowStatus.PENDING, RowStatus.SUCCEEDED]
    assert batch_pump.abandoned() == [batch.pk]
    batch_pump.launch(batch.pk)
    ended(batch)
    assert rows(batch, "status", "output") == [(RowStatus.SUCCEEDED, "a"), (RowStatus.SUCCEEDED, "b")]
    assert Run.objects.count() == 2


def test_a_waiting_row_of_a_stopped_batch_is_stopped_when_its_run_was_killed(begin):
    batch = ended(begin(COPY, APPROVE, topics=["a"]))
    Run.objects.update(status=RunStatus.INTERRUPTED)
    Batch.objects.update(status=BatchStatus.STOPPED)
    batch_work.settle_waiting()
    assert (rows(batch, "status"), status(batch)) == ([RowStatus.STOPPED], BatchStatus.STOPPED)


def test_a_run_that_goes_on_by_itself_is_not_begun_by_the_batch_too(begin, system):
    """Decided in the moment in which it was closed as waiting: its row waits for it."""
    batch = ended(begin(COPY, APPROVE, topics=["a"]))
    run = Run.objects.get()
    (row,) = BatchRow.objects.filter(batch=batch).select_related("run")
    run.status = RunStatus.PENDING
    batch_work.end_row(row, run)
    assert rows(batch, "status") == [RowStatus.WAITING]
    mine = {"status": BatchStatus.RUNNING, "executor": executor_id()}
    Batch.objects.update(**mine)
    BatchRow.objects.update(status=RowStatus.RUNNING)
    Run.objects.update(status=RunStatus.RUNNING, executor="another")
    pump = batch_pump._Pump(Batch.objects.select_related("workspace", "owner").get())
    LOCAL.run(batch_pump._run_row(pump, BatchRow.objects.select_related("run").get()))  # seen as it is
    row.run.status = RunStatus.INTERRUPTED  # seen as it was
    LOCAL.run(batch_pump._run_row(pump, row))
    assert (Run.objects.get().executor, rows(batch, "attempts")) == ("another", [1])
    Batch.objects.update(status=BatchStatus.STOPPED)
    Run.objects.update(status=RunStatus.CANCELLED)


def test_pause_is_noticed_also_after_the_lease_could_not_be_renewed(begin, behave, system, monkeypatch):
    behave("slow:words=1")
    renew, failed = batch_pump._renew, []

    def once_locked(batch):
        if not failed:
            failed.append(batch)
            raise OperationalError("database is locked")
        return renew(batch)

    monkeypatch.setattr(batch_pump, "_renew", once_locked)
    batch = begin(ASK, topics=topics(12), concurrency=1)
    wait_until(lambda: failed)
    batches.pause(batch, actor=system)
    ended(batch, BatchStatus.PAUSED)
    assert RowStatus.PENDING in rows(batch, "status")


def test_resume_in_the_moment_when_nothing_was_left(begin, system, monkeypatch):
    let_go, resumed = batch_pump._let_go, []

    def resume_first(pump):
        let_go(pump)
        if not resumed:
            resumed.append(batches.retry_failed(pump.batch, actor=system))

    monkeypatch.setattr(batch_pump, "_let_go", resume_first)
    batch = ended(begin(COPY, NUMBER, topics=["x"]))
    assert resumed == [1]
    wait_until(lambda: status(batch) == BatchStatus.FINISHED)
    assert Run.objects.count() == 2
