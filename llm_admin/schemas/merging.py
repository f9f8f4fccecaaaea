"""Two people changed the same version: what each did, part by part, and which parts both touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from llm_admin.schemas.base import parse
from llm_admin.schemas.diffs import Piece, described, settings_of, words
from llm_admin.schemas.prompts import PromptSpec, declare

Side = Literal["mine", "theirs"]
MESSAGES = "messages"


@dataclass(frozen=True)
class Part:
    """`key` names the part ("messages", "messages.2", "variables.topic", "model" ...); `side` is whose text to take.

    `both`: both changed it, differently, so a person has to choose.
    """

    key: str
    title: str
    base: str
    mine: str
    theirs: str
    both: bool
    side: Side

    @property
    def pieces(self) -> list[Piece]:
        """From theirs to mine."""
        return words(self.theirs, self.mine)


def parts(base: PromptSpec, mine: PromptSpec, theirs: PromptSpec) -> list[Part]:
    """The parts in which mine and theirs differ."""
    found = []
    shown = [_shown(spec, by_message=_aligned(base, mine, theirs)) for spec in (base, mine, theirs)]
    for key in dict.fromkeys([*shown[2], *shown[1]]):
        old, own, other = (one.get(key, ("", "", None)) for one in shown)
        if own[2] == other[2]:
            continue
        both = own[2] != old[2] and other[2] != old[2]
        side: Side = "theirs" if own[2] == old[2] else "mine"
        found.append(Part(key, own[0] or other[0], old[1], own[1], other[1], both, side))
    return found


def merged(base: PromptSpec, mine: PromptSpec, theirs: PromptSpec, chosen: Mapping[str, str]) -> PromptSpec:
    """Mine and theirs put together: `chosen` says for each part's key whose it takes. Raises InvalidInput."""
    data = theirs.model_dump(mode="json")
    own = mine.model_dump(mode="json")
    for part in parts(base, mine, theirs):
        if chosen.get(part.key, part.side) == "mine":
            _take(data, own, part.key)
    return declare(parse(PromptSpec, data))


def _aligned(*specs: PromptSpec) -> bool:
    """Whether all have the same messages in the same roles: then each message is a part of its own."""
    return len({tuple((m.role, m.name) for m in spec.messages) for spec in specs}) == 1


def _shown(spec: PromptSpec, *, by_message: bool) -> dict[str, tuple[str, str, Any]]:
    """key -> title, text to show, value to compare."""
    made: dict[str, tuple[str, str, Any]] = {}
    if by_message:
        for position, message in enumerate(spec.messages):
            made[f"{MESSAGES}.{position}"] = (f"Message {position + 1}", message.text, message)
    else:
        texts = [f"{m.role.upper()}\n{m.text or f'({m.name})'}" for m in spec.messages]
        made[MESSAGES] = ("All messages", "\n\n".join(texts), (spec.kind, spec.messages))
    for variable in spec.variables:
        made[f"variables.{variable.name}"] = (f"Variable “{variable.name}”", described(variable), variable)
    settings = settings_of(spec)
    made["model"] = ("Model", spec.model or "", spec.model)
    made["parameters"] = ("Settings", "\n".join(f"{k}: {v}" for k, v in settings.items()), spec.parameters)
    made["output"] = ("Answer", settings.get("Answer", "text"), spec.output)
    made["syntax"] = ("Syntax of the variables", spec.syntax, spec.syntax)
    return made


def _take(data: dict[str, Any], own: dict[str, Any], key: str) -> None:
    kind, _, rest = key.partition(".")
    if kind == MESSAGES and rest:
        data[MESSAGES][int(rest)] = own[MESSAGES][int(rest)]
    elif kind == "variables":
        kept = [v for v in data["variables"] if v["name"] != rest]
        data["variables"] = kept + [v for v in own["variables"] if v["name"] == rest]
    else:
        data[kind] = own[kind]
        if kind == MESSAGES:
            data["kind"] = own["kind"]
