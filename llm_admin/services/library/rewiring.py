"""Workflows of a file name prompts as the file does; here these may have other short names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_admin.schemas.workflows import WorkflowSpec


def with_prompts(spec: WorkflowSpec, slugs: Mapping[str, str]) -> WorkflowSpec:
    """In every step, those within others too."""
    data = spec.model_dump(mode="json")
    _rewire(data["steps"], slugs)
    return WorkflowSpec.model_validate(data)


def _rewire(steps: list[dict[str, Any]], slugs: Mapping[str, str]) -> None:
    for step in steps:
        if step.get("prompt"):
            step["prompt"] = slugs.get(step["prompt"], step["prompt"])
        for inner in step.values():
            if isinstance(inner, list) and all(
                isinstance(one, dict) and "type" in one and "id" in one for one in inner
            ):
                _rewire(inner, slugs)
