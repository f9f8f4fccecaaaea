"""What differs between two specs, part by part, word by word."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from llm_admin.schemas.aligning import matches
from llm_admin.schemas.base import Spec
from llm_admin.schemas.prompts import CACHE_WORDS, MessageSpec, Parameters, PromptSpec
from llm_admin.schemas.values import as_text
from llm_admin.schemas.variables import KIND_TITLES, VariableSpec
from llm_admin.schemas.word_diffs import Change, Piece, words
from llm_admin.schemas.workflows import WorkflowSpec

ROLES = {"system": "System", "user": "User", "assistant": "Assistant", "placeholder": "List of messages"}

__all__ = ["Change", "Piece", "changes", "described", "settings_of", "words"]


def changes(before: Spec | None, after: Spec) -> list[Change]:
    """Of two prompts message by message, of two workflows step by step; variables and settings included."""
    from llm_admin.schemas import step_diffs

    if isinstance(after, PromptSpec):
        old = before if isinstance(before, PromptSpec) else None
        return [
            *_messages(old, after),
            *variables(old.variables if old else None, after.variables),
            *_settings(old, after),
        ]
    if isinstance(after, WorkflowSpec):
        return step_diffs.changes(before if isinstance(before, WorkflowSpec) else None, after)
    raise TypeError(f"No differences of {type(after).__name__} are known.")


def _messages(before: PromptSpec | None, after: PromptSpec) -> Iterator[Change]:
    old, new = before.messages if before else [], after.messages
    for i, j in _pairs(len(old), len(new), matches(old, new)):
        left = _shown(old[i]) if i is not None else None
        right = _shown(new[j]) if j is not None else None
        if left == right:
            continue
        role = (right or left or ("", ""))[0]
        if left and right and left[0] != right[0]:
            role = f"{left[0]} → {right[0]}"
        number = (j if j is not None else i or 0) + 1
        yield Change(f"Message {number}: {role}", left and left[1], right and right[1])


def _pairs(old: int, new: int, matched: dict[int, int]) -> Iterator[tuple[int | None, int | None]]:
    """Which message became which, in order; those between two that are alike are paired as they come."""
    i = j = 0
    for left, right in [*sorted(matched.items()), (old, new)]:
        both = min(left - i, right - j)
        yield from ((i + step, j + step) for step in range(both))
        yield from ((one, None) for one in range(i + both, left))
        yield from ((None, one) for one in range(j + both, right))
        if left < old:
            yield left, right
        i, j = left + 1, right + 1


def _shown(message: MessageSpec) -> tuple[str, str]:
    return ROLES[message.role], f"({message.name})" if message.role == "placeholder" else message.text


def variables(
    before: Sequence[VariableSpec] | None, after: Sequence[VariableSpec], what: str = "Variable"
) -> Iterator[Change]:
    old, new = {v.name: v for v in before or ()}, {v.name: v for v in after}
    for name in dict.fromkeys([*old, *new]):
        left, right = old.get(name), new.get(name)
        if left != right:
            yield Change(f"{what} “{name}”", described(left) if left else None, described(right) if right else None)
    common = [[name for name in side if name in old and name in new] for side in (old, new)]
    if common[0] != common[1]:
        yield Change(f"Order of the {what.lower()}s", "\n".join(common[0]), "\n".join(common[1]))


def described(variable: VariableSpec) -> str:
    """One line a detail, only those that say something."""
    lines = [KIND_TITLES[variable.type], "required" if variable.required else "optional"]
    for title, value in (
        ("label", variable.label),
        ("help", variable.help),
        ("default", variable.default),
        ("choices", ", ".join(variable.choices)),
        ("at least", variable.minimum),
        ("at most", variable.maximum),
        ("longest", variable.max_length),
    ):
        if value not in ("", None):
            lines.append(f"{title}: {value:g}" if isinstance(value, float) else f"{title}: {value}")
    return "\n".join(lines)


def _settings(before: PromptSpec | None, after: PromptSpec) -> Iterator[Change]:
    old, new = settings_of(before) if before else {}, settings_of(after)
    for title in dict.fromkeys([*old, *new]):
        if old.get(title) != new.get(title):
            yield Change(title, old.get(title), new.get(title))


def settings_of(spec: PromptSpec) -> dict[str, str]:
    """Titles -> values, in words; only what is set."""
    shown = {"Kind": "one text"} if spec.kind == "text" else {}
    if spec.syntax != "console":
        shown["Syntax of the variables"] = spec.syntax
    if spec.model:
        shown["Model"] = spec.model
    shown |= parameters_of(spec.parameters)
    if spec.cache:
        shown["Answers from the cache"] = CACHE_WORDS[spec.cache]
    if spec.output.format == "json":
        schema = spec.output.answer_schema()
        shown["Answer"] = "JSON" if schema is None else "JSON\n" + json.dumps(schema, ensure_ascii=False, indent=2)
    return shown


def parameters_of(parameters: Parameters) -> dict[str, str]:
    fields = type(parameters).model_fields
    given = parameters.given().items()
    return {(fields[n].title if n in fields else None) or f"Further setting “{n}”": as_text(v) for n, v in given}
