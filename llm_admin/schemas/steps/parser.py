from __future__ import annotations

import json
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from llm_admin.schemas.base import Spec
from llm_admin.schemas.outputs import schema_problem
from llm_admin.schemas.steps.base import Place, StepSpec, first_part


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
    help = "Reads an answer: as text, a list, a number, yes or no, or JSON with the keys that you expect."
    example = '{"urgency": "high", "topic": "billing"}'
    result = "data"

    type: Literal["parser"] = "parser"
    source: str = Field(
        default="",
        title="Reads",
        max_length=200,
        json_schema_extra={"choices_from": "variables", "empty_title": "The step before"},
    )
    format: Literal["text", "json", "list", "number", "yes_no"] = Field(
        default="text",
        title="Format",
        json_schema_extra={
            "choice_titles": {
                "json": "JSON",
                "text": "Plain text",
                "list": "List, an entry in a line",
                "yes_no": "Yes or no",
            }
        },
    )
    keys: list[OutputField] = Field(
        default_factory=list,
        title="Expected keys",
        description="Only for JSON. Without any, whatever JSON comes is taken.",
        json_schema_extra={"add_title": "Add a key", "shown_when": ["format", "json"]},
    )
    json_schema: str = Field(
        default="",
        title="JSON schema, instead of keys",
        max_length=100_000,
        json_schema_extra={"widget": "textarea", "shown_when": ["format", "json"], "shown_without": ["keys"]},
    )

    @model_validator(mode="after")
    def _schema_is_one(self) -> Self:
        if self.json_schema.strip():
            if self.keys:
                raise ValueError("Choose one: expected keys, or a JSON schema written by hand.")
            try:
                schema = json.loads(self.json_schema)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"The JSON schema is not JSON: {error}.") from None
            if not isinstance(schema, dict):
                raise ValueError('A JSON schema is an object, such as {"type": "array"}.')
            if wrong := schema_problem(schema):
                raise ValueError(f"This is no JSON schema: {wrong}.")
        return self

    @property
    def schema_by_hand(self) -> dict[str, Any] | None:
        return json.loads(self.json_schema) if self.json_schema.strip() else None

    def uses(self) -> list[tuple[Place, str]]:
        return [(("source",), first_part(self.source))] if self.source else []

    def previous_field(self) -> str:
        return "source"

    def keys_known(self) -> list[str]:
        return [key.name for key in self.keys] if self.format == "json" else []
