"""What an import would do, item by item."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.services.library.entries import Entry, EntryVersion


class Action(StrEnum):
    NEW = "new"
    NEW_VERSION = "new version"
    UNCHANGED = "unchanged"


@dataclass
class Item:
    """`versions`: what will be added, oldest first. `notices`: what a person should know about it."""

    entry: Entry
    action: Action
    name: str
    slug: str = ""
    document: Any = None
    versions: tuple[EntryVersion, ...] = ()
    before: Any = None
    renamed: bool = False
    notices: list[str] = field(default_factory=list)

    @property
    def noun(self) -> str:
        return self.entry.family.noun

    @property
    def based_on(self) -> tuple[int, int]:
        return (self.document.pk, self.document.last_number) if self.document else (0, 0)


@dataclass(frozen=True)
class Counts:
    """`renamed` ones are among the new ones."""

    new: int = 0
    unchanged: int = 0
    new_version: int = 0
    renamed: int = 0

    @property
    def changes(self) -> int:
        return self.new + self.new_version

    @property
    def all(self) -> int:
        return self.changes + self.unchanged


@dataclass
class Plan:
    filename: str
    items: list[Item] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)

    @property
    def counts(self) -> Counts:
        actions = Counter(item.action for item in self.items)
        renamed = sum(item.renamed for item in self.items if item.action == Action.NEW)
        return Counts(actions[Action.NEW], actions[Action.UNCHANGED], actions[Action.NEW_VERSION], renamed)

    def of(self, *actions: Action) -> list[Item]:
        return [item for item in self.items if item.action in actions]

    @property
    def changing(self) -> str:
        return counted(self.of(Action.NEW, Action.NEW_VERSION))

    @property
    def fingerprint(self) -> str:
        """Changes when what would happen changes: what a person confirms is what they saw."""
        steps = [(item.noun, item.action, item.name, item.slug, item.based_on) for item in self.items]
        return hashlib.sha256(repr(steps).encode()).hexdigest()[:32]

    def check(self) -> None:
        if self.problems:
            raise InvalidInput(self.problems)


def counted(items: Sequence[Item]) -> str:
    """“6 prompts and 3 workflows”."""
    nouns = Counter(item.noun for item in items)
    return " and ".join(f"{count} {noun}{'' if count == 1 else 's'}" for noun, count in nouns.items())


def sentence(plan: Plan) -> str:
    """What an import did."""
    counts, parts = plan.counts, []
    if counts.new:
        other = f" ({counts.renamed} under another name)" if counts.renamed else ""
        parts.append(f"{counted(plan.of(Action.NEW))} imported{other}")
    if counts.new_version:
        parts.append(f"{counts.new_version} got a new version, as a draft")
    if counts.unchanged:
        parts.append(f"{counts.unchanged} unchanged")
    return ", ".join(parts) + "."
