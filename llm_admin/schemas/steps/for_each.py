from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from llm_admin.schemas.base import IDENTIFIER
from llm_admin.schemas.steps.base import NAME_RULE, Place, Slot, StepSpec, first_part
from llm_admin.schemas.steps.nested import AnyStep, slot

MOST_ITEMS = 1_000


class ForEachStep(StepSpec):
    label = "For each"
    icon = "repeat"
    help = "Does the same steps for every entry of a list, several at a time. Its result is the list of their results."
    example = "For each of {{questions}}: …"
    result = "results"
    slot_titles = {"steps": "For each entry"}

    type: Literal["for_each"] = "for_each"
    items: str = Field(
        default="",
        title="List",
        max_length=200,
        description="A list, or a text with an entry in each line.",
        json_schema_extra={"choices_from": "variables", "empty_title": "The step before"},
    )
    item: str = Field(
        default="item",
        title="Name of an entry",
        min_length=1,
        max_length=60,
        description="The steps inside use it as {{item}}.",
    )
    parallel: int = Field(default=4, ge=1, le=20, title="At the same time")
    if_one_fails: Literal["stop", "leave_empty"] = Field(
        default="stop",
        title="If an entry fails",
        json_schema_extra={"choice_titles": {"stop": "Stop", "leave_empty": "Leave its result empty and go on"}},
    )
    steps: list[AnyStep] = slot("For each entry")

    @field_validator("item")
    @classmethod
    def _item_is_identifier(cls, value: str) -> str:
        if not IDENTIFIER.match(value):
            raise ValueError(NAME_RULE)
        return value

    def uses(self) -> list[tuple[Place, str]]:
        return [(("items",), first_part(self.items))] if self.items else []

    def previous_field(self) -> str:
        return "items"

    def slots(self) -> list[Slot]:
        return [Slot("steps", "For each entry", self.steps, gives=(self.item,), first=self.item)]
