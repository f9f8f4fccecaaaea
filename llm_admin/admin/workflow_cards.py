"""The step cards: what each type's form shows, and the way between a step as it is stored and as its form has it.

In the form a prompt's inputs are {variable: text}, one labelled field for each; stored they are a list of mappings.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django_jsonform.widgets import JSONFormWidget
from pydantic import BaseModel

from llm_admin.exceptions import Problem
from llm_admin.models import LIVE, LanguageModel, Prompt, PromptLabel, PromptVersion, label_title
from llm_admin.schemas.jsonform import Choice, Schema, keeping, schema_of
from llm_admin.schemas.prompts import upgrade
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.schemas.steps.prompt import UsesPrompt
from llm_admin.schemas.variables import VariableSpec

Reference = tuple[str, str]  # a prompt's slug and a label


@dataclass(frozen=True)
class Pickers:
    """What the selects offer. Earlier results are filled in by the page, which knows the order of the cards."""

    prompts: list[Choice]
    models: list[Choice]
    labels: list[Choice]

    @classmethod
    def load(cls) -> Pickers:
        labels = PromptLabel.objects.exclude(name=LIVE).order_by("name").values_list("name", flat=True).distinct()
        return cls(
            prompts=choices(Prompt.objects.order_by("name").values_list("slug", "name")),
            models=choices(LanguageModel.objects.filter(enabled=True).values_list("alias", "name")),
            labels=choices((name, label_title(name)) for name in labels),
        )


@dataclass(frozen=True)
class StepType:
    """What the page says of a type. (A template cannot be given the class: it would call it.)"""

    name: str
    label: str
    icon: str
    help: str
    produces: str

    @classmethod
    def named(cls, name: str) -> StepType:
        spec = STEP_SPECS.get(name)
        return cls(name, spec.label, spec.icon, spec.help, spec.produces)


@dataclass(frozen=True)
class Card:
    """`data` as the form has it; `key` makes the ids of one card's fields."""

    type: StepType
    data: dict[str, Any]
    schema: Schema
    editable: bool
    key: str = field(default_factory=lambda: uuid.uuid4().hex[:12])

    @property
    def form(self) -> str:
        return form(self.schema, self.data, f"step-{self.key}", editable=self.editable)


def choices(pairs: Iterable[tuple[str, str]]) -> list[Choice]:
    return [{"title": title, "value": value} for value, title in pairs]


def types() -> list[StepType]:
    return [StepType.named(name) for name in STEP_SPECS.names()]


def form(schema: Schema, data: Any, element_id: str, *, editable: bool) -> str:
    """A jsonform without a name: the page gathers all of them into the one field `spec`."""
    attrs = {"id": element_id} if editable else {"id": element_id, "disabled": True}
    return JSONFormWidget(schema=schema).render("", json.dumps(data), attrs=attrs)


def inputs_form(variables: Any, *, editable: bool) -> str:
    schema = schema_of(VariableSpec)
    known = schema["properties"]
    schema["properties"] = {name: known[name] for name in ("name", "label", "type", "default", "required")} | known
    schema["properties"]["help"]["widget"] = "hidden"
    rows = variables if isinstance(variables, list) else []
    whole = {"type": "array", "items": schema, "maxItems": 100, "add_title": "Add an input"}
    return form(whole, rows, "workflow-inputs", editable=editable)


def cards(steps: Any, pickers: Pickers, *, editable: bool) -> list[Card]:
    """Of steps in either form; what is no step of a known type has no card (its problem is in the summary)."""
    known = [to_form(step) for step in steps if type_of(step)]
    variables = variables_of(filter(None, map(reference, known)))
    return [card(step, pickers, variables.get(reference(step), []), editable=editable) for step in known]


def type_of(step: Any) -> str:
    """ "" for anything that is no step of a known type."""
    kind = step.get("type") if isinstance(step, dict) else None
    return kind if isinstance(kind, str) and kind in STEP_SPECS else ""


def card(data: dict[str, Any], pickers: Pickers, variables: list[str], *, editable: bool) -> Card:
    spec = STEP_SPECS.get(data["type"])
    schema = schema_of(spec, choices={"prompts": pickers.prompts, "models": pickers.models, "labels": pickers.labels})
    if issubclass(spec, UsesPrompt):
        old = schema["properties"]["inputs"]
        schema["properties"]["inputs"] = mapping_schema(old, [*variables, *data["inputs"]])
    return Card(StepType.named(data["type"]), data, keeping(schema, data), editable)


def mapping_schema(field: Schema, variables: Iterable[str]) -> Schema:
    """One text for each variable of the prompt. The page makes the same when another prompt is chosen."""
    one: Schema = {"type": "string", "widget": "textarea"}
    properties = {name: one | {"title": name, "placeholder": "{{" + name + "}}"} for name in dict.fromkeys(variables)}
    kept: Schema = {key: field[key] for key in ("title", "description") if key in field}
    return kept | {"type": "object", "properties": properties}


def new_step(kind: str, taken: Iterable[str]) -> dict[str, Any]:
    return to_form({"type": kind, "id": free_name(STEP_SPECS.get(kind).result, taken)})


def free_name(base: str, taken: Iterable[str]) -> str:
    names = set(taken)
    return next(name for n in range(1, len(names) + 3) if (name := base if n == 1 else f"{base}_{n}") not in names)


def reference(step: Mapping[str, Any]) -> Reference | None:
    slug, label = step.get("prompt"), step.get("prompt_label")
    return (slug, label if isinstance(label, str) and label else LIVE) if isinstance(slug, str) and slug else None


def variables_of(references: Iterable[Reference]) -> dict[Reference | None, list[str]]:
    """The names that each prompt's labelled version wants; one query for all of them."""
    wanted = set(references)
    if not wanted:
        return {}
    rows = PromptVersion.objects.filter(
        prompt__slug__in={slug for slug, _ in wanted}, labels__name__in={label for _, label in wanted}
    ).values_list("prompt__slug", "labels__name", "spec")
    return {(slug, label): [v["name"] for v in upgrade(spec).get("variables", [])] for slug, label, spec in rows}


def to_form(step: dict[str, Any]) -> dict[str, Any]:
    """Idempotent. With every field of the type, so that no form has to guess."""
    spec = STEP_SPECS.get(step["type"])
    data = defaults(spec) | step
    if issubclass(spec, UsesPrompt) and not isinstance(data["inputs"], dict):
        pairs = [one for one in data["inputs"] if isinstance(one, dict)] if isinstance(data["inputs"], list) else []
        data["inputs"] = {str(one.get("name", "")): one.get("value", "") for one in pairs}
    return data


def from_form(step: Any) -> Any:
    """A variable whose text is empty is not mapped: it takes the workflow's value of the same name."""
    if isinstance(step, dict) and isinstance(step.get("inputs"), dict):
        return step | {"inputs": [{"name": n, "value": v} for n, v in step["inputs"].items() if v not in ("", None)]}
    return step


def defaults(spec: type[BaseModel]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, one in spec.model_fields.items():
        value = "" if one.is_required() else one.get_default(call_default_factory=True)
        found[name] = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return found


def placed(problem: Problem, steps: Any) -> Problem:
    """Where the form shows it: a mapping by the variable's name instead of its position."""
    match problem.location:
        case ("steps", int(position), "inputs", int(row), *_) if isinstance(steps[position]["inputs"], dict):
            name = from_form(steps[position])["inputs"][row]["name"]
            return Problem(("steps", position, "inputs", name), problem.message)
    return problem


def worded(problem: Problem, steps: Any) -> str:
    """“Step 2, Text: …” instead of the path into the spec."""
    match problem.location:
        case ("steps", int(position), *rest):
            kind = type_of(steps[position])
            spec = STEP_SPECS.get(kind) if kind else None
            return f"Step {position + 1}{_field_title(spec, rest)}: {problem.message}"
        case ("inputs", int(position), *rest):
            return f"Input {position + 1}{_field_title(VariableSpec, rest)}: {problem.message}"
        case ("output",):
            return f"Outcome: {problem.message}"
        case ("steps",):
            return f"Steps: {problem.message}"
    return problem.message


def _field_title(spec: type[BaseModel] | None, place: list[str | int]) -> str:
    known = spec.model_fields.get(str(place[0])) if spec and place else None
    return f", {known.title}" if known and known.title else ""
