"""The step types. A third party's `register_step` entry is equal to ours."""

from __future__ import annotations

from llm_admin.registry import Registry
from llm_admin.schemas.steps.base import StepSpec

STEP_SPECS: Registry[type[StepSpec]] = Registry(
    "step type",
    {
        "prompt": "llm_admin.schemas.steps.prompt.PromptStep",
        "llm": "llm_admin.schemas.steps.llm.LLMStep",
        "parser": "llm_admin.schemas.steps.parser.ParserStep",
        "template": "llm_admin.schemas.steps.template.TemplateStep",
        "set": "llm_admin.schemas.steps.set_value.SetStep",
        "classify": "llm_admin.schemas.steps.classify.ClassifyStep",
        "branch": "llm_admin.schemas.steps.branch.BranchStep",
        "for_each": "llm_admin.schemas.steps.for_each.ForEachStep",
        "retrieve": "llm_admin.schemas.steps.retrieve.RetrieveStep",
        "approval": "llm_admin.schemas.steps.approval.ApprovalStep",
        "runnable": "llm_admin.schemas.steps.runnable.RunnableStep",
    },
)

__all__ = ["STEP_SPECS", "StepSpec"]
