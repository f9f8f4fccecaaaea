"""Which blocks answer a question: those of whole days that hold what is asked, and no more than that."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from llm_admin.models import BlockLevel
from llm_admin.rollups.codes import code_of

# What people filter on and what numbers are broken down by: the name here, and the column of the log.
COLUMNS = {
    "model": "model_id",
    "deployment": "deployment_id",
    "prompt": "prompt_id",
    "version": "prompt_version_id",
    "workflow": "workflow_id",
    "source": "source",
    "user": "user_id",
    "status": "status",
    "error": "error_kind",
    "cached": "cached",
}
DIMENSIONS = tuple(COLUMNS)
Given = dict[str, tuple[Any, ...]]  # by dimension, what it may be

# Days by some dimensions together, and by them and each other one.
JOINT = {
    BlockLevel.OUTCOME: (("source", "status", "error", "cached"), ("model", "prompt", "workflow")),
    BlockLevel.DEPLOYMENT: (("deployment",), ("model", "prompt", "workflow", "source", "error")),
}
# Days in parts, by everything but the person: the dimensions whose values have a block each.
PARTS = {
    BlockLevel.PROMPT: ("prompt", "version"),
    BlockLevel.MODEL: ("model", "deployment"),
    BlockLevel.WORKFLOW: ("workflow",),
}


@dataclass(frozen=True)
class Plan:
    """`only`: further conditions on blocks; `keys`: what a cell of a summary has besides its own dimension, None where
    cells are by everything."""

    level: BlockLevel
    only: dict[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...] | None = None


def plan(given: Given, asked: frozenset[str]) -> Plan | None:
    """`asked`: the dimensions that the answer tells apart. None: only quarters of an hour hold it."""
    if "user" in given:
        return Plan(BlockLevel.USER, {"value__in": [code_of("user", value) for value in given["user"]]})
    if not given:
        return Plan(BlockLevel.DAY, keys=())
    if "user" in asked:
        return None
    for level, (keys, names) in JOINT.items():
        if set(given) <= set(keys) and asked <= {*keys, *names}:
            return Plan(level, keys=keys)
    for level, names in PARTS.items():
        only = {
            f"{column}__in": [code_of(name, value) for value in given[name]]
            for column, name in zip(("value", "part"), names, strict=False)
            if name in given
        }
        if only:
            return Plan(level, only)
    return Plan(BlockLevel.MODEL)
