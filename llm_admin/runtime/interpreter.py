"""Runs a workflow's steps over named variables and reports each as it starts and ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from llm_admin.choices import CallStatus, ErrorKind, StepStatus
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.context import Context
from llm_admin.runtime.steps import STEP_BUILDERS
from llm_admin.runtime.steps.base import StepContext, Values
from llm_admin.schemas.records import StepRecord
from llm_admin.schemas.steps import StepSpec
from llm_admin.schemas.workflows import WorkflowSpec


class StepFailed(Exception):
    """Carries the failing step's id out of the interpreter."""

    def __init__(self, step_id: str, cause: CallFailed) -> None:
        self.step_id, self.cause = step_id, cause
        super().__init__(step_id)


async def run_workflow(context: Context, spec: WorkflowSpec, inputs: Values) -> Any:
    values: dict[str, Any] = dict(inputs)
    previous = ""
    for position, step in enumerate(spec.steps, start=1):
        values[step.id] = await _run_step(StepContext(context, str(position), previous), step, values)
        previous = step.id
    return values[spec.output_name]


async def _run_step(context: StepContext, step: StepSpec, values: Values) -> Any:
    record = StepRecord(
        path=context.path,
        step_id=step.id,
        type=step.type,
        title=step.heading,
        started_at=datetime.now(UTC),
        input=_used(step, values, context.previous),
    )
    _report(context.run, record)
    try:
        output = await STEP_BUILDERS.get(step.type)(step)(values, context)
    except CallFailed as error:
        _report(context.run, _ended(record, StepStatus.FAILED, error_kind=error.kind, error=error.detail))
        raise StepFailed(step.id, error) from error
    except asyncio.CancelledError:
        interrupted = context.run.stop_status == CallStatus.INTERRUPTED
        kind = ErrorKind.INTERRUPTED if interrupted else ErrorKind.CANCELLED
        _report(context.run, _ended(record, StepStatus(kind.value), error_kind=kind))
        raise
    _report(context.run, _ended(record, StepStatus.SUCCEEDED, output=output))
    return output


def _used(step: StepSpec, values: Values, previous: str) -> dict[str, Any]:
    """What the step was given: the variables that it names, and the result before it."""
    names = {name for _, name in step.uses()} | ({previous} if previous else set(values))
    return {name: value for name, value in values.items() if name in names}


def _ended(record: StepRecord, status: StepStatus, **details: Any) -> StepRecord:
    return replace(record, status=status, ended_at=datetime.now(UTC), **details)


def _report(run: Context, record: StepRecord) -> None:
    if record.status == StepStatus.RUNNING:
        run.recorder.step_started(record)
    else:
        run.recorder.step_ended(record)
