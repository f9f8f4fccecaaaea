"""Drives a batch: so many rows at a time, each a run of its own, until none is left.

One process pumps a batch, under a lease; another takes it over when that ran out. A row whose run was interrupted goes
on from the steps that are done, so that no finished call is paid for twice; a finished row never runs again. Rows are
read in small numbers, so memory does not grow with the batch.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from llm_admin.choices import ROW_OPEN, BatchStatus, RowStatus, RunSource, RunStatus
from llm_admin.conf import settings
from llm_admin.jobs.local import LOCAL
from llm_admin.jobs.writer import WRITER, Insert, update_one
from llm_admin.models import Batch, BatchRow, Run
from llm_admin.services import execution, upkeep
from llm_admin.services.live import LIVE, executor_id

logger = logging.getLogger(__name__)
WAKE_SECONDS = 0.5
ENDED = {
    RunStatus.SUCCEEDED: RowStatus.SUCCEEDED,
    RunStatus.FAILED: RowStatus.FAILED,
    RunStatus.CANCELLED: RowStatus.STOPPED,
    RunStatus.WAITING: RowStatus.WAITING,
}
UNFINISHED = (RunStatus.INTERRUPTED, RunStatus.CANCELLED, RunStatus.PENDING)
_pumping: dict[UUID, asyncio.Event] = {}


@dataclass
class _Pump:
    batch: Batch
    running: set[asyncio.Task[Any]] = field(default_factory=set)
    waiting: list[BatchRow] = field(default_factory=list)
    last: int = 0  # number of the last row that was fetched
    paused: bool = False
    stopped: bool = False


def launch(batch_id: UUID) -> None:
    """In this process's job loop, unless it is pumped already; then it looks again."""
    upkeep.start()
    LOCAL.submit(_pump(batch_id))


def is_busy() -> bool:
    """Whether this process is pumping a batch, or letting one go."""
    return bool(_pumping)


async def _pump(batch_id: UUID) -> None:
    if bell := _pumping.get(batch_id):
        bell.set()
        return
    _pumping[batch_id] = bell = asyncio.Event()
    try:
        batch = await WRITER.write(lambda: _claim(batch_id))
        if batch is not None:
            await _drive(_Pump(batch), bell)
    finally:
        del _pumping[batch_id]


def _claim(batch_id: UUID) -> Batch | None:
    now = timezone.now()
    free = Q(executor=executor_id()) | Q(lease_expires_at=None) | Q(lease_expires_at__lt=now)
    rows = Batch._base_manager.filter(pk=batch_id, status=BatchStatus.RUNNING).filter(free)
    if not rows.update(executor=executor_id(), lease_expires_at=_lease()):
        return None
    _take_over(batch_id)
    return Batch._base_manager.select_related("workspace", "owner").get(pk=batch_id)


def _lease() -> Any:
    return timezone.now() + timedelta(seconds=settings().LEASE_SECONDS)


def _take_over(batch_id: UUID) -> None:
    """Rows that another process was running: what their runs have become is what they are.

    A row is stored as stopped together with its run; one that is not was about to go on.
    """
    rows = BatchRow._base_manager.filter(batch=batch_id, status=RowStatus.RUNNING).select_related("run")
    for row in rows:
        if row.run is None or row.run.status in UNFINISHED:
            BatchRow._base_manager.filter(pk=row.pk).update(status=RowStatus.PENDING)
        elif status := ENDED.get(RunStatus(row.run.status)):
            _store_end(row, row.run, status)


async def _drive(pump: _Pump, bell: asyncio.Event) -> None:
    """Until nothing is left, or somebody paused or stopped it, or this process goes down."""
    renewal = asyncio.ensure_future(_keep_lease(pump, bell))
    try:
        while not LIVE.stopping:
            bell.clear()
            if not pump.paused:
                await _fill(pump)
            if not pump.running and (pump.paused or await WRITER.write(lambda: _finish(pump.batch))):
                return
            await _next(pump, bell)
    finally:
        renewal.cancel()
        if pump.running:
            await asyncio.wait(pump.running)
        await WRITER.write(lambda: _let_go(pump))


async def _fill(pump: _Pump) -> None:
    while len(pump.running) < pump.batch.concurrency:
        if not pump.waiting:
            pump.waiting = await WRITER.write(lambda: _fetch(pump))
            if not pump.waiting:
                return
        row = pump.waiting.pop(0)
        task = asyncio.ensure_future(_run_row(pump, row))
        pump.running.add(task)
        task.add_done_callback(partial(_row_ended, pump))


def _row_ended(pump: _Pump, task: asyncio.Task[Any]) -> None:
    pump.running.discard(task)
    if not task.cancelled() and (error := task.exception()):
        logger.error("A row of batch %s could not be run.", pump.batch.pk, exc_info=error)


async def _next(pump: _Pump, bell: asyncio.Event) -> None:
    """Until a row has ended, or something about the batch has changed."""
    ringing = asyncio.ensure_future(bell.wait())
    await asyncio.wait({*pump.running, ringing}, timeout=WAKE_SECONDS * 4, return_when=asyncio.FIRST_COMPLETED)
    ringing.cancel()


def _fetch(pump: _Pump) -> list[BatchRow]:
    """The next pending rows; from the beginning again when there are none behind (retried, resumed ones)."""
    ours = Batch._base_manager.filter(pk=pump.batch.pk, executor=executor_id())
    fresh = None if pump.paused else ours.select_related("workspace", "owner").first()
    if fresh is None:
        return []
    pump.batch = fresh  # its workflow or owner may have been deleted meanwhile: no new run can name them
    rows = BatchRow._base_manager.filter(batch=pump.batch, status=RowStatus.PENDING).order_by("number")
    size = max(20, pump.batch.concurrency * 2)
    found = list(rows.filter(number__gt=pump.last).select_related("run")[:size])
    if not found and pump.last:
        found = list(rows.select_related("run")[:size])
    if found:
        pump.last = found[-1].number
    BatchRow._base_manager.filter(pk__in=[row.pk for row in found]).update(status=RowStatus.RUNNING)
    return found


async def _run_row(pump: _Pump, row: BatchRow) -> None:
    batch = pump.batch
    run = row.run if row.run is not None and _goes_on(row.run) else _new_run(batch, row)
    run.workspace, run.owner = batch.workspace, batch.owner
    fresh = run._state.adding
    operations: list[Any] = [Insert(run)] if fresh else []
    try:
        await WRITER.write(*operations, lambda: _begin(pump, row, run))
    except execution.LeaseLost:
        return
    await execution.drive_claimed(run, also=lambda: _end_row(row, run))


def _goes_on(run: Run) -> bool:
    """Interrupted or stopped, with its plan kept: it begins with the steps that are done."""
    return run.status in UNFINISHED and bool(run.spec)


def _new_run(batch: Batch, row: BatchRow) -> Run:
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
        lease_expires_at=_lease(),
    )


def _begin(pump: _Pump, row: BatchRow, run: Run) -> None:
    """In one transaction with a new run's insert: a row never has a run that nobody knows of.

    Raises LeaseLost when this process was silent for too long and another one has the row, or the batch was deleted.
    """
    if not BatchRow._base_manager.filter(pk=row.pk, status=RowStatus.RUNNING, batch__executor=executor_id()).exists():
        raise execution.LeaseLost(f"Row {row.pk} is not ours any more.")
    if run.status != RunStatus.RUNNING:
        changes = {
            "status": RunStatus.RUNNING,
            "executor": executor_id(),
            "lease_expires_at": _lease(),
            "keeps_steps": True,
            "ended_at": None,
            "error_kind": "",
            "error_message": "",
            "error_step": "",
            "stop_requested_at": None,
        }
        Run._base_manager.filter(pk=run.pk).update(**changes)
        for name, value in changes.items():
            setattr(run, name, value)
    values = {"status": RowStatus.RUNNING, "run": run.pk, "attempts": row.attempts + 1}
    update_one(BatchRow, {"id": row.pk}, values)
    if pump.stopped:  # in between: it ends as soon as it is looked after
        update_one(Run, {"id": run.pk}, {"stop_requested_at": timezone.now()})


def _end_row(row: BatchRow, run: Run) -> None:
    """In the transaction that closes the run."""
    status = ENDED.get(RunStatus(run.status))
    if status == RowStatus.STOPPED and _resumed(row, run):
        update_one(BatchRow, {"id": row.pk}, {"status": RowStatus.PENDING})
    elif status:
        _store_end(row, run, status)
    elif run.status == RunStatus.INTERRUPTED:  # this process goes down: another one continues the row
        update_one(BatchRow, {"id": row.pk}, {"status": RowStatus.PENDING})


def _resumed(row: BatchRow, run: Run) -> bool:
    """The batch was, while this row was still being stopped: it goes on. Who stopped the run alone, meant it."""
    if Run._base_manager.filter(pk=run.pk, stop_requested_at__isnull=False).exists():
        return False
    return Batch._base_manager.filter(pk=row.batch_id, status=BatchStatus.RUNNING).exists()


def _store_end(row: BatchRow, run: Run, status: RowStatus) -> None:
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


def _finish(batch: Batch) -> bool:
    """Whether nothing is left to do here. Rows that wait for an approval do not keep it running."""
    open_rows = BatchRow._base_manager.filter(batch=batch, status__in=ROW_OPEN).exclude(status=RowStatus.WAITING)
    if open_rows.exists():
        _take_over(batch.pk)  # what looks as if it were running: nothing is, here
        return False
    changes = {"status": BatchStatus.FINISHED, "ended_at": timezone.now()}
    Batch._base_manager.filter(pk=batch.pk, status=BatchStatus.RUNNING, executor=executor_id()).update(**changes)
    return True


def _let_go(pump: _Pump) -> None:
    batch = pump.batch
    if not Batch._base_manager.filter(pk=batch.pk, executor=executor_id()).update(executor="", lease_expires_at=None):
        return  # another process pumps it, and what is fetched is fetched by that one
    unbegun = Q(run=None) | Q(pk__in=[row.pk for row in pump.waiting])
    ours = BatchRow._base_manager.filter(unbegun, batch=batch, status=RowStatus.RUNNING)
    ours.update(status=RowStatus.PENDING)  # fetched, not begun


async def _keep_lease(pump: _Pump, bell: asyncio.Event) -> None:
    """Renews it, and notices Pause, Stop and Resume, also of another process."""
    while True:
        await asyncio.sleep(min(WAKE_SECONDS, settings().LEASE_SECONDS / 3))
        status = await WRITER.write(lambda: _renew(pump.batch))
        paused = status != BatchStatus.RUNNING
        if paused and not pump.paused:
            await WRITER.write(lambda: _give_back(pump))
            _stop_rows(pump)
        if paused != pump.paused:
            pump.paused, pump.stopped = paused, paused and pump.stopped
            bell.set()


def _renew(batch: Batch) -> str | None:
    """Its status; None when it is not ours any more."""
    rows = Batch._base_manager.filter(pk=batch.pk, executor=executor_id())
    rows.update(lease_expires_at=_lease())
    return rows.values_list("status", flat=True).first()


def _is_ours(batch: Batch) -> bool:
    return Batch._base_manager.filter(pk=batch.pk, executor=executor_id()).exists()


def _give_back(pump: _Pump) -> None:
    """Rows that were fetched and have not begun: stopped with the batch, or left for later."""
    pump.paused = True
    waiting, pump.waiting = pump.waiting, []
    if not _is_ours(pump.batch):
        return
    pump.stopped = Batch._base_manager.filter(pk=pump.batch.pk, status=BatchStatus.STOPPED).exists()
    status = RowStatus.STOPPED if pump.stopped else RowStatus.PENDING
    BatchRow._base_manager.filter(pk__in=[row.pk for row in waiting]).update(status=status)


def _stop_rows(pump: _Pump) -> None:
    """Those that began after Stop had asked the others, or that another process was asked to stop."""
    for live in LIVE.all() if pump.stopped else ():
        if live.run.batch_id == pump.batch.pk:
            live.stop()


def settle_waiting() -> int:
    """Rows that waited for an approval: takes what their runs have become. For the ticker, in the writer's thread."""
    rows = BatchRow._base_manager.filter(status=RowStatus.WAITING, run__isnull=False)
    ended = rows.filter(run__status__in=(RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED))
    found = [(row, row.run) for row in ended.select_related("run")[:500]]
    for row, run in found:
        if run is not None:
            _store_end(row, run, ENDED[RunStatus(run.status)])
    return len(found)


def abandoned() -> list[UUID]:
    """Batches that nobody pumps: their process died, or went down."""
    rows = Batch._base_manager.filter(status=BatchStatus.RUNNING)
    free = rows.filter(Q(lease_expires_at=None) | Q(lease_expires_at__lt=timezone.now()))
    return [pk for pk in free.values_list("pk", flat=True)[:50] if pk not in _pumping]
