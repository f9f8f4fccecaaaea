from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from llm_admin.schemas.base import Spec, duplicates
from llm_admin.schemas.steps.base import Place, StepSpec, first_part


class Category(Spec):
    name: str = Field(title="Name", min_length=1, max_length=100)
    description: str = Field(
        default="", title="When", max_length=1_000, description="What belongs here, in a sentence: it helps the model."
    )

    @field_validator("name")
    @classmethod
    def _one_line(cls, name: str) -> str:
        if not name.strip() or "\n" in name:
            raise ValueError("A category needs a name in one line.")
        return name.strip()


class ClassifyStep(StepSpec):
    label = "Classify"
    icon = "category"
    help = "Asks a model which one of your categories a text belongs to. The result is that category's name."
    example = "refund · complaint · question"
    result = "category"
    calls_model = True

    type: Literal["classify"] = "classify"
    source: str = Field(
        default="",
        title="Text",
        max_length=200,
        json_schema_extra={"choices_from": "variables", "empty_title": "The step before"},
    )
    categories: list[Category] = Field(
        min_length=2, max_length=50, title="Categories", json_schema_extra={"add_title": "Add a category"}
    )
    otherwise: str = Field(
        default="",
        title="If none of them is answered",
        max_length=100,
        description="This becomes the result. Empty: the step fails.",
    )
    hint: str = Field(
        default="",
        title="What else the model should know",
        max_length=4_000,
        json_schema_extra={"widget": "textarea"},
    )
    model: str = Field(
        default="",
        title="Model",
        max_length=60,
        json_schema_extra={"choices_from": "models", "empty_title": "Default model"},
    )

    @model_validator(mode="after")
    def _different(self) -> Self:
        if twice := duplicates([one.name.casefold() for one in self.categories]):
            raise ValueError(f"The category “{self.categories[twice[0]].name}” is there twice.")
        return self

    def uses(self) -> list[tuple[Place, str]]:
        return [(("source",), first_part(self.source))] if self.source else []

    def previous_field(self) -> str:
        return "source"
