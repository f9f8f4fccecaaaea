"""Which document each entry means. Names are the key; of the same name, the text decides.

In a file that has a name twice with other texts, the second is “Name (2)”. So that importing a file again changes
nothing, a text is first looked for among “Name”, “Name (2)”, ...; only then do entries take places, in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from llm_admin.models import name_key
from llm_admin.services.library.entries import Entry
from llm_admin.services.library.shelf import Book, Shelf, numbered


@dataclass
class Match:
    """`book`: the existing document. `known`: it, or an earlier entry of the file, says the same already."""

    entry: Entry
    name: str = ""
    book: Book | None = None
    known: bool = False
    repeats: Match | None = None
    renamed: bool = False
    notices: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        return name_key(self.entry.name)


def match(entries: Sequence[Entry], shelf: Shelf) -> list[Match]:
    matches = [Match(entry) for entry in entries]
    said: dict[tuple[str, bool, str], Match] = {}
    for one in matches:
        first = said.setdefault((one.key, one.entry.bare, one.entry.fingerprint), one)
        if first is not one:
            _repeat(one, first)
        else:
            _find(one, shelf)
    _Places(shelf, matches).give([one for one in matches if not one.known])
    for one in matches:
        one.name = one.name or (one.repeats.name if one.repeats else one.entry.name)
    return matches


def _repeat(one: Match, first: Match) -> None:
    one.repeats, one.known = first, True
    one.notices.append(f"The same as {first.entry.place[0]} of this file.")


def _find(one: Match, shelf: Shelf) -> None:
    entry, fingerprint = one.entry, one.entry.fingerprint
    for book in shelf.kin(entry.name):
        number = book.number_of(fingerprint, bare=entry.bare)
        if number is not None:
            one.book, one.name, one.known = book, book.document.name, True
            one.notices += _differences(entry, book, number)
            return


def _differences(entry: Entry, book: Book, number: int) -> list[str]:
    document, notices = book.document, []
    if name_key(document.name) != name_key(entry.name):
        notices.append(f"Here it is called “{document.name}”.")
    if number != document.last_number:
        notices.append(f"Here it is v{number}; the newest is v{document.last_number}.")
    older = [one for one in entry.versions if book.number_of(one.fingerprint(bare=entry.bare), bare=entry.bare) is None]
    if older:
        notices.append(f"{len(older)} older versions of the file are not here; they are not added.")
    return notices


class _Places:
    """Every entry that is not known gets “Name”, or the first “Name (n)” that no other entry of the file means."""

    def __init__(self, shelf: Shelf, matches: Sequence[Match]) -> None:
        self.shelf = shelf
        self.taken = {name_key(one.name) for one in matches if one.known and one.book}
        self.firsts: dict[str, Match] = {}
        for one in matches:
            self.firsts.setdefault(one.key, one)
        self.next: dict[str, int] = {}

    def give(self, open_ones: Sequence[Match]) -> None:
        for one in [one for one in open_ones if not self._take(one, 1)]:
            number = self.next.get(one.key, 2)
            while not self._take(one, number):
                number += 1
            self.next[one.key] = number + 1
            one.renamed = True
            one.notices.append(self._why(one))

    def _take(self, one: Match, number: int) -> bool:
        name = numbered(one.entry.name, number)
        key = name_key(name)
        if key in self.taken:
            return False
        self.taken.add(key)
        one.name, one.book = name, self.shelf.at(name)
        return True

    def _why(self, one: Match) -> str:
        first = self.firsts[one.key]
        if first is one:  # a later name of the file, spelled “Name (2)”, had its place before
            return f"Becomes “{one.name}”: another prompt of this file is there."
        same = "the same name"
        if first.entry.name != one.entry.name:
            same = f"the name “{first.entry.name}” (capitals do not count)"
        return f"Becomes “{one.name}”: {first.entry.place[0]} has {same} and says something else."
