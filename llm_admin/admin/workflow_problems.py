"""Where the studio shows what is wrong with a workflow, and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel

from llm_admin.admin.workflow_forms import from_form, slots_of, type_of
from llm_admin.exceptions import Problem
from llm_admin.schemas.step_numbers import number_at
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.schemas.variables import VariableSpec
from llm_admin.schemas.workflows import OutcomeField

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Found:
    """`step` as posted, whatever that is; `place` of the problem within it."""

    step: Any
    location: Place
    place: Place


def find(location: Place, steps: Any) -> Found | None:
    """The innermost step that the location is in. None: it is in no step."""
    found, at, here = None, 0, steps
    while at + 1 < len(location) and isinstance(here, list):
        position = location[at + 1]
        if not isinstance(position, int) or position >= len(here):
            break
        step = here[position]
        found = Found(step, location[: at + 2], location[at + 2 :])
        slot = location[at + 2] if at + 2 < len(location) else ""
        here = step[slot] if slot in slots_of(step) else None
        at += 2
    return found if location[:1] == ("steps",) else None


def placed(problem: Problem, steps: Any) -> Problem:
    """Where the form shows it: a mapping by the variable's name instead of its position."""
    found = find(problem.location, steps)
    if found is None or not isinstance(found.step, dict) or not isinstance(found.step.get("inputs"), dict):
        return problem
    match found.place:
        case ("inputs", int(row), *_):
            name = from_form(found.step)["inputs"][row]["name"]
            return Problem((*found.location, "inputs", name), problem.message)
    return problem


def worded(problem: Problem, steps: Any) -> str:
    """“Step 2.1, Text: …” instead of the path into the spec."""
    if found := find(problem.location, steps):
        kind = type_of(found.step)
        spec = STEP_SPECS.get(kind) if kind else None
        return f"Step {_number(found.location, steps)}{_field_title(spec, found.place)}: {problem.message}"
    match problem.location:
        case ("inputs", int(position), *rest):
            return f"Input {position + 1}{_field_title(VariableSpec, tuple(rest))}: {problem.message}"
        case ("outputs", int(position), *rest):
            return f"Outcome, part {position + 1}{_field_title(OutcomeField, tuple(rest))}: {problem.message}"
        case ("output" | "outputs", *_):
            return f"Outcome: {problem.message}"
        case ("steps", *_):
            return f"Steps: {problem.message}"
    return problem.message


def _number(location: Place, steps: Any) -> str:
    return number_at(location, steps, lambda step: [step[name] for name in slots_of(step)])


def _field_title(spec: Any, place: Place) -> str:
    """ ", Condition 2, With" """
    titles: list[str] = []
    for part in place:
        if isinstance(part, int):
            titles[-1:] = [f"{one.removesuffix('s')} {part + 1}" for one in titles[-1:]]
            continue
        field = spec.model_fields.get(part) if spec else None
        if field is None or not field.title:
            break
        titles.append(field.title)
        spec = _model_in(field.annotation)
    return "".join(f", {title}" for title in titles)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Of a field that holds another spec, or a list of them."""
    found = [annotation, *get_args(annotation)]
    return next((one for one in found if isinstance(one, type) and issubclass(one, BaseModel)), None)
