"""A logged call as a prompt that can be tried again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import regex
from pydantic import ValidationError

from llm_admin.models import InteractionLog, Prompt
from llm_admin.schemas.outputs import OutputSpec
from llm_admin.schemas.prompts import RESERVED, Parameters, PromptSpec, upgrade
from llm_admin.schemas.template import identifiers
from llm_admin.schemas.values import as_text
from llm_admin.selectors.traces import Call

SECONDS = 0.3


@dataclass(frozen=True)
class Opened:
    """`values` None: they were not kept. `model`: what was chosen for this call, "" where the text says it."""

    spec: PromptSpec
    values: dict[str, Any] | None
    model: str


def opened(log: InteractionLog, *, prompt: Prompt | None, call: Call) -> Opened | None:
    """None: nothing of it was kept. With `prompt`: as that prompt's text, if the call was one of its calls."""
    model = log.model.alias if log.model else None
    if prompt is not None and log.prompt_id == prompt.pk:
        spec = spec_that_ran(log)
        if spec is not None:
            return Opened(spec, _values(log, spec, call), _chosen(model, spec))
    spec = _spec_of_messages(call.text.messages, call.text.parameters, model) if call.text else None
    return Opened(spec, {}, "") if spec else None


def spec_that_ran(log: InteractionLog) -> PromptSpec | None:
    """The version, or the unsaved text as the run has kept it."""
    data = log.prompt_version.spec if log.prompt_version else None
    if data is None and log.run and log.run.kind == "prompt":
        data = (log.run.spec.get("prompt") or {}).get("spec")
    return PromptSpec.model_validate(upgrade(data)) if data else None


def _chosen(model: str | None, spec: PromptSpec) -> str:
    """ "" where it is the text's own: then the choice stays open."""
    return "" if model in (None, spec.model) else str(model)


def _values(log: InteractionLog, spec: PromptSpec, call: Call) -> dict[str, Any] | None:
    """As they were given; of a step in a workflow, as they can be read out of the messages."""
    names = [variable.name for variable in spec.variables]
    if log.run and log.run.kind == "prompt":
        kept = log.run.inputs
        if any(kept.get(name) not in (None, "") for name in names) or not names:
            lists = {name: kept.get(name) or [] for name in spec.placeholders}
            return {name: kept.get(name, "") for name in names} | lists
    if not names:
        return {}
    return read_values(spec, call.text.messages) if call.text else None


def read_values(spec: PromptSpec, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """What must have stood at each {{name}} for these messages to come out. None where that cannot be told."""
    if spec.syntax != "console" or spec.placeholders or len(messages) != len(spec.messages):
        return None
    values: dict[str, str] = {}
    for message, sent in zip(spec.messages, messages, strict=True):
        match = _match(message.text, as_text(sent.get("content", "")), values)
        if match is None:
            return None
        values |= match
    return values


def _match(text: str, sent: str, known: Mapping[str, str]) -> dict[str, str] | None:
    pattern, seen = "", set()
    for position, part in enumerate(regex.split(r"\{\{\s*([^\W\d]\w*)\s*\}\}", text)):
        if position % 2 == 0:
            pattern += regex.escape(part, special_only=True)
        elif part in known:
            pattern += regex.escape(known[part], special_only=True)
        else:
            pattern += f"(?P={part})" if part in seen else f"(?P<{part}>.*?)"
            seen.add(part)
    try:
        match = regex.fullmatch(pattern, sent, regex.DOTALL, timeout=SECONDS)
    except TimeoutError:
        return None
    return match.groupdict() if match else None


def _spec_of_messages(
    messages: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any], model: str | None
) -> PromptSpec | None:
    cards = [
        {"role": one["role"] if one.get("role") in ("system", "user", "assistant") else "user", "text": text}
        for one in messages
        if (text := as_text(one.get("content", ""))).strip()
    ]
    names = dict.fromkeys(name for card in cards for name in identifiers(card["text"]))
    known = {name: value for name, value in parameters.items() if name in Parameters.model_fields and name != "extra"}
    extra = {n: v for n, v in parameters.items() if n not in known and n not in RESERVED and n != "extra"}
    try:
        return PromptSpec.model_validate(
            {
                "messages": cards,
                "variables": [{"name": name} for name in names],
                "model": model,
                "parameters": {**known, "extra": extra},
                "output": _output(parameters.get("response_format")),
            }
        )
    except ValidationError:
        return None


def _output(wanted: Any) -> dict[str, Any]:
    if not isinstance(wanted, dict):
        return {}
    schema = (wanted.get("json_schema") or {}).get("schema") if wanted.get("type") == "json_schema" else None
    try:
        OutputSpec(format="json", json_schema=schema)
    except ValidationError:
        schema = None
    return {"format": "json", "json_schema": schema}
