"""What a file says, before it is compared with what is there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from llm_admin.exceptions import Problem
from llm_admin.schemas.checks import TestInput
from llm_admin.services.families import Family

Place = tuple[str | int, ...]

MAX_BYTES = 5 * 1024 * 1024
MAX_ENTRIES = 2_000
MAX_NAME = 200
TOO_MANY = f"There are more than {MAX_ENTRIES:,} prompts in this file. Split it into several."


@dataclass(frozen=True)
class EntryVersion:
    """`number` is the file's own; the version here may get another one."""

    spec: Any
    number: int = 1
    note: str = ""
    place: Place = ()

    def fingerprint(self, *, bare: bool) -> str:
        return of_texts(self.spec.texts) if bare else of_spec(self.spec.model_dump(mode="json"))

    def saying(self, spec: Any) -> EntryVersion:
        return replace(self, spec=spec)


@dataclass(frozen=True)
class Entry:
    """One prompt or workflow of a file, oldest version first.

    `bare`: the file gives a text and nothing else, so nothing else is compared or replaced.
    """

    family: Family
    place: Place
    name: str
    versions: tuple[EntryVersion, ...]
    slug: str = ""
    description: str = ""
    labels: dict[str, int] = field(default_factory=dict)
    folder: str = ""
    tags: tuple[str, ...] = ()
    tests: tuple[TestInput, ...] = ()
    bare: bool = False

    @property
    def newest(self) -> EntryVersion:
        return self.versions[-1]

    @property
    def fingerprint(self) -> str:
        return self.newest.fingerprint(bare=self.bare)

    def with_versions(self, versions: Sequence[EntryVersion]) -> Entry:
        return replace(self, versions=tuple(versions))


@dataclass
class Reading:
    """`ignored`: columns and keys of the file that mean nothing to us, for the person to see."""

    filename: str = ""
    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def of_texts(texts: Iterable[str]) -> str:
    return "\x00".join(texts)


def of_spec(spec: Any) -> str:
    return json.dumps(spec, sort_keys=True, ensure_ascii=False)


def unstorable(text: str) -> str:
    """Why a text cannot be stored, or ""."""
    if "\x00" in text:
        return "This holds a NUL character, which no text has; the file is damaged or no text."
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        return "This is not valid UTF-8. Save the file as “CSV UTF-8” (or as UTF-8) and try again."
    return ""
