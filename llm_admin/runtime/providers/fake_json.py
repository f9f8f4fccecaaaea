"""JSON from the demo model: an instance of the schema, example or keys that the request names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from llm_admin.runtime.providers.fake_choices import body_of, read_value

ASKS = re.compile(
    r"\b(?:in|as|valid|only|return|answer|output|respond|reply|produce|write|give)\b[^.\n]{0,40}\bJSON\b"
    r"|\bJSON\b\W{0,3}(?:object|array|schema|format|document|only|with)\b",
    re.IGNORECASE,
)
KEYS = re.compile(
    r"\b(?:keys?|fields?|properties|attributes)\b[\s:]*(?:are|named|called)?[\s:]*([^.\n]{1,600})", re.IGNORECASE
)
QUOTED = re.compile(r"[\"'`“]([A-Za-z_]\w{0,60})[\"'`”]\s*(\([^)]{0,80}\))?")
BARE = re.compile(r"\b([A-Za-z_]\w{0,60})\s*(\([^)]{0,80}\))?\s*(?:,|;|\band\b|\bor\b|$)")
LISTED = re.compile(
    r"^\s*[-*•]\s*[\"'`“]?([A-Za-z_]\w{0,60})[\"'`”]?\s*(?:[:–-]\s*([^\n]{0,80})|\([^)\n]{0,80}\))", re.MULTILINE
)
NOT_KEYS = {"and", "or", "the", "with", "a", "an", "these", "exactly", "following", "json", "only"}
GUESSES: tuple[tuple[str, Any], ...] = (
    (r"whole number|integer|count|how many|number|score|rating|percent|1 (?:to|-) \d+|\bint\b|float", 3),
    (r"list|array|items|tags|keywords|points|steps", ["first demo entry", "second demo entry"]),
    (r"yes or no|true|false|bool|^is_|^has_", True),
    (r"\bobject\b|\bmapping\b", {"demo": "value"}),
)
MAX_DEPTH = 6


def asks_for_json(request: str, response_format: Any) -> bool:
    if isinstance(response_format, dict):
        return response_format.get("type") in ("json_object", "json_schema")
    return ASKS.search(request) is not None


def json_answer(request: str, asked: str, response_format: Any) -> Any:
    words = " ".join(asked.split()[:8])
    if schema := _given_schema(response_format):
        return instance(schema, words)
    found = list(_objects(request))
    if schema := next((one for one in reversed(found) if _is_schema(one)), None):
        return instance(schema, words)
    if keys := _keys(request):
        body = body_of(asked)
        read = {name: read_value(name, body) for name in keys} if body else {}
        return {
            name: _guess(name, hint, words) if read.get(name) is None else read[name] for name, hint in keys.items()
        }
    if found:
        return {name: _like(name, value, words) for name, value in found[-1].items()}
    return {"answer": _text("answer", words)}


def _given_schema(response_format: Any) -> dict[str, Any] | None:
    given = response_format.get("json_schema") if isinstance(response_format, dict) else None
    return given.get("schema", given) if isinstance(given, dict) else None


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a text, outermost only. At most a hundred attempts: the text may be full of braces."""
    decoder, position = json.JSONDecoder(), text.find("{")
    for _ in range(100):
        if position < 0:
            return
        try:
            found, position = decoder.raw_decode(text, position)
        except ValueError:
            position += 1
        else:
            if isinstance(found, dict) and found:
                yield found
        position = text.find("{", position)


def _is_schema(one: dict[str, Any]) -> bool:
    return isinstance(one.get("properties"), dict) or ("$ref" in one and "$defs" in one)


def _keys(request: str) -> dict[str, str]:
    """Names that the request gives for keys, with the words that explain each."""
    for clause in KEYS.findall(request):
        pairs = QUOTED.findall(clause) or BARE.findall(clause)
        if named := {name: hint for name, hint in pairs if name.lower() not in NOT_KEYS}:
            return named
    return dict(LISTED.findall(request))


def _guess(name: str, hint: str, words: str) -> Any:
    for told in (hint, name):
        for pattern, value in GUESSES:
            if told and re.search(pattern, told, re.IGNORECASE):
                return value
    return _text(name, words)


def _like(name: str, example: Any, words: str) -> Any:
    if isinstance(example, str):
        return _text(name, words)
    if isinstance(example, dict):
        return {key: _like(key, value, words) for key, value in example.items()}
    return example


def _text(name: str, words: str) -> str:
    return f"Demo {name.replace('_', ' ')} of “{words}”"


def instance(schema: Any, words: str, name: str = "answer", root: Any = None, depth: int = 0) -> Any:
    """A value that satisfies a simple JSON schema: types, enum, const, references, bounds, required keys."""
    root = schema if root is None else root
    schema = _resolved(schema, root)
    if "const" in schema or schema.get("enum"):
        return schema["const"] if "const" in schema else schema["enum"][0]
    if "default" in schema:
        return schema["default"]
    match _type(schema):
        case "object":
            return _object(schema, words, root, depth)
        case "array":
            count = max(schema.get("minItems", 0), 0 if depth > MAX_DEPTH else min(2, schema.get("maxItems", 2)))
            return [instance(schema.get("items", {}), words, name, root, depth + 1) for _ in range(count)]
        case "integer" | "number":
            return _number(schema)
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return _string(schema, name, words)


def _resolved(schema: Any, root: Any) -> dict[str, Any]:
    for _ in range(MAX_DEPTH):
        if not isinstance(schema, dict):
            return {}
        if reference := schema.get("$ref"):
            schema = _pointed(root, reference)
        elif options := schema.get("anyOf") or schema.get("oneOf"):
            schema = next((one for one in options if one.get("type") != "null"), {})
        elif parts := schema.get("allOf"):
            schema = {key: value for part in parts for key, value in _resolved(part, root).items()}
        else:
            return schema
    return {}


def _pointed(root: Any, reference: str) -> Any:
    for part in reference.removeprefix("#").strip("/").split("/"):
        root = root.get(part, {}) if part and isinstance(root, dict) else root
    return root


def _type(schema: dict[str, Any]) -> str:
    declared = schema.get("type", "object" if "properties" in schema else "string")
    return next((one for one in declared if one != "null"), "null") if isinstance(declared, list) else str(declared)


def _object(schema: dict[str, Any], words: str, root: Any, depth: int) -> dict[str, Any]:
    properties, required = schema.get("properties", {}), schema.get("required", [])
    wanted = required if depth > MAX_DEPTH else [*properties, *(key for key in required if key not in properties)]
    return {key: instance(properties.get(key, {}), words, key, root, depth + 1) for key in wanted}


def _number(schema: dict[str, Any]) -> int | float:
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1) + 1)
    high = schema.get("maximum", schema.get("exclusiveMaximum", low + 4) - (1 if _type(schema) == "integer" else 0.5))
    value = min(max(3, low), high)
    return int(value) if _type(schema) == "integer" else value


FORMATS = {
    "date": "2025-01-31",
    "date-time": "2025-01-31T12:00:00Z",
    "time": "12:00:00Z",
    "email": "demo@example.com",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def _string(schema: dict[str, Any], name: str, words: str) -> str:
    text = FORMATS.get(schema.get("format", "")) or _text(name, words)
    return text.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength", len(text) + 10_000)]
