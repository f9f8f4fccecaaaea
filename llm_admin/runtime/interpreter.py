"""Runs a workflow's steps over named variables and reports each as it starts and ends.

What is in `context.done` (by path) does not run: resuming after an approval or a crash, "run again from here" and
"try this step" are all a run with some steps already done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from llm_admin.choices import CallStatus, ErrorKind, StepStatus
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.context import Context
from llm_admin.runtime.results import sound
from llm_admin.runtime.steps import STEP_BUILDERS
from llm_admin.runtime.steps.base import Paused, Step, StepContext, StepFailed, Values, taken
from llm_admin.schemas.records import Done, StepRecord
from llm_admin.schemas.steps import StepSpec
from llm_admin.schemas.walking import inner_prefix, inside
from llm_admin.schemas.workflows import WorkflowSpec

MOST_STEPS = 100_000  # that one run may take: loops within loops would fill the disk
NOT_TRIED_AGAIN = frozenset((ErrorKind.AUTHENTICATION, ErrorKind.BAD_REQUEST, ErrorKind.DECLINED))


async def run_workflow(context: Context, spec: WorkflowSpec, inputs: Values) -> Any:
    """Raises StepFailed, CallFailed for its outputs, or Paused when somebody has to decide first."""
    values: dict[str, Any] = dict(inputs)
    await _run_block(context, spec.steps, "", values, previous="")
    if spec.outputs:
        return sound({one.name: taken(one.value, values) for one in spec.outputs})
    return values[spec.output_name]


async def _run_block(
    context: Context, steps: Sequence[StepSpec], prefix: str, values: dict[str, Any], previous: str
) -> Any:
    """Puts each result into `values`; returns the last one."""
    result, at = None, 0
    while at < len(steps):
        step = steps[at]
        if not step.disabled:
            result, target = await _run_step(StepContext(context, f"{prefix}{at + 1}", previous, step.id), step, values)
            values[step.id], previous = result, step.id
            if target:
                landing = next(i for i, one in enumerate(steps) if one.id == target)
                values |= {skipped.id: None for skipped in steps[at + 1 : landing]}
                at = landing
                continue
        at += 1
    return result


async def _run_step(context: StepContext, step: StepSpec, values: dict[str, Any]) -> tuple[Any, str]:
    """The result, and the step to go to if not the next one."""
    run = context.run
    if done := run.done.get(context.path):
        return _as_before(step, done)
    run.steps += 1
    if run.steps > MOST_STEPS:
        raise CallFailed(ErrorKind.BAD_REQUEST, f"a run has at most {MOST_STEPS:,} steps, each turn of a loop counted")
    record = StepRecord(
        path=context.path,
        step_id=step.id,
        type=step.type,
        title=step.heading,
        started_at=datetime.now(UTC),
        input=_used(step, values, context.previous),
    )
    context.run_slot = _slot_runner(context, step)
    run.recorder.step_started(record)
    try:
        output = await _tried(STEP_BUILDERS.get(step.type)(step), step, values, context)
    except StepFailed as error:
        return _failed(context, step, values, record, error)
    except CallFailed as error:
        return _failed(context, step, values, record, StepFailed(step.id, error))
    except Paused:
        _end(context, record, StepStatus.WAITING, ended_at=None)
        raise
    except asyncio.CancelledError:
        interrupted = run.stop_status == CallStatus.INTERRUPTED
        kind = ErrorKind.INTERRUPTED if interrupted else ErrorKind.CANCELLED
        _end(context, record, StepStatus(kind.value), error_kind=kind)
        raise
    _end(context, record, StepStatus.SUCCEEDED, output=output)
    return output, ""


def _as_before(step: StepSpec, done: Done) -> tuple[Any, str]:
    """What a step that has ended meant for the run."""
    if done.failed is None or step.failure.action == "value":
        return done.output, ""
    if step.failure.action == "go_to":
        return None, step.failure.go_to
    raise StepFailed(step.id, CallFailed(done.failed, done.error))


def _slot_runner(context: StepContext, step: StepSpec) -> Any:
    slots = {slot.name: slot for slot in step.slots()}

    async def run_slot(name: str, values: Values, *, entry: int | None = None) -> Any:
        slot = slots[name]
        prefix = inner_prefix(context.path, slot, entry)
        return await _run_block(context.run, slot.steps, prefix, dict(values), slot.first or context.previous)

    return run_slot


async def _tried(run: Step, step: StepSpec, values: Values, context: StepContext) -> Any:
    """Again, as often as the step says; what a try cannot change is not tried again."""
    left = step.failure.retries
    while True:
        try:
            return await _in_time(run, step, values, context)
        except (CallFailed, StepFailed) as error:
            cause = error.cause if isinstance(error, StepFailed) else error
            if not left or cause.kind in NOT_TRIED_AGAIN:
                raise
        left -= 1
        if step.slots():
            _forget_within(context)
        await asyncio.sleep(step.failure.delay)


def _forget_within(context: StepContext) -> None:
    """A try begins anew: results of the one before would be mixed with its own, also after a crash."""
    run = context.run
    run.done = {path: done for path, done in run.done.items() if not inside(path, context.path)}
    run.recorder.steps_forgotten(context.path)


async def _in_time(run: Step, step: StepSpec, values: Values, context: StepContext) -> Any:
    limit = step.failure.timeout
    if limit is None:
        return sound(await run(values, context))
    try:
        async with asyncio.timeout(limit):
            return sound(await run(values, context))
    except TimeoutError:
        raise CallFailed(ErrorKind.TIMEOUT, f"the step took longer than {limit:g} s") from None


def _failed(
    context: StepContext, step: StepSpec, values: Values, record: StepRecord, error: StepFailed
) -> tuple[Any, str]:
    failure, cause = step.failure, error.cause
    if failure.action == "value":
        context.note = "Failed; the value for this case was used"
        try:
            output = sound(taken(failure.value, values))
        except CallFailed as worse:
            _end(context, record, StepStatus.FAILED, error_kind=worse.kind, error=worse.detail)
            raise StepFailed(step.id, worse) from None
        _end(context, record, StepStatus.FAILED, error_kind=cause.kind, error=cause.detail, output=output)
        return output, ""
    if failure.action == "go_to":
        context.note = f"Failed; went on at “{failure.go_to}”"
    _end(context, record, StepStatus.FAILED, error_kind=cause.kind, error=cause.detail)
    if failure.action == "go_to":
        return None, failure.go_to
    raise error


def _used(step: StepSpec, values: Values, previous: str) -> dict[str, Any]:
    """What the step was given: the variables that it names, and the result before it."""
    names = {name for _, name in step.everything_used()} | ({previous} if previous else set(values))
    return {name: value for name, value in values.items() if name in names}


def _end(context: StepContext, record: StepRecord, status: StepStatus, **details: Any) -> None:
    details.setdefault("ended_at", datetime.now(UTC))
    context.run.recorder.step_ended(replace(record, status=status, note=context.note, **details))
