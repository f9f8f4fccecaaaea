"""The builder of every step type; the same names as in schemas.steps.STEP_SPECS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llm_admin.registry import Registry
from llm_admin.runtime.steps.base import Step

STEP_BUILDERS: Registry[Callable[[Any], Step]] = Registry(
    "step builder",
    {
        "prompt": "llm_admin.runtime.steps.prompt.build",
        "llm": "llm_admin.runtime.steps.llm.build",
        "parser": "llm_admin.runtime.steps.parser.build",
        "template": "llm_admin.runtime.steps.template.build",
        "set": "llm_admin.runtime.steps.set_value.build",
        "classify": "llm_admin.runtime.steps.classify.build",
        "branch": "llm_admin.runtime.steps.branch.build",
        "for_each": "llm_admin.runtime.steps.for_each.build",
        "retrieve": "llm_admin.runtime.steps.retrieve.build",
        "approval": "llm_admin.runtime.steps.approval.build",
        "runnable": "llm_admin.runtime.steps.runnable.build",
    },
)
