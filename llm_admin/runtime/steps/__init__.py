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
    },
)
