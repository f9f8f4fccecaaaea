"""What every step has. A step type is a subclass with a `type` literal, registered by that name."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from llm_admin.schemas import template
from llm_admin.schemas.base import IDENTIFIER, Spec

Place = tuple[str | int, ...]


class StepSpec(Spec):
    label: ClassVar[str]
    icon: ClassVar[str]
    help: ClassVar[str]
    result: ClassVar[str] = "result"  # the name that a new step's result gets, if it is free
    produces: ClassVar[str] = "text"  # "messages": what a model step can send as it is

    type: str
    id: str = Field(
        title="Result name", min_length=1, max_length=60, description="Later steps use the result as {{name}}."
    )
    title: str = Field(default="", title="Title", max_length=100)

    @field_validator("id")
    @classmethod
    def _identifier(cls, value: str) -> str:
        if not IDENTIFIER.match(value):
            raise ValueError("A result name has letters, digits and underscores, and does not begin with a digit.")
        return value

    @property
    def heading(self) -> str:
        return self.title or f"{self.label}: {self.id}"

    def uses(self) -> list[tuple[Place, str]]:
        """(place within the step, name) of every variable that this step reads."""
        return []

    def previous_field(self) -> str:
        """The field that, left empty, means "the step before" in this step; "" when it needs none."""
        return ""

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
