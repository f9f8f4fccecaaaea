"""What differs between two workflows: inputs, steps field by field, their order, the outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llm_admin.schemas import diffs
from llm_admin.schemas.prompts import Parameters
from llm_admin.schemas.steps import StepSpec
from llm_admin.schemas.steps.base import InputMapping
from llm_admin.schemas.values import as_text
from llm_admin.schemas.word_diffs import Change
from llm_admin.schemas.workflows import WorkflowSpec

NAMED_ELSEWHERE = ("type", "id")


def changes(before: WorkflowSpec | None, after: WorkflowSpec) -> list[Change]:
    found = [*diffs.variables(before.inputs if before else None, after.inputs, "Input"), *_steps(before, after)]
    old, new = before.output if before else "", after.output
    if old != new:
        last = "The last step's"
        found.append(Change("Outcome", old or (last if before else None), new or last))
    return found


def _steps(before: WorkflowSpec | None, after: WorkflowSpec) -> Iterator[Change]:
    """A step is known by its result's name and its type."""
    old = {(step.id, step.type): step for step in before.steps} if before else {}
    new = {(step.id, step.type): step for step in after.steps}
    for number, (key, step) in enumerate(old.items(), start=1):
        if key not in new:
            yield Change(f"Step {number}: {step.heading}", _whole(step), None)
    for number, (key, step) in enumerate(new.items(), start=1):
        title = f"Step {number}: {step.heading}"
        if key not in old:
            yield Change(title, None, _whole(step))
            continue
        left, right = fields_of(old[key]), fields_of(step)
        for field in dict.fromkeys([*left, *right]):
            if left.get(field) != right.get(field):
                yield Change(f"{title} – {field}", left.get(field), right.get(field))
    orders = [[key for key in side if key in other] for side, other in ((old, new), (new, old))]
    if orders[0] != orders[1]:
        yield Change("Order of the steps", *("\n".join(name for name, _ in order) for order in orders))


def _whole(step: StepSpec) -> str:
    lines = [f"Result name: {step.id}"]
    for title, value in fields_of(step).items():
        lines.append(f"{title}:\n{value}" if "\n" in value else f"{title}: {value}")
    return "\n".join(lines)


def fields_of(step: StepSpec) -> dict[str, str]:
    """Titles -> values, in words; only what is set."""
    shown: dict[str, str] = {}
    for name, field in type(step).model_fields.items():
        value = getattr(step, name)
        if name in NAMED_ELSEWHERE or value in ("", None) or value == field.get_default(call_default_factory=True):
            continue
        if isinstance(value, Parameters):
            shown |= diffs.parameters_of(value)
        else:
            shown[field.title or name.replace("_", " ").capitalize()] = _worded(value)
    return shown


def _worded(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], InputMapping):
        return "\n".join(f"{mapping.name}: {mapping.value}" for mapping in value)
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    return as_text(value)
