from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from llm_admin.schemas.prompts import Parameters, Text
from llm_admin.schemas.steps.base import names_in
from llm_admin.schemas.steps.prompt import UsesPrompt


class LLMStep(UsesPrompt):
    label = "Model"
    icon = "smart_toy"
    help = "Asks a model: with a saved prompt, with messages of an earlier step, or with a text written here."

    type: Literal["llm"] = "llm"
    messages_from: str = Field(
        default="",
        title="Messages from",
        max_length=60,
        description="An earlier prompt step. Empty, with no prompt and no text: the step before.",
        json_schema_extra={"choices_from": "variables"},
    )
    text: Text = Field(
        default="", title="Text", description="{{name}} puts in an input or a result.", json_schema_extra={"widget": "textarea"}
    )
    model: str = Field(
        default="",
        title="Model",
        max_length=60,
        description="Empty: the prompt's model, or the workspace's default.",
        json_schema_extra={"choices_from": "models"},
    )
    parameters: Parameters = Field(default_factory=Parameters, title="Settings")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(map(bool, (self.prompt, self.messages_from, self.text))) > 1:
            raise ValueError("Choose one: a prompt, messages from a step, or a text of its own.")
        return self

    def uses(self) -> list[tuple[str, str]]:
        here = [("messages_from", self.messages_from)] if self.messages_from else []
        return super().uses() + here + [("text", name) for name in names_in(self.text)]
