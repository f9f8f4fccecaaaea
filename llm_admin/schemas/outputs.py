"""What a prompt's answer should be: text, or JSON with a schema that is made by form or written by hand."""

from __future__ import annotations

from typing import Any, Literal, Self

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError, ValidationError
from pydantic import Field, model_validator
from referencing import Registry
from referencing.exceptions import Unresolvable

from llm_admin.schemas.base import JsonObject, Spec, duplicates
from llm_admin.schemas.safe_patterns import budget, left, search

FieldKind = Literal["text", "number", "whole_number", "yes_no", "list", "object"]
_TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "number": {"type": "number"},
    "whole_number": {"type": "integer"},
    "yes_no": {"type": "boolean"},
    "list": {"type": "array", "items": {"type": "string"}},
    "object": {"type": "object"},
}


class AnswerField(Spec):
    """One key of the answer's JSON."""

    name: str = Field(title="Key", min_length=1, max_length=100)
    type: FieldKind = Field(default="text", title="Kind")
    description: str = Field(default="", title="What it holds", max_length=500)
    choices: list[str] = Field(default_factory=list, max_length=100, title="One of")
    required: bool = Field(default=True, title="Always there")


class OutputSpec(Spec):
    """`fields` are the form; `json_schema`, when given, is used instead of them."""

    format: Literal["text", "json"] = Field(default="text", title="Answer")
    fields: list[AnswerField] = Field(default_factory=list, max_length=100, title="Keys")
    json_schema: JsonObject | None = Field(default=None, title="JSON schema")

    @model_validator(mode="after")
    def _usable(self) -> Self:
        if twice := duplicates(field.name for field in self.fields):
            raise ValueError(f"The key “{self.fields[twice[0]].name}” is there twice.")
        if self.json_schema is not None and (wrong := schema_problem(self.json_schema)):
            raise ValueError(f"This is no JSON schema: {wrong}.")
        return self

    def answer_schema(self) -> dict[str, Any] | None:
        """None: any JSON."""
        if self.format != "json":
            return None
        if self.json_schema is not None:
            return self.json_schema
        if not self.fields:
            return None
        return {
            "type": "object",
            "properties": {field.name: _property(field) for field in self.fields},
            "required": [field.name for field in self.fields if field.required],
            "additionalProperties": False,
        }

    def response_format(self) -> dict[str, Any] | None:
        """As OpenAI-compatible servers want it."""
        if self.format != "json":
            return None
        schema = self.answer_schema()
        if schema is None:
            return {"type": "json_object"}
        strict = self.json_schema is None and all(field.required and field.type != "object" for field in self.fields)
        return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": strict}}


def _property(field: AnswerField) -> dict[str, Any]:
    made = dict(_TYPES[field.type])
    if field.description:
        made["description"] = field.description
    if field.choices and field.type == "text":
        made["enum"] = list(field.choices)
    return made


def schema_problem(schema: Any) -> str:
    """Why it is no schema that we can check against, or ""."""
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = "/".join(map(str, error.absolute_path))
        return f"{error.message[:200]}{f' (at {place})' if place else ''}"
    except RecursionError:
        return "it is nested too deeply"
    try:
        problem_with({}, schema)
    except ValueError as error:
        return str(error)
    return ""


CHECK_SECONDS = 2.0


def problem_with(value: Any, schema: dict[str, Any]) -> str:
    """What the value lacks, with the place, or "". Nothing is fetched: a reference stays within the schema.

    Raises ValueError when the schema cannot be applied, or takes too long.
    """
    validator = _Validator(schema, registry=Registry())
    try:
        with budget(CHECK_SECONDS):
            found = next(iter(validator.iter_errors(value)), None)
    except Unresolvable as error:
        raise ValueError(f"the schema refers to what is not in it ({str(error)[:100]})") from None
    except RecursionError:
        raise ValueError("the schema refers to what is not in it, or to itself without end") from None
    if found is None:
        return ""
    place = ".".join(map(str, found.absolute_path))
    return f"{found.message[:300]}{f' (at “{place}”)' if place else ''}"


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Any:
    if validator.is_type(instance, "string") and not search(pattern, instance):
        yield ValidationError(f"{instance[:80]!r} does not match {pattern[:80]!r}")


def _pattern_properties(validator: Any, patterns: dict[str, Any], instance: Any, schema: Any) -> Any:
    if not validator.is_type(instance, "object"):
        return
    for pattern, wanted in patterns.items():
        for key, value in instance.items():
            if search(pattern, key):
                yield from validator.descend(value, wanted, path=key, schema_path=pattern)


def _additional_properties(validator: Any, wanted: Any, instance: Any, schema: Any) -> Any:
    if not validator.is_type(instance, "object"):
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    others = [key for key in instance if key not in named and not any(search(p, key) for p in patterns)]
    if validator.is_type(wanted, "object"):
        for key in others:
            yield from validator.descend(instance[key], wanted, path=key)
    elif wanted is False and others:
        yield ValidationError(f"{others[0]!r} is not expected")


def _reference(validator: Any, ref: str, instance: Any, schema: Any) -> Any:
    """Only references can make a small schema take for ever: each doubles what the one before it asks."""
    if left() <= 0:
        raise ValueError("checking this schema takes too long; make it simpler")
    keyword = "$ref" if schema.get("$ref") == ref else "$dynamicRef"
    yield from Draft202012Validator.VALIDATORS[keyword](validator, ref, instance, schema)


def _make_validator() -> Any:
    from jsonschema.validators import extend

    own = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
        "$ref": _reference,
        "$dynamicRef": _reference,
    }
    return extend(Draft202012Validator, own)


_Validator = _make_validator()
