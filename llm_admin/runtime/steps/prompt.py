from __future__ import annotations

from typing import Any

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed, InvalidInput
from llm_admin.runtime.prompts import Chat, fill_in
from llm_admin.runtime.steps.base import Step, StepContext, Values, taken
from llm_admin.schemas.plans import PromptPlan
from llm_admin.schemas.prompts import check_inputs
from llm_admin.schemas.steps.prompt import PromptStep, UsesPrompt


def build(spec: PromptStep) -> Step:
    async def run(values: Values, context: StepContext) -> dict[str, Chat]:
        return {"messages": filled(spec, values, context)}

    return run


def filled(spec: UsesPrompt, values: Values, context: StepContext) -> Chat:
    """The prompt's messages with the step's mapping, or the workflow's values of the same names."""
    plan = context.prompt_of(spec.id)
    if plan is None:
        raise CallFailed(ErrorKind.BAD_REQUEST, f"the prompt “{spec.prompt}” is not part of this run")
    try:
        return fill_in(plan.spec, check_inputs(plan.spec, _inputs(spec, plan, values)))
    except InvalidInput as error:
        raise CallFailed(
            ErrorKind.BAD_REQUEST, f"the prompt “{spec.prompt}” could not be filled in: {error}"
        ) from error


def _inputs(spec: UsesPrompt, plan: PromptPlan, values: Values) -> dict[str, Any]:
    mapped = {m.name: taken(m.value, values) for m in spec.inputs}
    same = {v.name: values[v.name] for v in plan.spec.variables if v.name in values}
    return same | mapped
