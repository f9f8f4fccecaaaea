from __future__ import annotations

from typing import Literal

from pydantic import Field

from llm_admin.schemas.prompts import Text
from llm_admin.schemas.steps.base import Place, StepSpec, names_in


class RetrieveStep(StepSpec):
    label = "Look up"
    icon = "menu_book"
    help = "Finds the passages that fit a question. The result is a list of passages with text and source."
    example = "{{question}}"
    result = "passages"

    type: Literal["retrieve"] = "retrieve"
    collection: str = Field(
        title="Where",
        min_length=1,
        max_length=100,
        json_schema_extra={"choices_from": "collections", "empty_title": "Choose where to look"},
    )
    query: Text = Field(
        default="",
        title="Question",
        description="{{name}} puts in an input or an earlier result. Empty: the step before.",
        json_schema_extra={"widget": "textarea", "placeholder": example},
    )
    count: int = Field(default=4, ge=1, le=50, title="Passages, at most")

    def uses(self) -> list[tuple[Place, str]]:
        return [(("query",), name) for name in names_in(self.query)]

    def previous_field(self) -> str:
        return "query"
