"""A variable gets another name: in a prompt's texts, and in the steps of workflows that fill it in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.schemas import template
from llm_admin.schemas.base import IDENTIFIER, parse
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.schemas.steps.base import StepSpec
from llm_admin.schemas.steps.prompt import UsesPrompt
from llm_admin.schemas.syntaxes import f_string
from llm_admin.schemas.workflows import WorkflowSpec


def check_name(spec: PromptSpec, old: str, new: str) -> None:
    """Raises InvalidInput at ("new",)."""
    if old not in {v.name for v in spec.variables}:
        raise InvalidInput([Problem(("old",), f"There is no variable “{old}” in this prompt.")])
    if spec.syntax == "jinja2":
        raise InvalidInput([Problem(("old",), "Convert this prompt to our own syntax first; then rename.")])
    if not IDENTIFIER.match(new) or len(new) > 60:
        raise InvalidInput(
            [Problem(("new",), "A name has up to 60 letters, digits and underscores, and does not begin with a digit.")]
        )
    if new in {*(v.name for v in spec.variables), *spec.placeholders}:
        raise InvalidInput([Problem(("new",), f"“{new}” is taken in this prompt; choose another name.")])
    if new in spec.names():
        raise InvalidInput([Problem(("new",), f"The texts use “{new}” already.")])


def in_prompt(spec: PromptSpec, old: str, new: str) -> PromptSpec:
    """The same prompt with the new name; itself when it has no such variable."""
    if old not in {v.name for v in spec.variables}:
        return spec
    if new in {*(v.name for v in spec.variables), *spec.placeholders, *spec.names()}:
        raise InvalidInput([Problem(("new",), f"“{new}” is taken in this prompt; choose another name.")])
    data = spec.model_dump(mode="json")
    rename = _in_f_string if spec.syntax == "f-string" else _in_ours
    for message in data["messages"]:
        if message["role"] != "placeholder":
            message["text"] = rename(message["text"], old, new)
    for variable in data["variables"]:
        if variable["name"] == old:
            variable["name"] = new
    return parse(PromptSpec, data)


def _in_ours(text: str, old: str, new: str) -> str:
    return template.render(text, {old: f"{{{{{new}}}}}"})


def _in_f_string(text: str, old: str, new: str) -> str:
    return f_string.rewritten(text, lambda name: new if name == old else name)


def in_workflow(
    spec: WorkflowSpec, slugs: frozenset[str], old: str, new: str, *, labels: frozenset[str] | None = None
) -> WorkflowSpec:
    """Every step that names the prompt fills the new name; what it took from the workflow by the same name stays.

    `labels`: only steps that follow one of these ("" is Live); what others run has no such variable.
    """
    data = spec.model_dump(mode="json")
    known = {variable.name for variable in spec.inputs}
    _in_steps(spec.steps, data["steps"], known, lambda step: _names(step, slugs, labels), old, new)
    return parse(WorkflowSpec, data)


def _in_steps(
    steps: Sequence[StepSpec],
    stored: list[dict[str, Any]],
    known: set[str],
    concerns: Callable[[StepSpec], bool],
    old: str,
    new: str,
) -> None:
    """Changes `stored`. `known`: what the steps see; those within one see its names too, and keep theirs."""
    known = set(known)
    for step, one in zip(steps, stored, strict=True):
        if concerns(step):
            one["inputs"] = _mappings(one["inputs"], old, new, implicit=old in known)
        for slot in step.slots():
            _in_steps(slot.steps, one[slot.name], known | set(slot.gives), concerns, old, new)
        known.add(step.id)


def _names(step: StepSpec, slugs: frozenset[str], labels: frozenset[str] | None) -> bool:
    return isinstance(step, UsesPrompt) and step.prompt in slugs and _follows(step, labels)


def _follows(step: UsesPrompt, labels: frozenset[str] | None) -> bool:
    return labels is None or step.prompt_label in labels


def _mappings(mappings: list[dict[str, Any]], old: str, new: str, *, implicit: bool) -> list[dict[str, Any]]:
    if any(mapping["name"] == old for mapping in mappings):
        kept = [mapping for mapping in mappings if mapping["name"] != new]  # filled nothing so far
        return [mapping | {"name": new} if mapping["name"] == old else mapping for mapping in kept]
    if implicit:
        return [*(mapping for mapping in mappings if mapping["name"] != new), {"name": new, "value": f"{{{{{old}}}}}"}]
    return mappings
