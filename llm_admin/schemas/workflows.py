"""WorkflowSpec: inputs, steps in order, and which result is the outcome."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializeAsAny, ValidationError, WrapValidator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from llm_admin.schemas.base import Spec
from llm_admin.schemas.steps import STEP_SPECS, StepSpec
from llm_admin.schemas.variables import VariableSpec


def _step_of_its_type(data: Any, _handler: Any) -> StepSpec:
    """Looks the step's type up in the registry, so that errors name the field and not a branch of a union."""
    if isinstance(data, StepSpec):
        return data
    kind = data.get("type") if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in STEP_SPECS:
        raise ValueError(f"There is no step type “{kind}”. Known: {', '.join(STEP_SPECS.names())}.")
    return STEP_SPECS.get(kind).model_validate(data)


AnyStep = Annotated[SerializeAsAny[StepSpec], WrapValidator(_step_of_its_type)]


def _error(location: tuple[str | int, ...], message: str) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError("workflow", "{m}", {"m": message}), loc=location, input=None)


class WorkflowSpec(Spec):
    schema_version: Literal[1] = 1
    inputs: list[VariableSpec] = Field(default_factory=list, max_length=100, title="Inputs")
    steps: list[AnyStep] = Field(min_length=1, max_length=100, title="Steps")
    output: str = Field(default="", max_length=60, title="Outcome", description="A result; empty: the last step's.")

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        errors: list[InitErrorDetails] = []
        known: dict[str, str] = {}
        for position, variable in enumerate(self.inputs):
            if variable.name in known:
                errors.append(_error(("inputs", position, "name"), f"“{variable.name}” is declared twice."))
            known[variable.name] = "input"
        for position, step in enumerate(self.steps):
            errors += self._step_errors(position, step, known)
            known[step.id] = step.type
        if self.output and self.output not in known:
            errors.append(_error(("output",), f"No step has the result “{self.output}”."))
        if errors:
            raise ValidationError.from_exception_data("WorkflowSpec", errors)
        return self

    def _step_errors(self, position: int, step: StepSpec, known: dict[str, str]) -> list[InitErrorDetails]:
        place = ("steps", position)
        errors = [
            _error((*place, *field), f"Nothing before this step is called “{name}”.")
            for field, name in step.uses()
            if name not in known
        ]
        if position == 0 and (field := step.previous_field()) and not getattr(step, field, ""):
            errors.append(_error((*place, field), "There is no step before this one: say here what it works on."))
        if step.id in known:
            errors.append(_error((*place, "id"), f"“{step.id}” is taken by an earlier step or input; choose another."))
        return errors

    @property
    def output_name(self) -> str:
        return self.output or self.steps[-1].id


def upgrade(data: Any) -> Any:
    """Stored specs of older schema versions become today's; there is only version 1 so far."""
    return data
