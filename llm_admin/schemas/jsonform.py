"""The one translation from a Pydantic spec to django-jsonform's dialect of JSON schema.

jsonform is not a validator here (Pydantic is): it only has to draw the fields and give back what was typed. Hence
`Optional` becomes *not required* instead of `anyOf` with null, and limits that would cut typing off are dropped.

A field says more with `json_schema_extra`: `widget`, `placeholder`, `readonly` are passed on; `choices_from` names a
list in `choices` that the page fills per request; `choice_titles` words a Literal's values; `empty_title` words
"nothing chosen"; `hidden` keeps the value without showing it; `left_out` is for other forms than this. jsonform.js
reads the rest: `add_title` of a list, `collapsed`, `shown_with` and `shown_without` (a field stays out of sight while
it is empty and those others are empty, or filled), `shown_when` and `hidden_when` ([field, value or values]: of a field
of the same group). `item_choices_from` is `choices_from` for the entries of a list; `last` puts a field at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]
Choice = dict[str, str]  # title, value
Choices = Mapping[str, Sequence[Choice]]

PASSED_ON = (
    "widget",
    "placeholder",
    "readonly",
    "handler",
    "add_title",
    "collapsed",
    "shown_with",
    "shown_without",
    "shown_when",
    "hidden_when",
)
LIMITS = ("minimum", "maximum", "minItems", "maxItems")  # not maxLength: the browser would cut a pasted text off


def schema_of(spec: type[BaseModel], *, choices: Choices | None = None) -> Schema:
    """Raises TypeError for a union that is more than "this or nothing": jsonform's `oneOf` loses what was typed."""
    whole = spec.model_json_schema()
    return _Translator(whole.get("$defs", {}), choices or {}).object(whole)


class _Translator:
    def __init__(self, definitions: Mapping[str, Schema], choices: Choices) -> None:
        self.definitions = definitions
        self.choices = choices

    def object(self, node: Schema) -> Schema:
        properties: Schema = {}
        required = []
        for name, raw in sorted(node.get("properties", {}).items(), key=lambda one: bool(one[1].get("last"))):
            if raw.get("left_out"):
                continue
            resolved, nullable = self.resolve(raw, place=name)
            must = name in node.get("required", ()) and not nullable
            properties[name] = self.field(resolved, required=must)
            if must:
                required.append(name)
        return {"type": "object", "properties": properties, "required": required}

    def resolve(self, node: Schema, *, place: str) -> tuple[Schema, bool]:
        """Without `$ref` and without null. A class's docstring is for developers, so only the field's text stays."""
        nullable = False
        if "anyOf" in node:
            options = [one for one in node["anyOf"] if one.get("type") != "null"]
            nullable = len(options) < len(node["anyOf"])
            if len(options) != 1:
                raise TypeError(f"“{place}” can be {len(options)} kinds of value; a form can show one.")
            node = {**options[0], **{k: v for k, v in node.items() if k != "anyOf"}}
        if "$ref" in node:
            target = dict(self.definitions[node["$ref"].rsplit("/", 1)[-1]])
            target.pop("description", None)
            target.pop("title", None)
            node = {**target, **{k: v for k, v in node.items() if k != "$ref"}}
        return node, nullable

    def field(self, node: Schema, *, required: bool) -> Schema:
        if "const" in node:
            return {"type": "string", "const": node["const"], "widget": "hidden", "title": node.get("title", "")}
        kind = node.get("type", "string")
        draw = {"object": self._group, "array": self._list}.get(kind, self._leaf)
        form: Schema = draw(node, required=required)
        form |= {"title": node.get("title", "")} | {k: node[k] for k in (*PASSED_ON, *LIMITS) if k in node}
        if text := node.get("description", ""):
            form["description" if kind in ("object", "array") else "helpText"] = text
        if node.get("hidden"):
            form["widget"] = "hidden"
        return form

    def _group(self, node: Schema, **_: bool) -> Schema:
        if "properties" not in node:
            return {"type": "object", "additionalProperties": {"type": "string"}}
        return self.object(node)

    def _list(self, node: Schema, **_: bool) -> Schema:
        resolved, _nullable = self.resolve(node.get("items", {}), place=node.get("title", "list"))
        if source := node.get("item_choices_from"):
            resolved = resolved | {"choices_from": source}
        return {"type": "array", "items": self.field(resolved, required=True)}

    def _leaf(self, node: Schema, *, required: bool) -> Schema:
        kind = node.get("type", "string")
        form: Schema = {"type": kind}
        if options := self._options(node, required=required):
            form |= options
        if kind == "boolean":
            form["default"] = node.get("default") or False  # without one jsonform sends null
        elif kind == "string" and "enum" not in node:
            # No default: jsonform would put it back whenever the author empties the field.
            return form
        elif node.get("default") is not None:
            form["default"] = node["default"]
        return form

    def _options(self, node: Schema, *, required: bool) -> Schema:
        source = node.get("choices_from")
        if source is not None:
            found = list(self.choices.get(source, ()))
            if not required:
                found.insert(0, {"title": node.get("empty_title", "None"), "value": ""})
            return {"choices": found, "choicesFrom": source}
        if "enum" in node:
            titles = node.get("choice_titles", {})
            return {"choices": [{"title": titles.get(v) or words(v), "value": v} for v in node["enum"]]}
        return {}


def words(value: Any) -> str:
    """`long_text` as an author reads it: "Long text"."""
    return str(value).replace("_", " ").strip().capitalize()


def with_value(choices: Sequence[Choice], value: str) -> list[Choice]:
    """jsonform empties a field whose value is not among its choices, so a value that is gone stays as a choice."""
    if not value or any(choice["value"] == value for choice in choices):
        return list(choices)
    return [*choices, {"title": f"{value} (not there any more)", "value": value}]


def keeping(schema: Schema, data: Any) -> Schema:
    """`schema` with every chosen value of `data` among its choices, at whatever depth."""
    if schema.get("type") == "object" and "properties" in schema:
        given = data if isinstance(data, dict) else {}
        return schema | {"properties": {k: keeping(one, given.get(k)) for k, one in schema["properties"].items()}}
    if schema.get("type") == "array":
        items = schema["items"]
        for one in data if isinstance(data, list) else ():
            items = keeping(items, one)
        return schema | {"items": items}
    if "choices" in schema and isinstance(data, str):
        return schema | {"choices": with_value(schema["choices"], data)}
    return schema
