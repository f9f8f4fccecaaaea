"""Which calls hold some words: what the index has, and the newest texts that it does not have yet, read as they are.

So what was stored a second ago is found, although no call waits for the index (services/log_search.py fills it).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import ModuleType

from django.db import connection
from django.db.models import Max

from llm_admin.models import InteractionLog, InteractionText, LogIndexMark
from llm_admin.selectors import log_search_postgres, log_search_sqlite, log_words
from llm_admin.selectors.log_words import Term

NAME = "words"
FEW, APART = 100, 500  # so many calls with so many others between each two are read as fast as they are looked up
KNOWN_AT_ONCE = 10_000  # with more than so many, it is looked through call by call instead
READ_AT_MOST = 20_000  # texts that no index has yet
READ_SECONDS = 0.06  # of them, for a page: then it says how many it did not look at
READ_TOGETHER = 250
LATE = 2_000  # ids behind the mark of which one may have become visible after it


def backend() -> ModuleType:
    return {"sqlite": log_search_sqlite, "postgresql": log_search_postgres}[connection.vendor]


def indexed_upto() -> int:
    mark = LogIndexMark.objects.filter(name=NAME, version=log_words.VERSION).first()
    return mark.upto if mark else 0


def scope_of(workspace_id: int, user_id: int | None) -> list[str]:
    """Words that nobody can type: whose call it is."""
    return [f"w:{workspace_id}", *([f"u:{user_id}"] if user_id is not None else [])]


def document_of(text: InteractionText, user_id: int | None) -> tuple[int, list[str]]:
    words = log_words.document(log_words.texts_of(text.messages, text.answer, text.error))
    return text.log_id, [*scope_of(text.workspace_id, user_id), log_words.BREAK, *words]


def documents(texts: Iterable[InteractionText]) -> list[tuple[int, list[str]]]:
    rows = list(texts)
    users = dict(InteractionLog._base_manager.filter(pk__in=[row.log_id for row in rows]).values_list("pk", "user_id"))
    return [document_of(row, users.get(row.log_id)) for row in rows]


@dataclass
class Search:
    """Of one workspace, and of one person's calls when `user_id` is given. `unread`: texts that were not looked at,
    because the index is behind: then the result is not all there is. `patient`: takes its time for them."""

    terms: Sequence[Term]
    workspace_id: int
    user_id: int | None = None
    patient: bool = False
    unread: int = 0
    _newest: set[int] | None = field(default=None, repr=False)
    _upto: int = 0

    def all(self) -> set[int] | None:
        """Every call that matches, perhaps with other people's and workspaces' ones, which the rows tell apart; None
        when these are too many to know them at once."""
        if not self.terms:
            return set()
        newest = self._look_through_newest()
        found = self._first() if self._upto else []
        return newest.union(found) if len(found) <= KNOWN_AT_ONCE else None

    def _first(self) -> list[int]:
        """Words that are rare everywhere are not compared with the many calls of the workspace."""
        if any(not term.excluded for term in self.terms):
            found: list[int] = backend().first([], self.terms, KNOWN_AT_ONCE + 1)
            if len(found) <= KNOWN_AT_ONCE:
                return found
        return list(backend().first(self._scope, self.terms, KNOWN_AT_ONCE + 1))

    def among(self, ids: Sequence[int]) -> set[int]:
        """Of calls that follow one another, more or less."""
        newest = self._look_through_newest()
        if not ids or not self._upto:
            return newest.intersection(ids)
        low, high = min(ids), max(ids)
        if len(ids) <= FEW and high - low > APART * len(ids):
            return set(self._matching(ids))
        return newest.union(backend().between(self._scope, self.terms, low, high)).intersection(ids)

    @property
    def _scope(self) -> list[str]:
        return scope_of(self.workspace_id, self.user_id)

    def _look_through_newest(self) -> set[int]:
        if self._newest is None:
            self._upto = indexed_upto()
            self._newest = self._read(self._not_indexed())
        return self._newest

    def _not_indexed(self) -> list[int]:
        settled = backend().SETTLED_AT_ONCE
        after = self._upto if settled else max(0, self._upto - LATE)
        rows = InteractionText._base_manager.filter(log_id__gt=after).order_by("-log_id")
        newest = list(rows.values_list("log_id", "workspace_id")[: READ_AT_MOST + 1])
        self.unread = behind() if len(newest) > READ_AT_MOST else 0
        ids = [pk for pk, where in newest[:READ_AT_MOST] if where == self.workspace_id]
        known = set() if settled or not self._upto else log_search_postgres.has(ids)
        return [pk for pk in ids if pk not in known]

    def _read(self, ids: list[int]) -> set[int]:
        """The newest first, as long as there is time."""
        found: set[int] = set()
        stop = time.monotonic() + READ_SECONDS
        for at in range(0, len(ids), READ_TOGETHER):
            if at and not self.patient and time.monotonic() > stop:
                self.unread = max(self.unread, len(ids)) - at
                break
            found |= self._matching(ids[at : at + READ_TOGETHER])
        return found

    def _matching(self, ids: Sequence[int]) -> set[int]:
        """Of a few hundred: their texts are read."""
        rows = InteractionText._base_manager.filter(log_id__in=ids, workspace=self.workspace_id)
        needed, found = log_words.needed(self.terms), set()
        for pk, *kept in rows.values_list("log_id", "messages", "answer", "error"):
            texts = list(log_words.texts_of(*kept))
            if log_words.may_match(needed, texts) and log_words.matches(self.terms, log_words.document(texts)):
                found.add(pk)
        if self.user_id is None or not found:
            return found
        own = InteractionLog._base_manager.filter(pk__in=found, user_id=self.user_id)
        return set(own.values_list("pk", flat=True))


def behind() -> int:
    """How many ids the index has yet to look at, about."""
    newest = InteractionText._base_manager.aggregate(newest=Max("log_id"))["newest"] or 0
    return max(0, newest - indexed_upto())
