from __future__ import annotations

from typing import Literal

from pydantic import Field

from llm_admin.schemas.prompts import Text
from llm_admin.schemas.steps.base import Place, StepSpec, names_in


class TemplateStep(StepSpec):
    label = "Text"
    icon = "notes"
    help = "Composes a text from inputs and earlier results. No model is asked."
    example = "Dear {{customer}},\n\n{{answer}}"
    result = "text"

    type: Literal["template"] = "template"
    text: Text = Field(
        title="Text",
        min_length=1,
        description="{{name}} puts in an input or an earlier result; {{name.key}} one key of it.",
        json_schema_extra={"widget": "textarea", "placeholder": example},
    )

    def uses(self) -> list[tuple[Place, str]]:
        return [(("text",), name) for name in names_in(self.text)]
