"""After a process died: its RUNNING runs become *interrupted*, with what had arrived; PENDING ones start.

RUNNING runs never start again by themselves: their calls may have been paid for. Each open call leaves an
*interrupted* log with unknown cost, so that it is on record.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from llm_admin.choices import CallStatus, ErrorKind, RunStatus, StepStatus, StoreTexts
from llm_admin.exceptions import ConsoleError
from llm_admin.models import InteractionLog, Run, RunCheckpoint, RunStep
from llm_admin.schemas.plans import RunPlan
from llm_admin.schemas.records import CallRecord, CallStart
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.services import continuing
from llm_admin.services.budget_gate import settle
from llm_admin.services.live import LIVE
from llm_admin.services.recording import close_steps, log_insert, start_from_json
from llm_admin.services.secrets import redactor

logger = logging.getLogger(__name__)
SENTENCE = "The process that ran this ended unexpectedly. What had arrived is kept; run it again if you need it."
PENDING_GRACE = timedelta(seconds=2)  # the process that stored it is about to claim it


def interrupt_abandoned() -> int:
    """Closes RUNNING runs whose lease is over. Call it in the writer's thread; safe in several processes at once."""
    now = timezone.now()
    abandoned = Run._base_manager.filter(status=RunStatus.RUNNING, lease_expires_at__lt=now).select_related("workspace")
    return sum(_interrupt(run, now) for run in abandoned.order_by("pk")[:500])


def waiting() -> list[Run]:
    """PENDING runs that nobody seems to start."""
    rows = Run._base_manager.filter(status=RunStatus.PENDING, created_at__lt=timezone.now() - PENDING_GRACE)
    return [run for run in rows.select_related("workspace").order_by("pk")[:500] if LIVE.get(run.pk) is None]


def _interrupt(run: Run, now: datetime) -> bool:
    with transaction.atomic():
        rows = Run._base_manager.filter(pk=run.pk, status=RunStatus.RUNNING, lease_expires_at__lt=now)
        checkpoints = list(RunCheckpoint._base_manager.filter(run=run))
        output = checkpoints[0].text if run.kind == "prompt" and checkpoints else None
        if not rows.update(
            status=RunStatus.INTERRUPTED,
            ended_at=now,
            lease_expires_at=None,
            output=output,
            error_kind=ErrorKind.INTERRUPTED,
            error_message=SENTENCE,
        ):
            return False
        calls = [_record(start_from_json(c.call), c.text, c.updated_at) for c in checkpoints]
        calls += _unseen_calls(run, {c.path for c in checkpoints})
        for call in calls:
            _store(run, call)
        close_steps(run, status=StepStatus.INTERRUPTED, kind=ErrorKind.INTERRUPTED, ended_at=now)
        if run.batch_id is None:
            continuing.give_up(run)
        RunCheckpoint._base_manager.filter(run=run).delete()
        Run._base_manager.filter(pk=run.pk).update(calls=InteractionLog._base_manager.filter(run=run).count())
    logger.warning("Run %s of %s was interrupted.", run.pk, run.executor)
    return True


def _store(run: Run, call: CallRecord) -> None:
    insert = log_insert(run, call, redactor().value, keeps_texts=run.workspace.store_texts == StoreTexts.MASKED)
    insert.row.save()
    if insert.child is not None:
        setattr(insert.child, insert.link, insert.row.pk)
        insert.child.save()
    if (settling := settle(call)) is not None:
        settling()


def _record(start: CallStart, text: str, last_seen: datetime) -> CallRecord:
    return CallRecord(
        start=start,
        status=CallStatus.INTERRUPTED,
        answer=text,
        latency_ms=max(0, round((last_seen - start.started_at).total_seconds() * 1000)),
        error_kind=ErrorKind.INTERRUPTED,
    )


def _unseen_calls(run: Run, seen: set[str]) -> list[CallRecord]:
    """No checkpoint was stored, but a call may have gone out within the first half second."""
    began = run.started_at or run.created_at
    if run.kind == "prompt":
        return [] if seen else [_record(_prompt_start(run, began), "", began)]
    calling = [name for name in STEP_SPECS.names() if STEP_SPECS.get(name).calls_model]
    steps = RunStep._base_manager.filter(run=run, status=StepStatus.RUNNING, type__in=calling)
    return [
        _record(CallStart(s.path, s.started_at, messages=[]), "", s.started_at) for s in steps if s.path not in seen
    ]


def _prompt_start(run: Run, began: datetime) -> CallStart:
    from llm_admin.runtime.prompts import fill_in

    start = CallStart("", began, messages=[], prompt_id=run.prompt_id, prompt_version_id=run.prompt_version_id)
    try:
        plan: Any = RunPlan.model_validate(run.spec)
        start.messages = fill_in(plan.prompt.spec, run.inputs)
    except (ValueError, KeyError, ConsoleError):
        logger.warning("The messages of run %s could not be told from its spec.", run.pk)
    return start
