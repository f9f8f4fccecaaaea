from __future__ import annotations

from typing import Literal

from pydantic import Field

from llm_admin.schemas.steps.base import InputMapping, Place, StepSpec, names_in


class RunnableStep(StepSpec):
    label = "Function"
    icon = "extension"
    help = "Calls something that your developers registered: a function or a LangChain Runnable."
    result = "result"

    type: Literal["runnable"] = "runnable"
    name: str = Field(
        title="Which",
        min_length=1,
        max_length=100,
        json_schema_extra={"choices_from": "runnables", "empty_title": "Choose a function"},
    )
    inputs: list[InputMapping] = Field(
        default_factory=list,
        max_length=50,
        title="What it gets",
        description="Empty: the result of the step before.",
        json_schema_extra={"add_title": "Add a value"},
    )

    def uses(self) -> list[tuple[Place, str]]:
        return [
            (("inputs", position, "value"), name)
            for position, mapping in enumerate(self.inputs)
            for name in names_in(mapping.value)
        ]

    def previous_field(self) -> str:
        return "" if self.inputs else "inputs"
