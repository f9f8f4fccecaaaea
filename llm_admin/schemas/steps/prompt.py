from __future__ import annotations

from typing import Literal

from pydantic import Field

from llm_admin.schemas.steps.base import InputMapping, Place, PromptReference, StepSpec, names_in


class UsesPrompt(StepSpec):
    """Fields of steps that name a saved prompt. Unmapped variables take the workflow's value of the same name."""

    prompt: str = Field(
        default="",
        title="Prompt",
        max_length=100,
        json_schema_extra={"choices_from": "prompts", "empty_title": "No saved prompt"},
    )
    prompt_label: str = Field(
        default="",
        title="Which version",
        max_length=36,
        json_schema_extra={"choices_from": "labels", "empty_title": "Live", "shown_with": ["prompt"]},
    )
    inputs: list[InputMapping] = Field(
        default_factory=list,
        title="What the prompt's variables get",
        description="Empty: the input or earlier result of the same name.",
    )

    def prompt_reference(self) -> PromptReference | None:
        return PromptReference(slug=self.prompt, label=self.prompt_label) if self.prompt else None

    def uses(self) -> list[tuple[Place, str]]:
        return [
            (("inputs", position, "value"), name)
            for position, mapping in enumerate(self.inputs)
            for name in names_in(mapping.value)
        ]


class PromptStep(UsesPrompt):
    label = "Prompt"
    icon = "edit_note"
    help = "Fills in a saved prompt. The result is its messages, ready for a model step."
    result = "messages"
    produces = "messages"

    type: Literal["prompt"] = "prompt"
    prompt: str = Field(title="Prompt", min_length=1, max_length=100, json_schema_extra={"choices_from": "prompts"})
