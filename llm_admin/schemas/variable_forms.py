"""What else is made from variables: a JSON schema for callers, and the head of a table of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llm_admin.schemas.variables import VariableSpec

_TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "long_text": {"type": "string"},
    "file": {"type": "string", "description": "The text of the file."},
    "choice": {"type": "string"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "list": {"type": "array"},
    "json": {},
}
_EXAMPLES = {"number": "12", "boolean": "yes", "date": "2026-05-03", "list": '["one", "two"]', "json": '{"key": 1}'}


def json_schema(variables: Sequence[VariableSpec]) -> dict[str, Any]:
    """For callers over HTTP and for tools: an object with a property per variable."""
    return {
        "type": "object",
        "properties": {v.name: _property(v) for v in variables},
        "required": [v.name for v in variables if v.required and not v.default],
        "additionalProperties": False,
    }


def _property(variable: VariableSpec) -> dict[str, Any]:
    made = _TYPES[variable.type] | {"title": variable.title}
    if variable.help:
        made["description"] = variable.help
    if variable.type == "choice":
        made["enum"] = variable.choices
    if variable.default:
        made["default"] = variable.value(variable.default)
    low, high = {"number": ("minimum", "maximum"), "list": ("minItems", "maxItems")}.get(variable.type, ("", ""))
    if low and variable.minimum is not None:
        made[low] = variable.minimum
    if high and variable.maximum is not None:
        made[high] = variable.maximum
    if variable.max_length and made.get("type") == "string":
        made["maxLength"] = variable.max_length
    return made


def table_head(variables: Sequence[VariableSpec]) -> list[list[str]]:
    """The first two rows of a table to fill in: the names, and an example."""
    return [[v.name for v in variables], [_example(v) for v in variables]]


def _example(variable: VariableSpec) -> str:
    if variable.default:
        return variable.default
    if variable.type == "choice":
        return variable.choices[0]
    return _EXAMPLES.get(variable.type, variable.help or variable.title)
