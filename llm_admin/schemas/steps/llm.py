from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from llm_admin.schemas.prompts import Parameters, Text
from llm_admin.schemas.steps.base import Place, names_in
from llm_admin.schemas.steps.prompt import UsesPrompt


class LLMStep(UsesPrompt):
    label = "Model"
    icon = "smart_toy"
    help = "Asks a model: with a saved prompt, with messages of an earlier step, or with a text written here."
    result = "answer"
    calls_model = True

    type: Literal["llm"] = "llm"
    messages_from: str = Field(
        default="",
        title="Messages from",
        max_length=60,
        description="Only without a saved prompt and without a text.",
        json_schema_extra={
            "choices_from": "messages",
            "empty_title": "The step before",
            "shown_without": ["prompt", "text"],
        },
    )
    text: Text = Field(
        default="",
        title="Text",
        description="Instead of a saved prompt. {{name}} puts in an input or an earlier result.",
        json_schema_extra={"widget": "textarea", "shown_without": ["prompt", "messages_from"]},
    )
    model: str = Field(
        default="",
        title="Model",
        max_length=60,
        json_schema_extra={"choices_from": "models", "empty_title": "Default model"},
    )
    parameters: Parameters = Field(default_factory=Parameters, title="Settings", json_schema_extra={"collapsed": True})

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(map(bool, (self.prompt, self.messages_from, self.text))) > 1:
            raise ValueError("Choose one: a prompt, messages from a step, or a text of its own.")
        return self

    def uses(self) -> list[tuple[Place, str]]:
        here: list[tuple[Place, str]] = [(("text",), name) for name in names_in(self.text)]
        if self.messages_from:
            here.append((("messages_from",), self.messages_from))
        return super().uses() + here

    def previous_field(self) -> str:
        return "" if self.prompt or self.text.strip() else "messages_from"
