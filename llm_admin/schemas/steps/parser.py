from __future__ import annotations

from typing import Literal

from pydantic import Field

from llm_admin.schemas.base import Spec
from llm_admin.schemas.steps.base import Place, StepSpec


class OutputField(Spec):
    """One key that the JSON must have."""

    name: str = Field(title="Key", min_length=1, max_length=100)
    type: Literal["text", "number", "whole_number", "yes_no", "list", "object", "any"] = Field(
        default="text", title="Kind", json_schema_extra={"choice_titles": {"yes_no": "Yes or no"}}
    )
    required: bool = Field(default=True, title="Required")


class ParserStep(StepSpec):
    label = "Parser"
    icon = "data_object"
    help = "Reads an answer: as plain text, or as JSON with the keys that you expect."
    result = "data"

    type: Literal["parser"] = "parser"
    source: str = Field(
        default="",
        title="Reads",
        max_length=60,
        json_schema_extra={"choices_from": "variables", "empty_title": "The step before"},
    )
    format: Literal["text", "json"] = Field(
        default="text", title="Format", json_schema_extra={"choice_titles": {"json": "JSON", "text": "Plain text"}}
    )
    keys: list[OutputField] = Field(
        default_factory=list,
        title="Expected keys",
        description="Only for JSON. Without any, whatever JSON comes is taken.",
        json_schema_extra={"add_title": "Add a key"},
    )

    def uses(self) -> list[tuple[Place, str]]:
        return [(("source",), self.source)] if self.source else []

    def previous_field(self) -> str:
        return "source"
