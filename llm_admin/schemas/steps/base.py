"""What every step has. A step type is a subclass with a `type` literal, registered by that name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from llm_admin.schemas import template
from llm_admin.schemas.base import IDENTIFIER, Spec

Place = tuple[str | int, ...]
NAME_RULE = "A result name has letters, digits and underscores, and does not begin with a digit."


class FailureSpec(Spec):
    """What a step does when it fails. Times in seconds."""

    retries: int = Field(default=0, ge=0, le=5, title="Try again, times")
    delay: float = Field(default=2, ge=0, le=600, title="Seconds between the tries")
    timeout: float | None = Field(default=None, gt=0, le=86_400, title="Give up after, in seconds")
    action: Literal["stop", "value", "go_to"] = Field(
        default="stop",
        title="If it still fails",
        json_schema_extra={
            "choice_titles": {
                "stop": "Stop the run",
                "value": "Use this value and go on",
                "go_to": "Go to a later step",
            }
        },
    )
    value: str = Field(
        default="",
        title="Value to use",
        max_length=100_000,
        description="{{name}} puts in an input or an earlier result.",
        json_schema_extra={"widget": "textarea", "shown_when": ["action", "value"]},
    )
    go_to: str = Field(
        default="",
        title="Step to go to",
        max_length=60,
        json_schema_extra={
            "choices_from": "later_steps",
            "empty_title": "Choose a step",
            "shown_when": ["action", "go_to"],
        },
    )

    @model_validator(mode="after")
    def _target(self) -> Self:
        if self.action == "go_to" and not self.go_to:
            raise ValueError("Choose the step to go to.")
        return self


@dataclass(frozen=True)
class Slot:
    """Steps inside a step. `gives`: names that only they see; `first`: what "the step before" is for the first one."""

    name: str
    title: str
    steps: Sequence[StepSpec]
    gives: tuple[str, ...] = field(default_factory=tuple)
    first: str = ""


class StepSpec(Spec):
    label: ClassVar[str]
    icon: ClassVar[str]
    help: ClassVar[str]
    example: ClassVar[str] = ""
    result: ClassVar[str] = "result"  # the name that a new step's result gets, if it is free
    produces: ClassVar[str] = "text"  # "messages": what a model step can send as it is
    slot_titles: ClassVar[dict[str, str]] = {}  # the fields that hold further steps, as the editor shows them
    calls_model: ClassVar[bool] = False

    type: str
    id: str = Field(
        title="Result name", min_length=1, max_length=60, description="Later steps use the result as {{name}}."
    )
    title: str = Field(default="", title="Title", max_length=100)
    disabled: bool = Field(default=False, title="Switched off", json_schema_extra={"hidden": True})
    failure: FailureSpec = Field(
        default_factory=FailureSpec, title="If it fails", json_schema_extra={"collapsed": True, "last": True}
    )

    @field_validator("id")
    @classmethod
    def _identifier(cls, value: str) -> str:
        if not IDENTIFIER.match(value):
            raise ValueError(NAME_RULE)
        return value

    @property
    def heading(self) -> str:
        return self.title or f"{self.label}: {self.id}"

    def uses(self) -> list[tuple[Place, str]]:
        """(place within the step, name) of every variable that this step reads; not those of its inner steps."""
        return []

    def everything_used(self) -> list[tuple[Place, str]]:
        return [*self.uses(), *((("failure", "value"), name) for name in names_in(self.failure.value))]

    def previous_field(self) -> str:
        """The field that, left empty, means "the step before" in this step; "" when it needs none."""
        return ""

    def slots(self) -> list[Slot]:
        return []

    def keys_known(self) -> list[str]:
        """What its result is known to hold: offered as {{name.key}}."""
        return []

    def prompt_reference(self) -> PromptReference | None:
        """The saved prompt that this step needs, if any."""
        return None


class PromptReference(Spec):
    slug: str
    label: str = ""
    number: int | None = None


class InputMapping(Spec):
    """What a variable of the prompt gets: a text in which {{names}} of the workflow are replaced."""

    name: str = Field(title="Variable of the prompt", min_length=1)
    value: str = Field(
        default="",
        title="Gets",
        description="Text; {{name}} puts in an input or an earlier result.",
        json_schema_extra={"widget": "textarea"},
    )


def names_in(text: str) -> list[str]:
    """The first parts of every {{name}} and {{name.key}}."""
    return list(dict.fromkeys(path.split(".")[0] for path in template.paths(text)))


def first_part(path: str) -> str:
    return path.split(".")[0]
