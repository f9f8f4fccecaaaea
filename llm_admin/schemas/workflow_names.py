"""Do all names of a workflow resolve? Each step sees the inputs, what came before it, and what it stands in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from llm_admin.schemas.steps.base import Place, StepSpec

DEEPEST = 4  # steps within steps
Wrong = tuple[Place, str]


@dataclass
class Scope:
    """Names that a step may use; `off` are results of steps that are switched off."""

    known: set[str]
    off: set[str] = field(default_factory=set)

    def inner(self, names: Sequence[str] = ()) -> Scope:
        return Scope(self.known | set(names), set(self.off))


def problems(steps: Sequence[StepSpec], inputs: Sequence[str]) -> tuple[list[Wrong], Scope]:
    """What is wrong and where, and the names that the outcome may use."""
    scope, taken = Scope(set(inputs)), set(inputs)
    return list(_block(steps, ("steps",), scope, taken, has_previous=False, depth=0)), scope


def _block(
    steps: Sequence[StepSpec], place: Place, scope: Scope, taken: set[str], *, has_previous: bool, depth: int
) -> Iterator[Wrong]:
    for position, step in enumerate(steps):
        here = (*place, position)
        later = {one.id for one in steps[position + 1 :] if not one.disabled}
        yield from _one(step, here, scope, taken, later, has_previous=has_previous)
        taken.add(step.id)
        for slot in step.slots():
            if slot.steps and depth >= DEEPEST:
                yield (*here, slot.name), f"Steps can stand within one another at most {DEEPEST} deep."
                continue
            first = has_previous or bool(slot.first)
            yield from _clashes(slot.gives, here, taken)
            inner = scope.inner(slot.gives)
            yield from _block(slot.steps, (*here, slot.name), inner, taken, has_previous=first, depth=depth + 1)
        (scope.off if step.disabled else scope.known).add(step.id)
        has_previous = has_previous or not step.disabled


def _one(
    step: StepSpec, here: Place, scope: Scope, taken: set[str], later: set[str], *, has_previous: bool
) -> Iterator[Wrong]:
    if not step.disabled:
        for field_place, name in step.everything_used():
            if name in scope.off:
                yield (*here, *field_place), f"“{name}” is the result of a step that is switched off."
            elif name not in scope.known:
                yield (*here, *field_place), f"Nothing before this step is called “{name}”."
        previous = step.previous_field()
        if not has_previous and previous and not getattr(step, previous, ""):
            yield (*here, previous), "There is no step before this one: say here what it works on."
    if step.failure.action == "go_to" and step.failure.go_to not in later:
        target = step.failure.go_to
        yield (*here, "failure", "go_to"), f"“{target}” is no step after this one on the same level."
    if step.id in taken:
        yield (*here, "id"), f"“{step.id}” is taken by another step or an input; choose another."


def _clashes(names: Sequence[str], here: Place, taken: set[str]) -> Iterator[Wrong]:
    for name in names:
        if name in taken:
            yield (*here, "item"), f"“{name}” is taken by a step or an input; choose another."
