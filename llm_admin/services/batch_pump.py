"""Drives a batch: so many rows at a time, each a run of its own, until none is left.

One process pumps a batch, under a lease; another takes it over when that ran out. A row whose run was interrupted goes
on from the steps that are done, so that no finished call is paid for twice; a finished row never runs again. Rows are
read in small numbers, so memory does not grow with the batch.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from llm_admin.choices import ROW_OPEN, BatchStatus, RowStatus
from llm_admin.conf import settings
from llm_admin.jobs.local import LOCAL
from llm_admin.jobs.writer import WRITER, Insert
from llm_admin.models import Batch, BatchRow
from llm_admin.services import batch_work, execution, upkeep
from llm_admin.services.live import LIVE, executor_id

logger = logging.getLogger(__name__)
WAKE_SECONDS = 0.5
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
    bell.set()
    try:
        while bell.is_set() and not LIVE.stopping:  # it may be resumed in the moment when nothing was left
            bell.clear()
            batch = await WRITER.write(lambda: _claim(batch_id))
            if batch is not None:
                await _drive(_Pump(batch), bell)
    finally:
        del _pumping[batch_id]


def _claim(batch_id: UUID) -> Batch | None:
    now = timezone.now()
    free = Q(executor=executor_id()) | Q(lease_expires_at=None) | Q(lease_expires_at__lt=now)
    rows = Batch._base_manager.filter(pk=batch_id, status=BatchStatus.RUNNING).filter(free)
    if not rows.update(executor=executor_id(), lease_expires_at=batch_work.lease()):
        return None
    batch_work.take_over(batch_id)
    return Batch._base_manager.select_related("workspace", "owner").get(pk=batch_id)


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
    if row.run is not None and row.run.is_open:
        return  # it goes on by itself: somebody decided what it waited for
    run = row.run if row.run is not None and batch_work.goes_on(row.run) else batch_work.new_run(batch, row)
    run.workspace, run.owner = batch.workspace, batch.owner
    fresh = run._state.adding
    operations: list[Any] = [Insert(run)] if fresh else []
    try:
        await WRITER.write(*operations, lambda: batch_work.begin(batch, row, run, stopped=pump.stopped))
    except execution.LeaseLost:
        return
    await execution.drive_claimed(run, also=lambda: batch_work.end_row(row, run))


def _finish(batch: Batch) -> bool:
    """Whether nothing is left to do here. Rows that wait for an approval do not keep it running."""
    open_rows = BatchRow._base_manager.filter(batch=batch, status__in=ROW_OPEN).exclude(status=RowStatus.WAITING)
    if open_rows.exists():
        batch_work.take_over(batch.pk)  # what looks as if it were running: nothing is, here
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
        try:
            status = await WRITER.write(lambda: _renew(pump.batch))
        except DatabaseError as error:  # also the next time it can be renewed, and Pause be noticed
            logger.warning("The lease of batch %s could not be renewed: %s", pump.batch.pk, error)
            continue
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
    rows.update(lease_expires_at=batch_work.lease())
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


def abandoned() -> list[UUID]:
    """Batches that nobody pumps: their process died, or went down."""
    rows = Batch._base_manager.filter(status=BatchStatus.RUNNING)
    free = rows.filter(Q(lease_expires_at=None) | Q(lease_expires_at__lt=timezone.now()))
    return [pk for pk in free.values_list("pk", flat=True)[:50] if pk not in _pumping]
