from __future__ import annotations

from typing import Literal

from pydantic import Field

from llm_admin.schemas.steps.base import StepSpec, first_part


class ShoutStep(StepSpec):
    label = "Shout"
    icon = "campaign"
    help = "Says it loudly."
    example = "HELLO!"
    result = "shout"

    type: Literal["shout"] = "shout"
    source: str = Field(
        default="",
        title="What",
        max_length=200,
        json_schema_extra={"choices_from": "variables", "empty_title": "The step before"},
    )
    marks: int = Field(default=1, ge=1, le=5, title="Exclamation marks")

    def uses(self):
        return [(("source",), first_part(self.source))] if self.source else []

    def previous_field(self) -> str:
        return "source"


def build(spec: ShoutStep):
    async def run(values, context):
        return str(values[spec.source or context.previous]).upper() + "!" * spec.marks

    return run


class Shelf:
    """A collection of one passage."""

    async def search(self, query, *, count):
        from llm_admin.runtime.retrievers import Passage

        return [Passage(f"About {query}", "Shelf 1", 0.9)][:count]


def length(text: str) -> int:
    return len(text)


async def greet(values):
    return {"greeting": f"Hello {values['name']}"}


def broken(text: str) -> str:
    raise ValueError(f"no {text} today")


def unstorable(text: str) -> object:
    return object()
