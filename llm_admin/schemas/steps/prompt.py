from __future__ import annotations

from typing import Literal

from pydantic import Field

from llm_admin.schemas.steps.base import InputMapping, PromptReference, StepSpec, names_in


class UsesPrompt(StepSpec):
    """Fields of steps that name a saved prompt. Unmapped variables take the workflow's value of the same name."""

    prompt: str = Field(default="", title="Prompt", max_length=100, json_schema_extra={"choices_from": "prompts"})
    prompt_label: str = Field(
        default="",
        title="Which version",
        max_length=36,
        description="A label; empty means Live.",
    )
    inputs: list[InputMapping] = Field(default_factory=list, title="Inputs of the prompt")

    def prompt_reference(self) -> PromptReference | None:
        return PromptReference(slug=self.prompt, label=self.prompt_label) if self.prompt else None

    def uses(self) -> list[tuple[str, str]]:
        return [("inputs", name) for mapping in self.inputs for name in names_in(mapping.value)]


class PromptStep(UsesPrompt):
    label = "Prompt"
    icon = "edit_note"
    help = "Fills in a saved prompt. The result are its messages, ready for a model step."

    type: Literal["prompt"] = "prompt"
    prompt: str = Field(title="Prompt", min_length=1, max_length=100, json_schema_extra={"choices_from": "prompts"})
