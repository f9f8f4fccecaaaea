"""The rows of a batch in the database: begun with their runs, ended with them, taken over from a process that died.

Everything here runs in the writer's thread.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from llm_admin.choices import BatchStatus, RowStatus, RunSource, RunStatus
from llm_admin.conf import settings
from llm_admin.jobs.writer import update_one
from llm_admin.models import Batch, BatchRow, Run
from llm_admin.services import execution
from llm_admin.services.live import executor_id

ENDED = {
    RunStatus.SUCCEEDED: RowStatus.SUCCEEDED,
    RunStatus.FAILED: RowStatus.FAILED,
    RunStatus.CANCELLED: RowStatus.STOPPED,
    RunStatus.WAITING: RowStatus.WAITING,
    RunStatus.PENDING: RowStatus.WAITING,  # decided while it was being closed: it goes on by itself
}
UNFINISHED = (RunStatus.INTERRUPTED, RunStatus.CANCELLED)


def lease() -> datetime:
    return timezone.now() + timedelta(seconds=settings().LEASE_SECONDS)


def take_over(batch_id: UUID) -> None:
    """Rows that another process was running: what their runs have become is what they are.

    A row is stored as stopped together with its run; one that is not was about to go on.
    """
    rows = BatchRow._base_manager.filter(batch=batch_id, status=RowStatus.RUNNING).select_related("run")
    for row in rows:
        if row.run is None or row.run.status in UNFINISHED:
            BatchRow._base_manager.filter(pk=row.pk).update(status=RowStatus.PENDING)
        elif status := ENDED.get(RunStatus(row.run.status)):
            store_end(row, row.run, status)


def goes_on(run: Run) -> bool:
    """Interrupted or stopped, with its plan kept: it begins with the steps that are done."""
    return run.status in UNFINISHED and bool(run.spec)


def new_run(batch: Batch, row: BatchRow) -> Run:
    now = timezone.now()
    return Run(
        workspace=batch.workspace,
        kind="workflow",
        spec=batch.spec,
        inputs=row.inputs,
        source=RunSource.BATCH,
        owner=batch.owner,
        batch=batch,
        workflow_id=batch.workflow_id,
        workflow_version_id=batch.workflow_version_id,
        title=f"{batch.title}: row {row.number}"[:220],
        created_at=now,
        status=RunStatus.RUNNING,
        executor=executor_id(),
        started_at=now,
        lease_expires_at=lease(),
    )


def begin(batch: Batch, row: BatchRow, run: Run, *, stopped: bool) -> None:
    """In one transaction with a new run's insert: a row never has a run that nobody knows of.

    Raises LeaseLost when this process was silent for too long and another one has the row, or the batch was deleted.
    """
    ours = {"id": batch.pk, "executor": executor_id()}
    values = {"status": RowStatus.RUNNING, "run": run.pk, "attempts": row.attempts + 1}
    if (
        update_one(Batch, ours, {"lease_expires_at": lease()}) != 1
        or update_one(BatchRow, {"id": row.pk, "status": RowStatus.RUNNING}, values) != 1
    ):
        raise execution.LeaseLost(f"Row {row.pk} is not ours any more.")
    if run.status != RunStatus.RUNNING:
        changes = {
            "status": RunStatus.RUNNING,
            "executor": executor_id(),
            "lease_expires_at": lease(),
            "keeps_steps": True,
            "ended_at": None,
            "error_kind": "",
            "error_message": "",
            "error_step": "",
            "stop_requested_at": None,
        }
        if not Run._base_manager.filter(pk=run.pk, status=run.status).update(**changes):
            raise execution.LeaseLost(f"Run {run.pk} goes on already.")
        for name, value in changes.items():
            setattr(run, name, value)
    if stopped:  # in between: it ends as soon as it is looked after
        update_one(Run, {"id": run.pk}, {"stop_requested_at": timezone.now()})


def end_row(row: BatchRow, run: Run) -> None:
    """In the transaction that closes the run."""
    status = ENDED.get(RunStatus(run.status))
    if status == RowStatus.STOPPED and _resumed(row, run):
        update_one(BatchRow, {"id": row.pk}, {"status": RowStatus.PENDING})
    elif status:
        store_end(row, run, status)
    elif run.status == RunStatus.INTERRUPTED:  # this process goes down: another one continues the row
        update_one(BatchRow, {"id": row.pk}, {"status": RowStatus.PENDING})


def _resumed(row: BatchRow, run: Run) -> bool:
    """The batch was, while this row was still being stopped: it goes on. Who stopped the run alone, meant it."""
    if Run._base_manager.filter(pk=run.pk, stop_requested_at__isnull=False).exists():
        return False
    return Batch._base_manager.filter(pk=row.batch_id, status=BatchStatus.RUNNING).exists()


def store_end(row: BatchRow, run: Run, status: RowStatus) -> None:
    values = {
        "status": status,
        "output": run.output,
        "problem": run.error_message,
        "cost_nano": run.cost_nano,
        "calls": run.calls,
        "ended_at": None if status == RowStatus.WAITING else timezone.now(),
    }
    if not run.spec and status in (RowStatus.SUCCEEDED, RowStatus.FAILED):  # a workspace that keeps no texts
        values |= {"inputs": {}, "original": {}}
    update_one(BatchRow, {"id": row.pk}, values)


def settle_waiting() -> int:
    """Rows that waited for an approval: takes what their runs have become. For the ticker, in the writer's thread."""
    rows = BatchRow._base_manager.filter(status=RowStatus.WAITING, run__isnull=False)
    ended = rows.filter(run__status__in=(RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED))
    found = [(row, row.run) for row in ended.select_related("run")[:500]]
    for row, run in found:
        if run is not None:
            store_end(row, run, ENDED[RunStatus(run.status)])
    return len(found) + _take_back(rows.filter(run__status=RunStatus.INTERRUPTED))


def _take_back(rows: Any) -> int:
    """Their runs went on after a decision, and their process died: a batch that is not stopped goes on with them."""
    batches = list(rows.values_list("batch", flat=True).distinct())
    stopped = rows.filter(batch__status=BatchStatus.STOPPED)
    count: int = stopped.update(status=RowStatus.STOPPED, ended_at=timezone.now())
    count += rows.update(status=RowStatus.PENDING)
    finished = Batch._base_manager.filter(pk__in=batches, status=BatchStatus.FINISHED)
    finished.update(status=BatchStatus.RUNNING, ended_at=None)
    return count
