"""The step cards: one for each step, those within others too, each a form of its type."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from llm_admin.admin.workflow_forms import form, from_form, shaped, slots_of, step_schema, to_form, type_of
from llm_admin.admin.workflow_pickers import NOTHING, Pickers, PromptFacts, Reference, facts_of, reference
from llm_admin.schemas.jsonform import Schema
from llm_admin.schemas.steps import STEP_SPECS

GROUPS = {
    "ask": ("Ask a model", ("prompt", "llm", "classify")),
    "text": ("Texts and data", ("template", "set", "parser", "retrieve")),
    "flow": ("Flow", ("branch", "for_each")),
    "more": ("People and code", ("approval", "runnable")),
}


@dataclass(frozen=True)
class StepType:
    """What the page says of a type. (A template cannot be given the class: it would call it.)"""

    name: str
    label: str
    icon: str
    help: str
    example: str
    produces: str
    group: str
    slots: dict[str, str]
    gives: str  # the field that names what only the steps inside see

    @classmethod
    def named(cls, name: str) -> StepType:
        spec = STEP_SPECS.get(name)
        group = next((key for key, (_, names) in GROUPS.items() if name in names), "more")
        gives = "item" if spec.slot_titles and "item" in spec.model_fields else ""
        slots = dict(spec.slot_titles)
        return cls(name, spec.label, spec.icon, spec.help, spec.example, spec.produces, group, slots, gives)


@dataclass(frozen=True)
class SlotCards:
    name: str
    title: str
    cards: list[Card]


@dataclass(frozen=True)
class Card:
    """`data` as the form has it; `key` makes the ids of one card's fields; `keys` are those that its result holds."""

    type: StepType
    data: dict[str, Any]
    schema: Schema
    slots: list[SlotCards]
    keys: list[str]
    off: bool
    editable: bool
    key: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @property
    def form(self) -> str:
        return form(self.schema, self.data, f"step-{self.key}", editable=self.editable)


def types() -> list[StepType]:
    return [StepType.named(name) for name in STEP_SPECS.names()]


def groups() -> list[tuple[str, list[StepType]]]:
    """Titles and types, in the order in which a chooser shows them; somebody else's types are in the last one."""
    found: dict[str, list[StepType]] = {key: [] for key in GROUPS}
    known = {name: at for _, names in GROUPS.values() for at, name in enumerate(names)}
    for one in sorted(types(), key=lambda one: known.get(one.name, 99)):
        found[one.group].append(one)
    return [(GROUPS[key][0], found[key]) for key in GROUPS]


def cards(steps: Any, pickers: Pickers, *, editable: bool) -> list[Card]:
    """Of steps in either form; what is no step of a known type has no card (its problem is in the summary)."""
    lists = pickers.lists()
    facts = facts_of(filter(None, map(reference, every(steps))))
    return [_card(one, lists, facts, editable=editable) for one in steps if type_of(one)]


def every(steps: Any) -> Iterator[dict[str, Any]]:
    """The steps of known types, each before those within it."""
    for step in steps:
        if type_of(step):
            yield step
            for name in slots_of(step):
                yield from every(step[name])


def _card(
    step: dict[str, Any], lists: Mapping[str, Any], facts: Mapping[Reference, PromptFacts], *, editable: bool
) -> Card:
    kind = StepType.named(step["type"])
    whole = to_form(step)
    named = reference(whole)
    known = facts.get(named, NOTHING) if named else NOTHING
    schema = step_schema(kind.name, whole, lists, known.variables)
    inner = [
        SlotCards(name, title, [_card(s, lists, facts, editable=editable) for s in _steps(whole, name)])
        for name, title in kind.slots.items()
    ]
    data = shaped(schema, whole)
    return Card(kind, data, schema, inner, keys_of(step) or known.keys, whole.get("disabled") is True, editable)


def _steps(step: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [one for one in step[name] if type_of(one)] if isinstance(step.get(name), list) else []


def keys_of(step: dict[str, Any]) -> list[str]:
    """What its result is known to hold, as its type says; nothing while it is not whole."""
    try:
        return STEP_SPECS.get(step["type"]).model_validate(from_form(to_form(step))).keys_known()
    except ValidationError:
        return []


def new_card(kind: str, taken: Iterable[str], pickers: Pickers) -> Card:
    step = {"type": kind, "id": free_name(STEP_SPECS.get(kind).result, taken)}
    return _card(step, pickers.lists(), {}, editable=True)


def copied(step: dict[str, Any], taken: set[str]) -> dict[str, Any]:
    """The step and all within it under names that are free. (The page lets the copies refer to one another.)"""
    base = re.sub(r"_\d+$", "", str(step.get("id") or "")) or STEP_SPECS.get(step["type"]).result
    name = free_name(base[:56], taken)
    taken.add(name)
    inner = {slot: [copied(one, taken) for one in step[slot] if type_of(one)] for slot in slots_of(step)}
    return step | {"id": name} | inner


def free_name(base: str, taken: Iterable[str]) -> str:
    names = set(taken)
    return next(name for n in range(1, len(names) + 3) if (name := base if n == 1 else f"{base}_{n}") not in names)
