"""Every step of a workflow in the order of reading, with where it stands.

A step's *path* tells it apart in a run: "3" is the third step, "3.yes.1" the first one on a branch's way, "3[2].1" the
first one for a loop's second entry. A *location* is where its spec stands: ("steps", 2, "yes", 0).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llm_admin.schemas.steps.base import Place, Slot, StepSpec

LOOP_SLOT = "steps"
_PART = re.compile(r"(\d+)(?:\[(\d+)\])?|([a-z_]+)")


@dataclass(frozen=True)
class Found:
    """`path` without the entries of loops: "3[].1"."""

    path: str
    location: Place
    step: StepSpec
    depth: int


def walk(steps: Sequence[StepSpec], location: Place = ("steps",), prefix: str = "", depth: int = 0) -> Iterator[Found]:
    for position, step in enumerate(steps):
        here, path = (*location, position), f"{prefix}{position + 1}"
        yield Found(path, here, step, depth)
        for slot in step.slots():
            yield from walk(slot.steps, (*here, slot.name), inner_prefix(path, slot), depth + 1)


def inner_prefix(path: str, slot: Slot, entry: int | None = None) -> str:
    """What the paths of a slot's steps begin with; `entry` counts a loop's entries from 1."""
    if slot.name == LOOP_SLOT:
        return f"{path}[{'' if entry is None else entry}]."
    return f"{path}.{slot.name}."


def without_entries(path: str) -> str:
    return re.sub(r"\[\d+\]", "[]", path)


def order(path: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts paths as people read them."""
    return tuple((int(a or 0), int(b or 0), c) for a, b, c in _PART.findall(path))


def inside(path: str, container: str) -> bool:
    return path.startswith((f"{container}.", f"{container}["))


def kept_before(paths: Sequence[str], start: str) -> list[str]:
    """Of the steps that have run, those that need not run again when it goes on from `start`.

    A loop's other entries stay as they are; so does what stands before it, on every level.
    """
    return [path for path in paths if path != start and not inside(path, start) and not _comes_after(path, start)]


def _comes_after(path: str, start: str) -> bool:
    """Also true for the steps that `start` stands in: they end after it."""
    if inside(start, path):
        return True
    ours, theirs = order(path), order(start)
    for mine, other in zip(ours, theirs, strict=False):
        if mine == other:
            continue
        if mine[0] == other[0] and mine[2] == other[2] and mine[1] and other[1]:
            return False  # another entry of the same loop
        return mine > other
    return len(ours) > len(theirs)
