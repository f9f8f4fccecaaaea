"""A spec as text that a person can read and compare: no JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llm_admin.schemas.step_diffs import fields_of
from llm_admin.schemas.step_numbers import numbers
from llm_admin.schemas.steps import StepSpec
from llm_admin.schemas.workflows import WorkflowSpec, upgrade

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
    workflow = WorkflowSpec.model_validate(upgrade(dict(spec)))
    numbered = numbers(workflow.steps)
    for found in workflow.walk():
        step = found.step
        heading = f"{numbered[found.location]}. {step.title or step.id} ({step.type}, result “{step.id}”)"
        yield "\n".join([heading, *_fields(step)])
    if workflow.output:
        yield f"Outcome: {workflow.output}"
    if workflow.outputs:
        yield "Outcome\n" + "\n".join(f"{one.name}: {one.value}" for one in workflow.outputs)


def _fields(step: StepSpec) -> Iterator[str]:
    for title, value in fields_of(step).items():
        if title != "Title":
            yield f"{title}:\n{value}" if "\n" in value else f"{title}: {value}"


def _words(key: str) -> str:
    return key.replace("_", " ").capitalize()
