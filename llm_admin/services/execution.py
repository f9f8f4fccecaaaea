"""Drives runs: claim, execute, close. Exactly one process executes a run, and it always leaves a closed row.

A run's life in the database: the claim (or the insert as RUNNING), checkpoints while it streams, and one last
transaction with its log and its end. Closing is a compare-and-set on status and executor, so that a process that
was stalled cannot overwrite what recovery wrote.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any, TypeVar

from django.db import DatabaseError, transaction
from django.utils import timezone

from llm_admin import log_lines, signals
from llm_admin.channels.memory import CHANNEL
from llm_admin.choices import CallStatus, ErrorKind, RunStatus, StepStatus, StoreTexts
from llm_admin.conf import settings
from llm_admin.exceptions import ConsoleError, ShuttingDown
from llm_admin.jobs.local import LOCAL
from llm_admin.jobs.writer import WRITER, Insert, update_one
from llm_admin.models import Run, RunCheckpoint, RunError
from llm_admin.schemas.events import RunEvent, StatusEvent
from llm_admin.schemas.records import Outcome
from llm_admin.services import continuing, metrics, upkeep
from llm_admin.services.answers import CachedAnswers
from llm_admin.services.budget_gate import BudgetGate
from llm_admin.services.live import LIVE, Emitter, LiveRun, executor_id
from llm_admin.services.recording import RunRecorder, close_steps
from llm_admin.services.resolving import ModelResolver
from llm_admin.services.routes import SharedRoutes
from llm_admin.services.secrets import redactor_at_hand

T = TypeVar("T")
Listener = Callable[[RunEvent], None]
logger = logging.getLogger(__name__)
CLOSING_ATTEMPTS = 6  # with growing pauses, some 6 s in all; then the lease runs out and recovery closes the row

_slots: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}


class LeaseLost(ConsoleError):
    """Another process closed this run, because this one was silent for too long."""


def refuse_when_stopping() -> None:
    if LIVE.stopping:
        raise ShuttingDown("The server is being restarted and takes no new runs. Try again in a moment.")


def run_async(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, from synchronous code. Refuses inside a running loop, which it would block."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return LOCAL.run(coroutine)
    coroutine.close()
    raise ConsoleError("This is called inside a running event loop; await the variant that begins with “a” instead.")


def launch(run: Run) -> Future[Outcome | None]:
    """Executes a stored PENDING run in this process's job loop; whoever claims it first has it.

    The caller keeps `run` to itself: it may refresh it while the loop's thread works with a copy."""
    upkeep.start()
    live = _prepare(copy.copy(run))
    return LOCAL.submit(_claim_and_drive(live))


async def run_now(run: Run, *, listener: Listener | None = None) -> tuple[Outcome, RunRecorder]:
    """Stores an unsaved run as claimed by this process, and executes it in the running loop."""
    refuse_when_stopping()
    upkeep.start()
    live = _prepare(run, listener)
    now = timezone.now()
    run.status, run.executor, run.started_at = RunStatus.RUNNING, executor_id(), now
    run.lease_expires_at = now + timedelta(seconds=settings().LEASE_SECONDS)
    await WRITER.write(Insert(run))
    outcome = await _drive(live)
    return outcome, live.recorder


async def drive_claimed(run: Run, *, also: Callable[[], None]) -> Outcome:
    """Of a run whose row is stored as RUNNING and ours already (a batch's). `also` is written with its end."""
    live = _prepare(run)
    live.also = also
    return await _drive(live)


def stop(run_id: Any) -> None:
    """If it runs in this process; otherwise its own process sees `stop_requested_at` within a second."""
    if live := LIVE.get(run_id):
        live.stop()


def _prepare(run: Run, listener: Listener | None = None) -> LiveRun:
    key = str(run.pk)
    CHANNEL.open(key)
    emitter = Emitter(key, listener)
    recorder = RunRecorder(
        run,
        keeps_texts=run.workspace.store_texts == StoreTexts.MASKED,
        mask=redactor_at_hand().value,
        emit=emitter.thread_safe,
        begin=emitter.begin,
        finish=emitter.finish,
    )
    return LiveRun(run, emitter, recorder)


async def _claim_and_drive(live: LiveRun) -> Outcome | None:
    loop = asyncio.get_running_loop()
    slots = _slots.setdefault(loop, asyncio.Semaphore(settings().RUN_CONCURRENCY))
    async with slots:
        if LIVE.stopping or not await WRITER.write(lambda: _claim(live.run)):
            if LIVE.get(live.run.pk) is None:  # else it was launched twice, and the other one has it
                CHANNEL.end(str(live.run.pk))
            return None
        return await _drive(live)


def _claim(run: Run) -> bool:
    now = timezone.now()
    values = {
        "status": RunStatus.RUNNING,
        "executor": executor_id(),
        "started_at": run.started_at or now,
        "lease_expires_at": now + timedelta(seconds=settings().LEASE_SECONDS),
    }
    claimed = Run._base_manager.filter(pk=run.pk, status=RunStatus.PENDING).update(**values) == 1
    if claimed:
        for name, value in values.items():
            setattr(run, name, value)
    return claimed


async def _drive(live: LiveRun) -> Outcome:
    with log_lines.about(**_about(live.run)):
        return await _driven(live)


def _about(run: Run) -> dict[str, Any]:
    """What its lines in the log say. Nothing is read for it: this is an event loop."""
    cached, plan = run._state.fields_cache, run.spec
    workflow, owner = cached.get("workflow"), cached.get("owner")
    return {
        "run_id": run.pk,
        "workspace": run.workspace.slug,
        "prompt": (plan.get("prompt") or {}).get("slug"),
        "workflow": workflow.slug if workflow else run.workflow_id,
        "user": owner.get_username() if owner else run.owner_id,
        "batch_id": run.batch_id,
    }


async def _driven(live: LiveRun) -> Outcome:
    if "llm_admin.runtime.executor" not in sys.modules:
        await asyncio.to_thread(import_module, "llm_admin.runtime.executor")  # a second, the first time
    from llm_admin.runtime.context import Context
    from llm_admin.runtime.executor import execute

    run, limits = live.run, settings()
    answers = CachedAnswers(run)
    context = Context(
        resolver=ModelResolver(run.workspace_id),
        recorder=live.recorder,
        emit=live.emitter.emit,
        call_timeout=limits.CALL_TIMEOUT,
        first_token_timeout=limits.FIRST_TOKEN_TIMEOUT,
        call_retries=limits.CALL_RETRIES,
        gate=BudgetGate(run),
        routes=SharedRoutes(),
        answers=answers,
    )
    if run.keeps_steps:
        state = await WRITER.write(lambda: continuing.load(run))
        context.done, context.decisions = state.done, state.decisions
        live.recorder.stored |= state.stored
    live.loop, live.task = asyncio.get_running_loop(), asyncio.current_task()
    live.interrupt = lambda: setattr(context, "stop_status", CallStatus.INTERRUPTED)
    LIVE.add(live)
    live.emitter.emit(StatusEvent(type="status", status=RunStatus.RUNNING.value))
    try:
        outcome = await execute(context, run.spec, run.inputs)
    except asyncio.CancelledError:
        outcome = _stopped(context.stop_status)
        await _close(live, outcome)
        if not live.stopped:
            raise
        return outcome
    if outcome.error_kind == ErrorKind.PARSE_ERROR:
        await answers.doubt()
    await _close(live, outcome)
    return outcome


def _stopped(status: CallStatus) -> Outcome:
    if status == CallStatus.INTERRUPTED:
        sentence = (
            "The server was stopped while this was running. What had arrived is kept; run it again if you need it."
        )
        return Outcome(RunStatus.INTERRUPTED, error_kind=ErrorKind.INTERRUPTED, error=sentence)
    return Outcome(RunStatus.CANCELLED, error_kind=ErrorKind.CANCELLED, error="Stopped. What had arrived is kept.")


async def _close(live: LiveRun, outcome: Outcome) -> None:
    """Durable before the last event; a second cancellation meanwhile does not get in between."""
    closing = asyncio.ensure_future(_write_end(live, outcome))
    while not closing.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.shield(closing)
    LIVE.remove(live)
    live.emitter.emit(StatusEvent(type="status", status=outcome.status.value))
    CHANNEL.end(str(live.run.pk), keep=live.run.batch_id is None)
    if live.goes_on:
        launch(live.run)
    if error := closing.exception():
        logger.error("The end of run %s could not be stored.", live.run.pk, exc_info=error)
    elif outcome.status != RunStatus.WAITING:
        metrics.run_ended(live.run, outcome.status)


async def _write_end(live: LiveRun, outcome: Outcome) -> None:
    await live.recorder.settled()
    pause = 0.1
    for attempt in range(1, CLOSING_ATTEMPTS + 1):
        try:
            await WRITER.write(*live.recorder.unwritten(), *_traceback(live, outcome), lambda: _end(live, outcome))
            return
        except LeaseLost:
            logger.warning("Run %s was closed by another process meanwhile.", live.run.pk)
            return
        except DatabaseError:
            if attempt == CLOSING_ATTEMPTS:
                raise
        await asyncio.sleep(pause)
        pause *= 2


def _traceback(live: LiveRun, outcome: Outcome) -> list[Insert]:
    if not outcome.traceback:
        return []
    logger.error("Run %s failed unexpectedly:\n%s", live.run.pk, redactor_at_hand().text(outcome.traceback))
    return [Insert(RunError(run=live.run, text=redactor_at_hand().text(outcome.traceback)))]


def _end(live: LiveRun, outcome: Outcome) -> None:
    """In the writer's transaction."""
    run, mask, keeps = live.run, redactor_at_hand().value, live.recorder.keeps_texts
    live.closed = True
    waits = outcome.status == RunStatus.WAITING
    values: dict[str, Any] = {
        "status": outcome.status,
        "ended_at": None if waits else timezone.now(),
        "lease_expires_at": None,
        "output": mask(outcome.output) if keeps else None,
        "error_kind": outcome.error_kind or "",
        "error_message": mask(outcome.error),
        "error_step": outcome.error_step,
        **live.recorder.totals(),
    }
    if waits:
        values |= {"executor": "", "keeps_steps": True}
        if continuing.is_decided(run):
            values["status"], live.goes_on = RunStatus.PENDING, True
    elif not keeps:
        values |= {"inputs": {}, "spec": {}}
    ours = {"id": run.pk, "status": RunStatus.RUNNING, "executor": run.executor}
    if update_one(Run, ours, values) != 1:
        raise LeaseLost(f"Run {run.pk} is not ours any more.")
    if live.recorder.checkpointed:
        RunCheckpoint._base_manager.filter(run=run).delete()
    if run.kind == "workflow" and not waits:
        _end_steps(live, outcome, values["ended_at"])
    for name, value in values.items():
        setattr(run, name, value)
    if live.also is not None:
        live.also()
    if not waits and signals.run_ended.has_listeners(Run):
        transaction.on_commit(lambda: signals.run_ended.send_robust(Run, run=run))


def _end_steps(live: LiveRun, outcome: Outcome, at: datetime) -> None:
    if outcome.status != RunStatus.SUCCEEDED:
        close_steps(live.run, status=StepStatus(outcome.status.value), kind=outcome.error_kind or "", ended_at=at)
    asked = live.recorder.asked or live.run.keeps_steps
    if asked and not (outcome.status == RunStatus.INTERRUPTED and live.run.batch_id):  # its batch goes on with it
        continuing.give_up(live.run)
    if live.recorder.keeps_state and not live.recorder.keeps_texts:
        continuing.forget_texts(live.run)
