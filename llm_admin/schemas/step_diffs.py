"""What differs between two workflows: inputs, all steps field by field, their order and places, the outcome."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from llm_admin.schemas import diffs
from llm_admin.schemas.prompts import Parameters
from llm_admin.schemas.step_numbers import numbers
from llm_admin.schemas.steps import StepSpec
from llm_admin.schemas.steps.base import InputMapping
from llm_admin.schemas.steps.branch import OPERATOR_TITLES, Condition
from llm_admin.schemas.values import as_text
from llm_admin.schemas.walking import walk
from llm_admin.schemas.word_diffs import Change
from llm_admin.schemas.workflows import WorkflowSpec

NAMED_ELSEWHERE = ("type", "id")
Key = tuple[str, str]  # a step is known by its result's name and its type


@dataclass(frozen=True)
class Placed:
    """`place`: which list it is in, "" for the workflow's own."""

    step: StepSpec
    number: str
    place: str

    @property
    def title(self) -> str:
        return f"Step {self.number}: {self.step.heading}"


def changes(before: WorkflowSpec | None, after: WorkflowSpec) -> list[Change]:
    found = [*diffs.variables(before.inputs if before else None, after.inputs, "Input"), *_steps(before, after)]
    old, new = _outcome(before), _outcome(after)
    if (old or "") != new:
        last = "The last step's"
        found.append(Change("Outcome", None if old is None else old or last, new or last))
    return found


def _outcome(spec: WorkflowSpec | None) -> str | None:
    """ "" is the last step's result; None: there is no workflow."""
    if spec is None:
        return None
    return "\n".join(f"{one.name}: {one.value}" for one in spec.outputs) or spec.output


def _placed(spec: WorkflowSpec | None) -> dict[Key, Placed]:
    found: dict[Key, Placed] = {}
    by_location: dict[Any, StepSpec] = {}
    known = numbers(spec.steps) if spec else {}
    for one in walk(spec.steps if spec else []):
        by_location[one.location] = one.step
        outer = by_location.get(one.location[:-2])
        slot = str(one.location[-2])
        place = f"In “{outer.heading}”: {type(outer).slot_titles.get(slot, slot)}" if outer else ""
        found[one.step.id, one.step.type] = Placed(one.step, known[one.location], place)
    return found


def _steps(before: WorkflowSpec | None, after: WorkflowSpec) -> Iterator[Change]:
    old, new = _placed(before), _placed(after)
    for key, gone in old.items():
        if key not in new:
            yield Change(gone.title, _whole(gone), None)
    for key, now in new.items():
        if key not in old:
            yield Change(now.title, None, _whole(now))
            continue
        left, right = fields_of(old[key].step), fields_of(now.step)
        if old[key].place != now.place:
            left, right = _with_place(left, old[key]), _with_place(right, now)
        for field in dict.fromkeys([*left, *right]):
            if left.get(field) != right.get(field):
                sides = (_or_default(one, field, old[key].step) for one in (left, right))
                yield Change(f"{now.title} – {field}", *sides)
    orders = [[key for key in side if key in other] for side, other in ((old, new), (new, old))]
    if orders[0] != orders[1]:
        yield Change("Order of the steps", *("\n".join(name for name, _ in order) for order in orders))


def _or_default(shown: dict[str, str], title: str, step: StepSpec) -> str | None:
    """What a choice is when nothing was chosen; None for what is simply not there."""
    for field in type(step).model_fields.values():
        if title not in shown and field.title == title and isinstance(field.default, str) and field.default:
            return _worded(field.default, field)
    return shown.get(title)


def _with_place(fields: dict[str, str], placed: Placed) -> dict[str, str]:
    return {"Place": placed.place or "In the workflow itself", **fields}


def _whole(placed: Placed) -> str:
    lines = [f"Result name: {placed.step.id}", *([placed.place] if placed.place else [])]
    for title, value in fields_of(placed.step).items():
        lines.append(f"{title}:\n{value}" if "\n" in value else f"{title}: {value}")
    return "\n".join(lines)


def fields_of(step: StepSpec) -> dict[str, str]:
    """Titles -> values, in words; only what is set. Steps within it are told by themselves."""
    shown: dict[str, str] = {}
    left_out = {*NAMED_ELSEWHERE, *(slot.name for slot in step.slots())}
    for name, title, value, field in _set_fields(step):
        if name in left_out:
            continue
        if isinstance(value, Parameters):
            shown |= diffs.parameters_of(value)
        else:
            shown[title] = _worded(value, field)
    return shown


def _set_fields(spec: BaseModel) -> Iterator[tuple[str, str, Any, FieldInfo]]:
    for name, field in type(spec).model_fields.items():
        value = getattr(spec, name)
        if value not in ("", None) and value != field.get_default(call_default_factory=True):
            yield name, field.title or name.replace("_", " ").capitalize(), value, field


def _worded(value: Any, field: FieldInfo | None = None) -> str:
    if isinstance(value, InputMapping):
        return f"{value.name}: {value.value}"
    if isinstance(value, Condition):
        return f"{value.value} {OPERATOR_TITLES[value.operator]} {value.to}".strip()
    if isinstance(value, BaseModel):
        return "\n".join(f"{title}: {_worded(inner, known)}" for _, title, inner, known in _set_fields(value))
    if isinstance(value, list) and value and isinstance(value[0], InputMapping):
        return "\n".join(sorted(map(_worded, value)))  # their order means nothing
    if isinstance(value, list) and value and isinstance(value[0], BaseModel):
        return "\n".join(_worded(one).replace("\n", ", ") for one in value)
    extra = field.json_schema_extra if field else None
    titles = extra.get("choice_titles") if isinstance(extra, dict) else None
    return (
        str(titles.get(value, as_text(value)))
        if isinstance(titles, dict) and isinstance(value, str)
        else as_text(value)
    )
