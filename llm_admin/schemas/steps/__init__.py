"""The step types. A third party's `register_step_spec` entry is equal to ours."""

from __future__ import annotations

from llm_admin.registry import Registry
from llm_admin.schemas.steps.base import StepSpec

STEP_SPECS: Registry[type[StepSpec]] = Registry(
    "step type",
    {
        "prompt": "llm_admin.schemas.steps.prompt.PromptStep",
        "llm": "llm_admin.schemas.steps.llm.LLMStep",
        "parser": "llm_admin.schemas.steps.parser.ParserStep",
    },
)

__all__ = ["STEP_SPECS", "StepSpec"]
