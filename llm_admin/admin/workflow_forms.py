"""The jsonforms of the workflow studio, and the way between a step as it is stored and as its form has it.

In the form a prompt's inputs are {variable: text}, one labelled field for each; stored they are a list of mappings.
Steps within a step have cards of their own; `disabled` is the card's switch. Neither is in the form.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django_jsonform.widgets import JSONFormWidget
from pydantic import BaseModel

from llm_admin.schemas.jsonform import Choice, Schema, keeping, schema_of
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.schemas.steps.prompt import UsesPrompt
from llm_admin.schemas.variables import VariableSpec
from llm_admin.schemas.workflows import OutcomeField


def form(schema: Schema, data: Any, element_id: str, *, editable: bool) -> str:
    """A jsonform without a name: the page gathers all of them into the one field `spec`."""
    attrs = {"id": element_id} if editable else {"id": element_id, "disabled": True}
    return JSONFormWidget(schema=schema).render("", json.dumps(data), attrs=attrs)


def inputs_form(variables: Any, *, editable: bool) -> str:
    schema = schema_of(VariableSpec)
    known = schema["properties"]
    schema["properties"] = {name: known[name] for name in ("name", "label", "type", "default", "required")} | known
    schema["properties"]["help"]["widget"] = "hidden"
    whole = {"type": "array", "items": schema, "maxItems": 100, "add_title": "Add an input"}
    return form(whole, shaped(whole, variables), "workflow-inputs", editable=editable)


def outputs_form(outputs: Any, *, editable: bool) -> str:
    schema = schema_of(OutcomeField)
    schema["properties"]["value"]["widget"] = "textarea"
    whole = {"type": "array", "items": schema, "maxItems": 50, "add_title": "Add a part"}
    return form(whole, shaped(whole, outputs), "workflow-outputs", editable=editable)


def step_schema(
    kind: str, data: Mapping[str, Any], lists: Mapping[str, list[Choice]], variables: Iterable[str]
) -> Schema:
    """For the step `data`, as `to_form` gives it; `variables` are those of the prompt that it names."""
    spec = STEP_SPECS.get(kind)
    schema = schema_of(spec, choices=lists)
    for name in ("disabled", *spec.slot_titles):
        schema["properties"].pop(name, None)
    if issubclass(spec, UsesPrompt):
        mapped = data["inputs"] if isinstance(data["inputs"], dict) else {}
        schema["properties"]["inputs"] = mapping_schema(schema["properties"]["inputs"], [*variables, *mapped])
    return keeping(schema, data)


def mapping_schema(field: Schema, variables: Iterable[str]) -> Schema:
    """One text for each variable of the prompt. The page makes the same when another prompt is chosen."""
    one: Schema = {"type": "string", "widget": "textarea"}
    properties = {name: one | {"title": name, "placeholder": "{{" + name + "}}"} for name in dict.fromkeys(variables)}
    kept: Schema = {key: field[key] for key in ("title", "description") if key in field}
    return kept | {"type": "object", "properties": properties}


def to_form(step: dict[str, Any]) -> dict[str, Any]:
    """Idempotent. With every field of the type, so that no form has to guess; steps within it are left as they are."""
    spec = STEP_SPECS.get(step["type"])
    data = defaults(spec) | step
    if issubclass(spec, UsesPrompt) and not isinstance(data["inputs"], dict):
        pairs = [one for one in data["inputs"] if isinstance(one, dict)] if isinstance(data["inputs"], list) else []
        data["inputs"] = {str(one.get("name", "")): one.get("value", "") for one in pairs}
    return data


def from_form(step: Any) -> Any:
    """A variable whose text is empty is not mapped: it takes the workflow's value of the same name."""
    if not isinstance(step, dict):
        return step
    step = dict(step)
    if isinstance(step.get("inputs"), dict):
        step["inputs"] = [{"name": n, "value": v} for n, v in step["inputs"].items() if v not in ("", None)]
    for name in slots_of(step):
        step[name] = [from_form(one) for one in step[name]]
    return step


def slots_of(step: Any) -> dict[str, str]:
    """Name -> title of those fields of a step that hold further steps."""
    kind = type_of(step)
    titles = STEP_SPECS.get(kind).slot_titles if kind else {}
    return {name: title for name, title in titles.items() if isinstance(step.get(name), list)}


def type_of(step: Any) -> str:
    """ "" for anything that is no step of a known type."""
    kind = step.get("type") if isinstance(step, dict) else None
    return kind if isinstance(kind, str) and kind in STEP_SPECS else ""


def defaults(spec: type[BaseModel]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, one in spec.model_fields.items():
        value = "" if one.is_required() else one.get_default(call_default_factory=True)
        found[name] = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return found


def shaped(schema: Schema, data: Any) -> Any:
    """`data` in the outline of `schema`: jsonform shows nothing at all where they differ."""
    match schema.get("type"):
        case "object" if "properties" in schema:
            given = data if isinstance(data, dict) else {}
            return {name: shaped(one, given.get(name)) for name, one in schema["properties"].items()}
        case "object":
            return {str(k): shaped({}, v) for k, v in data.items()} if isinstance(data, dict) else {}
        case "array":
            return [shaped(schema["items"], one) for one in data] if isinstance(data, list) else []
        case "boolean":
            return data if isinstance(data, bool) else bool(schema.get("default"))
        case "integer" | "number":
            return data if isinstance(data, int | float) and not isinstance(data, bool) else schema.get("default")
        case _:
            blank = schema.get("const", "") if data is None else data
            return blank if isinstance(blank, str) else json.dumps(blank, ensure_ascii=False)
