"""Executes a run's plan. Whatever happens inside, an `Outcome` comes out; only the task's cancellation passes through.

The executor is a coroutine with an `emit` function, not a generator: a call per token costs less than a level of
generators, and steps that run side by side emit as they please (docs/adr/0003).
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Mapping
from typing import Any

from llm_admin.choices import ErrorKind, RunStatus
from llm_admin.exceptions import CallFailed, InvalidInput
from llm_admin.runtime.calls import Request, call_model
from llm_admin.runtime.context import Context
from llm_admin.runtime.errors import advice
from llm_admin.runtime.interpreter import run_workflow
from llm_admin.runtime.outputs import check_answer
from llm_admin.runtime.prompts import fill_in
from llm_admin.runtime.steps.base import Paused, StepFailed
from llm_admin.schemas.plans import RunPlan
from llm_admin.schemas.records import Outcome

MOST_PLANS = 100
_plans: dict[int, tuple[Mapping[str, Any], RunPlan]] = {}
_lock = threading.Lock()


async def execute(context: Context, spec: Mapping[str, Any], inputs: Mapping[str, Any]) -> Outcome:
    """`spec`: a stored `RunPlan`."""
    try:
        context.plan = compiled(spec)
        output = await _run(context, inputs)
    except Paused:
        return Outcome(RunStatus.WAITING)
    except StepFailed as error:
        return _failed(error.cause, error.step_id)
    except CallFailed as error:
        return _failed(error)
    except Exception as error:  # noqa: BLE001 - docs/adr/0017: the unexpected becomes *internal*, never lost
        return Outcome(
            RunStatus.FAILED,
            error_kind=ErrorKind.INTERNAL,
            error=advice(ErrorKind.INTERNAL, ""),
            traceback="".join(traceback.format_exception(error)),
        )
    return Outcome(RunStatus.SUCCEEDED, output=output)


def compiled(spec: Mapping[str, Any]) -> RunPlan:
    """Once for each object, which is never changed in place: the runs of a batch, and of a version, share theirs."""
    with _lock:
        known = _plans.get(id(spec))
    if known is not None and known[0] is spec:
        return known[1]
    plan = RunPlan.model_validate(spec)
    with _lock:
        while len(_plans) >= MOST_PLANS:
            del _plans[next(iter(_plans))]
        _plans[id(spec)] = (spec, plan)  # with the object, so that its id stays its own
    return plan


async def _run(context: Context, inputs: Mapping[str, Any]) -> Any:
    plan = context.plan
    if plan.workflow is not None:
        return await run_workflow(context, plan.workflow, inputs)
    if plan.prompt is None:
        raise ValueError("the plan has neither a prompt nor a workflow")
    spec = plan.prompt.spec
    alias = plan.model or spec.model or plan.default_model
    if not alias:
        raise CallFailed(ErrorKind.BAD_REQUEST, "no model is chosen, and the workspace has no default model")
    try:
        chat = fill_in(spec, inputs)
    except InvalidInput as error:
        raise CallFailed(ErrorKind.BAD_REQUEST, f"the prompt could not be filled in: {error}") from error
    answer = await call_model(context, Request("", alias, chat, spec.call_parameters(), plan.prompt))
    check_answer(spec, answer)
    return answer


def _failed(error: CallFailed, step_id: str = "") -> Outcome:
    sentence = advice(error.kind, error.detail, model=error.model, connection=error.connection)
    return Outcome(RunStatus.FAILED, error_kind=error.kind, error=sentence, error_step=step_id)
