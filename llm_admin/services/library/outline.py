"""A spec as text that a person can read and compare: no JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

ROLES = {"system": "System", "user": "User", "assistant": "Assistant", "placeholder": "Messages"}


def outline(spec: Mapping[str, Any]) -> str:
    """Of a stored spec, of either family."""
    return "\n\n".join(_workflow(spec) if "steps" in spec else _prompt(spec))


def _prompt(spec: Mapping[str, Any]) -> Iterator[str]:
    for message in spec["messages"]:
        text = message["text"] if message["role"] != "placeholder" else f"(the list “{message['name']}”)"
        yield text if spec.get("kind") == "text" else f"{ROLES.get(message['role'], message['role'])}\n{text}"
    if described := [line for variable in spec.get("variables", []) if (line := _variable(variable))]:
        yield "Variables\n" + "\n".join(described)
    if model := spec.get("model"):
        yield f"Model: {model}"
    if settings := [f"{_words(k)}: {v}" for k, v in (spec.get("parameters") or {}).items() if v not in (None, [], {})]:
        yield "Settings\n" + "\n".join(settings)


def _variable(variable: Mapping[str, Any]) -> str:
    """Only what the text does not tell by itself."""
    details = [str(variable[key]) for key in ("label", "help") if variable.get(key)]
    details += [f"usually “{variable['default']}”"] if variable.get("default") else []
    details += ["not required"] if variable.get("required") is False else []
    return f"{variable['name']}: {'; '.join(details)}" if details else ""


def _workflow(spec: Mapping[str, Any]) -> Iterator[str]:
    if spec.get("inputs"):
        yield "Inputs\n" + "\n".join(_variable(one) or one["name"] for one in spec["inputs"])
    for number, step in enumerate(spec["steps"], start=1):
        lines = [f"{number}. {step.get('title') or step['id']} ({step['type']}, result “{step['id']}”)"]
        yield "\n".join(lines + list(_fields({k: v for k, v in step.items() if k not in ("type", "id", "title")})))
    if spec.get("output"):
        yield f"Outcome: {spec['output']}"


def _fields(values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _fields(value)
        elif isinstance(value, list):
            yield from (f"{_words(key)}: {_one_line(one)}" for one in value)
        elif value not in (None, ""):
            yield f"{_words(key)}: {value}"


def _one_line(value: Any) -> str:
    return ", ".join(str(v) for v in value.values() if v not in (None, "")) if isinstance(value, dict) else str(value)


def _words(key: str) -> str:
    return key.replace("_", " ").capitalize()
