"""What differs between two specs, part by part, word by word."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from llm_admin.schemas.base import Spec
from llm_admin.schemas.prompts import MessageSpec, PromptSpec
from llm_admin.schemas.values import as_text
from llm_admin.schemas.variables import KIND_TITLES, VariableSpec

SECONDS = 1.0  # after that the rest of a text is shown as replaced
ROLES = {"system": "System", "user": "User", "assistant": "Assistant", "placeholder": "List of messages"}
_WORDS = re.compile(r"\w+|\n|[^\S\n]+|[^\w\s]", re.UNICODE)

Operation = Literal["same", "removed", "added"]


@dataclass(frozen=True)
class Piece:
    operation: Operation
    text: str


@dataclass(frozen=True)
class Change:
    """One part that differs. `before` None: it is new; `after` None: it is gone."""

    title: str
    before: str | None
    after: str | None

    @property
    def pieces(self) -> list[Piece]:
        return words(self.before or "", self.after or "")

    @property
    def kind(self) -> str:
        return "added" if self.before is None else "removed" if self.after is None else "changed"


def words(before: str, after: str) -> list[Piece]:
    """Joined, "same" and "removed" give `before`, "same" and "added" give `after`."""
    from diff_match_patch import diff_match_patch

    known: dict[str, str] = {}
    left, right = _letters(before, known), _letters(after, known)
    engine = diff_match_patch()
    engine.Diff_Timeout = SECONDS
    found = engine.diff_main(left, right, False)  # noqa: FBT003 - its interface
    engine.diff_cleanupSemantic(found)
    back = {letter: word for word, letter in known.items()}
    names: dict[int, Operation] = {0: "same", -1: "removed", 1: "added"}
    return [Piece(names[operation], "".join(back[letter] for letter in text)) for operation, text in found]


def _letters(text: str, known: dict[str, str]) -> str:
    """A letter for each word, so that the differ compares words. Texts with more words than letters end in one."""
    letters = []
    for match in _WORDS.finditer(text):
        word = match.group()
        if word not in known:
            number = len(known) + 1
            if number >= 0xD000 and number < 0x10_0000:
                number += 0x1000  # beyond the surrogates
            known[word] = chr(number)
        letters.append(known[word])
    return "".join(letters)


def changes(before: Spec | None, after: Spec) -> list[Change]:
    """Of two prompts message by message, variables and settings included; of other specs field by field."""
    if isinstance(after, PromptSpec):
        old = before if isinstance(before, PromptSpec) else None
        return [*_messages(old, after), *_variables(old, after), *_settings(old, after)]
    return list(_fields(before.model_dump(mode="json") if before else {}, after.model_dump(mode="json")))


def _messages(before: PromptSpec | None, after: PromptSpec) -> Iterator[Change]:
    old = [_shown(m) for m in before.messages] if before else []
    new = [_shown(m) for m in after.messages]
    for operation, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if operation == "equal":
            continue
        for step in range(max(b - a, d - c)):
            left = old[a + step] if a + step < b else None
            right = new[c + step] if c + step < d else None
            role = (right or left or ("", ""))[0]
            if left and right and left[0] != right[0]:
                role = f"{left[0]} → {right[0]}"
            number = (c if right else a) + step + 1
            yield Change(f"Message {number}: {role}", left and left[1], right and right[1])


def _shown(message: MessageSpec) -> tuple[str, str]:
    return ROLES[message.role], f"({message.name})" if message.role == "placeholder" else message.text


def _variables(before: PromptSpec | None, after: PromptSpec) -> Iterator[Change]:
    old = {v.name: v for v in before.variables} if before else {}
    new = {v.name: v for v in after.variables}
    for name in dict.fromkeys([*old, *new]):
        left, right = old.get(name), new.get(name)
        if left != right:
            yield Change(f"Variable “{name}”", described(left) if left else None, described(right) if right else None)


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
    given = spec.parameters.given()
    for name, value in given.items():
        field = type(spec.parameters).model_fields.get(name)
        shown[(field and field.title) or f"Further setting “{name}”"] = as_text(value)
    if spec.output.format == "json":
        schema = spec.output.answer_schema()
        shown["Answer"] = "JSON" if schema is None else "JSON\n" + json.dumps(schema, ensure_ascii=False, indent=2)
    return shown


def _fields(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    for name in dict.fromkeys([*before, *after]):
        left, right = before.get(name), after.get(name)
        if left != right:
            yield Change(
                name.replace("_", " ").capitalize(),
                None if left is None else as_text(left),
                None if right is None else as_text(right),
            )
