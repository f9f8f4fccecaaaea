from __future__ import annotations

from typing import Literal

from pydantic import Field

from llm_admin.schemas.prompts import Text
from llm_admin.schemas.steps.base import Place, StepSpec, names_in


class SetStep(StepSpec):
    label = "Set"
    icon = "edit_square"
    help = "Gives a name to a value: a fixed one, or a part of an earlier result."
    example = "{{data.urgency}}"
    result = "value"

    type: Literal["set"] = "set"
    kind: Literal["as_it_is", "text", "number", "boolean", "list", "json"] = Field(
        default="as_it_is",
        title="Kind",
        json_schema_extra={
            "choice_titles": {
                "as_it_is": "As it is",
                "boolean": "Yes or no",
                "list": "List, an entry in a line",
                "json": "JSON",
            }
        },
    )
    value: Text = Field(
        default="",
        title="Value",
        description="{{name}} or {{name.key}} alone keeps the value as it is: a list stays a list.",
        json_schema_extra={"widget": "textarea", "placeholder": example},
    )

    def uses(self) -> list[tuple[Place, str]]:
        return [(("value",), name) for name in names_in(self.value)]
