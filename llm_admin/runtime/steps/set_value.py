from __future__ import annotations

from typing import Any

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.steps.base import Step, StepContext, Values, as_text, taken
from llm_admin.schemas.steps.set_value import SetStep
from llm_admin.schemas.values import PARSERS


def build(spec: SetStep) -> Step:
    async def run(values: Values, context: StepContext) -> Any:
        value = taken(spec.value, values)
        if spec.kind == "as_it_is":
            return value
        if spec.kind == "text":
            return as_text(value)
        try:
            return PARSERS[spec.kind](value)
        except ValueError as error:
            raise CallFailed(ErrorKind.PARSE_ERROR, f"the value {error}") from None

    return run
