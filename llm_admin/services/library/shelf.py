"""What is there already: the workspace's documents of one family, read in two queries however many there are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils.text import slugify
from pydantic import ValidationError

from llm_admin.models import name_key
from llm_admin.services.documents import Family, spec_of
from llm_admin.services.library.entries import MAX_NAME, Entry, EntryVersion

_NUMBERED = re.compile(r"^(.*) \((\d{1,4})\)$", re.DOTALL)


@dataclass
class Book:
    """A document with the specs of its versions by number, oldest first."""

    document: Any
    versions: dict[int, Any] = field(default_factory=dict)

    def number_of(self, version: EntryVersion, *, bare: bool) -> int | None:
        """The newest version that says the same; of a bare entry only the text counts."""
        wanted = version.spec.texts if bare else version.spec.model_dump(mode="json")
        for number, stored in reversed(self.versions.items()):
            if (_texts(stored.spec) if bare else stored.spec) == wanted or (not bare and _today(stored) == wanted):
                return number
        return None

    @property
    def newest(self) -> Any:
        return self.versions[self.document.last_number]


def _texts(spec: Any) -> list[str]:
    return [message["text"] for message in spec["messages"] if message["role"] != "placeholder"]


def _today(stored: Any) -> Any:
    """A stored spec in today's form, with the defaults of what was added since."""
    try:
        return spec_of(stored).model_dump(mode="json")
    except ValidationError:  # of a step type that is no longer installed
        return None


class Shelf:
    def __init__(self, family: Family, entries: Iterable[Entry]) -> None:
        self.family = family
        rows = list(family.document.objects.defer("description"))
        self.slugs = {row.slug for row in rows}
        self._books = {row.name_key: Book(row) for row in rows}
        self._kin: dict[str, list[tuple[int, Book]]] = {}
        for key, book in self._books.items():
            base, number = split(key)
            self._kin.setdefault(base, []).append((number, book))
            if number > 1:
                self._kin.setdefault(key, []).append((1, book))
        self._load({name_key(entry.name) for entry in entries})

    def _load(self, keys: set[str]) -> None:
        by_id = {book.document.pk: book for key in keys for book in self.kin(key)}
        noun = self.family.noun
        rows = self.family.version.objects.filter(**{f"{noun}__in": list(by_id)}).order_by(noun, "number")
        for version in rows.defer("note"):
            by_id[getattr(version, f"{noun}_id")].versions[version.number] = version

    def at(self, key: str) -> Book | None:
        return self._books.get(key)

    def kin(self, key: str) -> list[Book]:
        """“Name” itself, then “Name (2)”, “Name (3)”, ..."""
        return [book for _, book in sorted(self._kin.get(key, []), key=lambda one: one[0])]

    def free_slug(self, wanted: str, name: str) -> str:
        base = wanted or slugify(name)[:80] or self.family.noun
        slug, number = base, 1
        while slug in self.slugs:
            number += 1
            slug = f"{base[:94]}-{number}"
        self.slugs.add(slug)
        return slug


def split(key: str) -> tuple[str, int]:
    """The key of “Name (3)” -> the key of “Name”, 3."""
    found = _NUMBERED.match(key)
    return (found.group(1), int(found.group(2))) if found and int(found.group(2)) > 1 else (key, 1)


def numbered(name: str, number: int) -> str:
    suffix = f" ({number})"
    return name if number == 1 else name[: MAX_NAME - len(suffix)].rstrip() + suffix
