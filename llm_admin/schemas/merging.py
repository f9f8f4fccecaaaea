"""Two people changed the same version: what each did, part by part, and which parts both touched.

A part is a message, what was added between two messages, a variable that both still have, or one setting.
Variables that only one side's texts use need no choice: they follow from the texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.schemas.aligning import matches
from llm_admin.schemas.base import parse
from llm_admin.schemas.diffs import ROLES, Piece, described, words
from llm_admin.schemas.outputs import OutputSpec
from llm_admin.schemas.prompts import CACHE_WORDS, MessageSpec, Parameters, PromptSpec
from llm_admin.schemas.values import as_text
from llm_admin.schemas.variables import VariableSpec

Side = Literal["mine", "theirs"]
SIDES = ("mine", "theirs")
BOTH = "both"  # a choice for messages whose words were changed in different places
MESSAGES = "messages"


@dataclass(frozen=True)
class Part:
    """`key` names the part ("message.2", "variables.topic", "model" ...). A text is None where that side has no such
    part. `both`: both changed it, differently, so a person has to choose; otherwise `side` is who changed it.
    """

    key: str
    title: str
    base: str | None
    mine: str | None
    theirs: str | None
    both: bool
    side: Side
    together: str | None = None  # both changes in one text, where they touch different words

    @property
    def together_pieces(self) -> list[Piece]:
        return words(self.base or "", self.together or "")

    @property
    def my_pieces(self) -> list[Piece]:
        return words(self.base or "", self.mine or "")

    @property
    def their_pieces(self) -> list[Piece]:
        return words(self.base or "", self.theirs or "")


@dataclass
class _Slot:
    """One place, as it is in the three specs. What may be missing is a tuple: empty, the side has nothing there."""

    key: str
    title: str
    values: Iterable[Any]  # in base, mine, theirs
    shown: Callable[[Any], str | None]

    def __post_init__(self) -> None:
        self.base, self.mine, self.theirs = self.values

    def part(self) -> Part:
        base, mine, theirs = (self.shown(value) for value in (self.base, self.mine, self.theirs))
        both = self.base not in (self.mine, self.theirs)
        message = self.together() if both else None
        return Part(self.key, self.title, base, mine, theirs, both, self.side, message.text if message else None)

    def together(self) -> MessageSpec | None:
        """Of one message that each side has in the same role, if their changes do not meet."""
        if not self.key.startswith("message.") or not self.mine or not self.theirs:
            return None
        (old,), (own,), (other,) = self.base, self.mine, self.theirs
        if len({(m.role, m.name) for m in (old, own, other)}) > 1 or old.role == "placeholder":
            return None
        text = combined(old.text, own.text, other.text)
        return None if text is None else old.model_copy(update={"text": text})

    @property
    def side(self) -> Side:
        return "theirs" if self.mine == self.base else "mine"

    def chosen(self, chosen: Mapping[str, str]) -> Any:
        if chosen.get(self.key) == BOTH and (message := self.together()):
            return (message,)
        return self.mine if chosen.get(self.key, self.side) == "mine" else self.theirs


def parts(base: PromptSpec, mine: PromptSpec, theirs: PromptSpec) -> list[Part]:
    """The parts in which mine and theirs differ."""
    return [slot.part() for slot in _slots(base, mine, theirs) if slot.mine != slot.theirs]


def undecided(found: list[Part], chosen: Mapping[str, str]) -> list[Problem]:
    """The parts that both changed, and for which nobody has chosen."""
    missing = [part for part in found if part.both and not _is_choice(part, chosen.get(part.key))]
    return [Problem((part.key,), f"{part.title}: choose whose text to take.") for part in missing]


def _is_choice(part: Part, side: str | None) -> bool:
    return side in SIDES or (side == BOTH and part.together is not None)


def combined(base: str, mine: str, theirs: str) -> str | None:
    """Both changes in one text; None where they touch or stand side by side."""
    edits = sorted([*_edits(base, mine), *_edits(base, theirs)])
    made, at = [], 0
    for number, (start, end, text) in enumerate(edits):
        if number and start <= edits[number - 1][1]:
            return None
        made += [base[at:start], text]
        at = end
    return "".join([*made, base[at:]])


def _edits(base: str, changed: str) -> list[tuple[int, int, str]]:
    """Which stretches of base became which text."""
    edits: list[tuple[int, int, str]] = []
    at = 0
    for piece in words(base, changed):
        start, end, text = edits[-1] if edits and edits[-1][1] == at else (at, at, "")
        if piece.operation == "same":
            at += len(piece.text)
            continue
        gone = len(piece.text) if piece.operation == "removed" else 0
        if edits and edits[-1][1] == at:
            edits.pop()
        at += gone
        edits.append((start, at, text + ("" if gone else piece.text)))
    return edits


def merged(base: PromptSpec, mine: PromptSpec, theirs: PromptSpec, chosen: Mapping[str, str]) -> PromptSpec:
    """Mine and theirs put together: `chosen` says for a part's key whose it takes. Without a word: mine where both
    changed it, otherwise who changed it. Raises InvalidInput when the result is no prompt."""
    taken = {slot.key: slot.chosen(chosen) for slot in _slots(base, mine, theirs)}
    data: dict[str, Any] = {"model": taken["model"], "output": taken["output"], "kind": mine.kind}
    data |= {"syntax": mine.syntax, "cache": taken["cache"]}
    if MESSAGES in taken:
        whole = taken[MESSAGES]
        data |= {"kind": whole.kind, "syntax": whole.syntax, MESSAGES: list(whole.messages)}
    else:
        found = [taken[key] for key in taken if key.startswith(("message.", "added."))]
        data[MESSAGES] = [message for messages in found for message in messages]
    names = [name for name in taken if name.startswith("parameters.")]
    settings = {name.partition(".")[2]: taken[name] for name in names}
    own = {name: value for name, value in settings.items() if name in Parameters.model_fields and value is not None}
    extra = {name: value[0] for name, value in settings.items() if name not in Parameters.model_fields and value}
    data["parameters"] = own | {"extra": extra}
    return _declared(_plain(data), taken, mine, theirs)


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    return data | {
        MESSAGES: [message.model_dump() for message in data[MESSAGES]],
        "output": data["output"].model_dump(mode="json"),
    }


def _declared(data: dict[str, Any], taken: Mapping[str, Any], mine: PromptSpec, theirs: PromptSpec) -> PromptSpec:
    """The texts say which variables there are; the choices, their details."""
    known = {v.name: v for v in (*theirs.variables, *mine.variables)}
    known |= {v.name: v for key, v in taken.items() if key.startswith("variables.")}
    try:
        names = parse(PromptSpec, data).names()
        variables = [known[name].model_dump() if name in known else {"name": name} for name in names]
        return parse(PromptSpec, data | {"variables": variables})
    except InvalidInput as error:
        raise InvalidInput([Problem(p.location or (MESSAGES,), p.message) for p in error.problems]) from None


def _slots(base: PromptSpec, mine: PromptSpec, theirs: PromptSpec) -> Iterator[_Slot]:
    """In the order of the messages; taken together, those of one side are all that it says."""
    if len({(spec.kind, spec.syntax) for spec in (base, mine, theirs)}) > 1:
        whole = [_Whole(spec.kind, spec.syntax, spec.messages) for spec in (base, mine, theirs)]
        yield _Slot(MESSAGES, "All messages", whole, _all)
    else:
        yield from _message_slots(base.messages, mine.messages, theirs.messages)
    known = [{v.name: v for v in spec.variables} for spec in (base, mine, theirs)]
    for name in (v.name for v in theirs.variables if v.name in known[1]):
        yield _Slot(f"variables.{name}", f"Variable “{name}”", [one.get(name) for one in known], _variable)
    yield _Slot("model", "Model", [base.model, mine.model, theirs.model], lambda value: value)
    yield from _parameters(base.parameters, mine.parameters, theirs.parameters)
    caches = [base.cache, mine.cache, theirs.cache]
    yield _Slot(
        "cache", "Answers from the cache", caches, lambda value: CACHE_WORDS.get(value, "as the workspace says")
    )
    yield _Slot("output", "Answer", [base.output, mine.output, theirs.output], _answer)


@dataclass(frozen=True)
class _Whole:
    kind: str
    syntax: str
    messages: list[MessageSpec]


def _all(whole: _Whole) -> str:
    head = "" if whole.syntax == "console" else f"Syntax of the variables: {whole.syntax}\n\n"
    return head + "\n\n".join(f"{ROLES[m.role]}\n{m.text or f'({m.name})'}" for m in whole.messages)


def _message_slots(base: list[MessageSpec], mine: list[MessageSpec], theirs: list[MessageSpec]) -> Iterator[_Slot]:
    """For each message of base, what became of it on either side; and what was added before, between and after."""
    sides = [(messages, matches(base, messages)) for messages in (mine, theirs)]
    done = [0, 0]
    for position in range(len(base) + 1):
        ends = [min((pairs[at] for at in pairs if at >= position), default=len(own)) for own, pairs in sides]
        added = [tuple(own[start:end]) for (own, _), start, end in zip(sides, done, ends, strict=True)]
        title = f"Added after message {position}" if position else "Added at the beginning"
        yield _Slot(f"added.{position}", title, [(), *added], _texts)
        if position < len(base):
            old = base[position]
            now = [(own[pairs[position]],) if position in pairs else () for own, pairs in sides]
            title = f"Message {position + 1}: {ROLES[old.role]}"
            yield _Slot(f"message.{position}", title, [(old,), *now], partial(_texts, role=old.role))
        done = [end + (position in pairs) for end, (_, pairs) in zip(ends, sides, strict=True)]


def _texts(messages: tuple[MessageSpec, ...], role: str = "") -> str | None:
    """With the role, unless it is the one that the title names."""
    shown = [m.text if m.role == role and m.text else f"{ROLES[m.role]}\n{m.text or f'({m.name})'}" for m in messages]
    return "\n\n".join(shown) if shown else None


def _variable(variable: VariableSpec | None) -> str | None:
    return described(variable) if variable else None


def _answer(output: OutputSpec) -> str:
    if output.format != "json":
        return "Text"
    schema = output.answer_schema()
    return "JSON" if schema is None else "JSON\n" + json.dumps(schema, ensure_ascii=False, indent=2)


def _parameters(base: Parameters, mine: Parameters, theirs: Parameters) -> Iterator[_Slot]:
    for name, field in Parameters.model_fields.items():
        if name != "extra":
            yield _Slot(
                f"parameters.{name}", field.title or name, [getattr(p, name) for p in (base, mine, theirs)], _said
            )
    for name in dict.fromkeys([*theirs.extra, *mine.extra]):
        values = [(p.extra[name],) if name in p.extra else () for p in (base, mine, theirs)]
        yield _Slot(f"parameters.{name}", f"Further setting “{name}”", values, _further)


def _said(value: Any) -> str | None:
    return None if value in (None, []) else as_text(value)


def _further(value: tuple[Any, ...]) -> str | None:
    return as_text(value[0]) if value else None
