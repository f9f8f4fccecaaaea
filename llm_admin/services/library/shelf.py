"""What is there already: the workspace's documents of one family, read in two queries however many there are."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.utils.text import slugify
from pydantic import ValidationError

from llm_admin.models import name_key
from llm_admin.services.documents import spec_of
from llm_admin.services.families import Family
from llm_admin.services.library.entries import MAX_NAME, Entry, of_spec, of_texts

NUMBERED = re.compile(r"^(.*) \((\d{1,4})\)$", re.DOTALL)


class Book:
    """A document with its versions by number, oldest first. What says the same has the same fingerprint."""

    def __init__(self, document: Any) -> None:
        self.document = document
        self.versions: dict[int, Any] = {}

    def number_of(self, fingerprint: str, *, bare: bool) -> int | None:
        """The newest version that says this; of a bare entry only the text counts."""
        return (self._texts if bare else self._specs).get(fingerprint)

    @cached_property
    def _texts(self) -> dict[str, int]:
        return {of_texts(_texts_of(version.spec)): number for number, version in self.versions.items()}

    @cached_property
    def _specs(self) -> dict[str, int]:
        """As stored, and in today's form: with the defaults of what was added since."""
        specs = {of_spec(version.spec): number for number, version in self.versions.items()}
        return specs | {today: number for number, version in self.versions.items() if (today := _today(version))}

    @property
    def newest(self) -> Any:
        return self.versions[self.document.last_number]


def _texts_of(spec: Any) -> list[str]:
    return [message["text"] for message in spec["messages"] if message["role"] != "placeholder"]


def _today(version: Any) -> str:
    try:
        return of_spec(spec_of(version).model_dump(mode="json"))
    except ValidationError:  # of a step type that is no longer installed
        return ""


class Shelf:
    """Only the books that may be meant by an entry have their versions."""

    def __init__(self, family: Family, entries: Iterable[Entry]) -> None:
        self.family = family
        rows = list(family.document.objects.all())
        self.slugs = {row.slug for row in rows}
        self._books = {row.name_key: Book(row) for row in rows}
        self._kin: dict[str, list[tuple[int, Book]]] = {}
        for key, book in self._books.items():
            self._kin.setdefault(_bucket(key), []).append((1, book))
            if found := NUMBERED.match(key):
                self._kin.setdefault(_bucket(found[1]), []).append((int(found[2]), book))
        self._load({entry.name for entry in entries})

    def _load(self, names: set[str]) -> None:
        by_id = {book.document.pk: book for name in names for book in self.kin(name)}
        noun = self.family.noun
        rows = self.family.version.objects.filter(**{f"{noun}__in": list(by_id)}).order_by(noun, "number")
        for version in rows:
            by_id[getattr(version, f"{noun}_id")].versions[version.number] = version

    def at(self, name: str) -> Book | None:
        return self._books.get(name_key(name))

    def kin(self, name: str) -> list[Book]:
        """“Name” itself, then “Name (2)”, “Name (3)”, ... as far as they exist."""
        near = sorted(self._kin.get(_bucket(name_key(name)), []), key=lambda one: one[0])
        return [book for number, book in near if book.document.name_key == name_key(numbered(name, number))]

    def free_slug(self, wanted: str, name: str) -> str:
        base = wanted or slugify(name)[:80] or self.family.noun
        slug, number = base, 1
        while slug in self.slugs:
            number += 1
            slug = f"{base[:94]}-{number}"
        self.slugs.add(slug)
        return slug


def _bucket(key: str) -> str:
    """Short, because a number makes a very long name lose its end."""
    return key[:60]


def numbered(name: str, number: int) -> str:
    suffix = f" ({number})"
    return name if number == 1 else name[: MAX_NAME - len(suffix)].rstrip() + suffix
