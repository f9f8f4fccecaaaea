"""WorkflowSpec: inputs, steps in order, and what it gives back."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from llm_admin.schemas.base import IDENTIFIER, Spec, duplicates
from llm_admin.schemas.steps import StepSpec
from llm_admin.schemas.steps.base import Place, names_in
from llm_admin.schemas.steps.nested import AnyStep
from llm_admin.schemas.variables import VariableSpec
from llm_admin.schemas.walking import Found, walk
from llm_admin.schemas.workflow_names import problems

MOST_STEPS = 100


class OutcomeField(Spec):
    """One named part of what a workflow gives back."""

    name: str = Field(title="Name", min_length=1, max_length=60)
    value: str = Field(
        title="Value",
        min_length=1,
        max_length=10_000,
        description="{{name}} of an input or result; {{name.key}} one key of it.",
    )

    @field_validator("name")
    @classmethod
    def _identifier(cls, value: str) -> str:
        if not IDENTIFIER.match(value):
            raise ValueError("A name has letters, digits and underscores, and does not begin with a digit.")
        return value


def _error(location: Place, message: str) -> InitErrorDetails:
    return InitErrorDetails(type=PydanticCustomError("workflow", "{m}", {"m": message}), loc=location, input=None)


class WorkflowSpec(Spec):
    """It gives back `outputs` by their names; without them one result: `output`, or the last step's."""

    schema_version: Literal[1] = 1
    inputs: list[VariableSpec] = Field(default_factory=list, max_length=100, title="Inputs")
    steps: list[AnyStep] = Field(min_length=1, max_length=MOST_STEPS, title="Steps")
    output: str = Field(default="", max_length=60, title="Outcome", description="A result; empty: the last step's.")
    outputs: list[OutcomeField] = Field(default_factory=list, max_length=50, title="Outputs")

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        names = [variable.name for variable in self.inputs]
        errors = [_error(("inputs", at, "name"), f"“{names[at]}” is declared twice.") for at in duplicates(names)]
        wrong, scope = problems(self.steps, names)
        errors += [_error(place, message) for place, message in wrong]
        if sum(1 for _ in self.walk()) > MOST_STEPS:
            errors.append(_error(("steps",), f"At most {MOST_STEPS} steps are possible, those within others included."))
        if all(step.disabled for step in self.steps):
            errors.append(_error(("steps",), "All steps are switched off."))
        errors += [_error(place, message) for place, message in self._outcome_problems(scope.known)]
        if errors:
            raise ValidationError.from_exception_data("WorkflowSpec", errors)
        return self

    def _outcome_problems(self, known: set[str]) -> list[tuple[Place, str]]:
        wrong: list[tuple[Place, str]] = []
        if self.output and self.output not in known:
            wrong.append((("output",), f"No step has the result “{self.output}”."))
        for at, one in enumerate(self.outputs):
            missing = [name for name in names_in(one.value) if name not in known]
            wrong += [(("outputs", at, "value"), f"Nothing here is called “{name}”.") for name in missing]
        twice = duplicates(one.name for one in self.outputs)
        return wrong + [(("outputs", at, "name"), f"“{self.outputs[at].name}” is there twice.") for at in twice]

    @property
    def output_name(self) -> str:
        return self.output or [step for step in self.steps if not step.disabled][-1].id

    def walk(self) -> list[Found]:
        """All steps, those within others too."""
        return list(walk(self.steps))

    def all_steps(self) -> list[StepSpec]:
        return [found.step for found in self.walk()]


def upgrade(data: Any) -> Any:
    """Stored specs of older schema versions become today's; there is only version 1 so far."""
    return data
