"""The numbers by which people know steps: 1, 2, and 2.1, 2.2 for those within the second.

A branch's ways are counted on ("If so" 2.1, 2.2, "Otherwise" 2.3), so that a number means one step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llm_admin.schemas.steps.base import Place, StepSpec
from llm_admin.schemas.walking import walk

TRIED_ALONE = "Trying the step"  # so begins the title of such a run: its only step is not the workflow's first


def numbers(steps: Sequence[StepSpec]) -> dict[Place, str]:
    """By location, in the order of reading."""
    found: dict[Place, str] = {}
    inside: dict[Place, int] = {}
    for one in walk(steps):
        parent = one.location[:-2]
        inside[parent] = inside.get(parent, 0) + 1
        outer = found.get(parent, "")
        found[one.location] = f"{outer}.{inside[parent]}" if outer else str(inside[parent])
    return found


def number_at(location: Place, steps: Any, slots: Callable[[Any], Sequence[Any]]) -> str:
    """Of data that is perhaps no workflow; `slots` gives the lists of steps within one."""
    parts, here, before = [], steps, 0
    for at in range(1, len(location), 2):
        position = int(location[at])
        parts.append(str(before + position + 1))
        if at + 1 == len(location):
            break
        step, slot = here[position], location[at + 1]
        here, before = step[slot], 0
        for other in slots(step):
            if other is here:
                break
            before += len(other)
    return ".".join(parts)
