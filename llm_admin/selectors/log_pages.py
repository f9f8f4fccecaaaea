"""The calls that somebody asks for, newest first, a page at a time: nothing is counted, and nothing that a page does
not show is read for long. Each page says where the next one begins."""

from __future__ import annotations

import datetime as dt
import heapq
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from django.db.models import F, Q, QuerySet

from llm_admin.models import InteractionLog
from llm_admin.selectors import log_words
from llm_admin.selectors.log_minutes import Minutes, bin_of
from llm_admin.selectors.log_query import AMOUNTS, NOBODY, UNKNOWN, LogQuery, Within
from llm_admin.selectors.log_search import KNOWN_AT_ONCE, Search
from llm_admin.selectors.log_spans import Span

SECONDS = 2.0  # for a page; then it says how far back it looked
TOGETHER = 50  # short spans in one statement
SHORT = dt.timedelta(minutes=30)
CHUNK = 2_000
Key = tuple[dt.datetime, int]
Amount = tuple[int, dt.datetime, int]


@dataclass
class Page:
    """`keys` in their order. `more`: there are others behind them. `looked_back_to`: it took too long to look further;
    what is older may match, too."""

    keys: list[Key] = field(default_factory=list)
    more: bool = False
    looked_back_to: dt.datetime | None = None
    unread: int = 0  # texts that the search could not look at yet
    note: str = ""

    @property
    def ids(self) -> list[int]:
        return [pk for _, pk in self.keys]


class Finder:
    """Finds the calls of one query; everything that is asked of it is exact. `patient`: it also looks through all texts
    that are not searchable yet, for what is done with all that match."""

    def __init__(self, query: LogQuery, *, patient: bool = False) -> None:
        self.query = query
        self.minutes = Minutes(query)
        terms = log_words.parse(query.text)
        self.search: Search | None = None
        if query.text.strip():
            self.search = Search(terms, query.workspace_id, query.viewer, patient)
        self._known: set[int] | None = None
        self._asked = False

    def known(self) -> set[int] | None:
        """All calls that can match, where these are few enough to be known at once."""
        if not self._asked:
            self._asked = True
            sets = [one for one in (self._ticked(), self._judged(), self._found()) if one is not None]
            self._known = set.intersection(*sets) if sets else None
        return self._known

    def _ticked(self) -> set[int] | None:
        return None if self.query.ids is None else set(self.query.ids)

    def _judged(self) -> set[int] | None:
        if self.query.feedback in ("", NOBODY):
            return None
        rows = self.query.judged().values_list("log_id", flat=True)[: KNOWN_AT_ONCE + 1]
        ids = set(rows)
        return ids if len(ids) <= KNOWN_AT_ONCE else None

    def _found(self) -> set[int] | None:
        return self.search.all() if self.search else None

    def walk(self, begin: Key | None, *, newer: bool = False, chunk: int = CHUNK) -> Iterator[list[Key]]:
        """From `begin` on, without it: to the older ones, or to the newer ones. A list may be empty."""
        known = self.known()
        if known is not None:
            yield from self._walk_known(known, begin, newer=newer)
            return
        for keys in self._walk_time(begin, newer=newer, chunk=chunk):
            if self.search and keys:
                matching = self.search.among([pk for _, pk in keys])
                self.reached = keys[-1][0]
                keys = [key for key in keys if key[1] in matching]
            yield keys

    reached: dt.datetime | None = None  # how far the last list looked

    def _walk_known(self, known: set[int], begin: Key | None, *, newer: bool) -> Iterator[list[Key]]:
        keys: list[Key] = []
        ids = sorted(known)
        for at in range(0, len(ids), CHUNK):
            rows = self._beyond(self.query.rows(by_id=True), begin, newer=newer)
            keys += rows.filter(pk__in=ids[at : at + CHUNK]).values_list("created_at", "pk")
        keys.sort(reverse=not newer)
        yield keys

    def _walk_time(self, begin: Key | None, *, newer: bool, chunk: int) -> Iterator[list[Key]]:
        order = ("created_at", "pk") if newer else ("-created_at", "-pk")
        for spans in self._groups(begin, newer=newer):
            last = begin
            while True:
                rows = self._beyond(self._within(spans), last, newer=newer)
                keys: list[Key] = list(rows.order_by(*order).values_list("created_at", "pk")[:chunk])
                self.reached = keys[-1][0] if len(keys) == chunk else (spans[-1][1 if newer else 0] if spans else None)
                yield keys
                if len(keys) < chunk:
                    break
                last = keys[-1]

    def _groups(self, begin: Key | None, *, newer: bool) -> Iterator[list[Span]]:
        """Spans to look into, in order: a long one alone, since that is read only as far as needed."""
        if not self.minutes.usable:
            yield []
            return
        since, until = self.query.since, self.query.until
        if begin:
            since, until = (begin[0], until) if newer else (since, begin[0])
        group: list[Span] = []
        for span in self.minutes.spans(since, until, oldest_first=newer):
            if (since and span[1] <= since) or (until and span[0] > until):
                continue
            if span[1] - span[0] > SHORT:
                if group:
                    yield group
                    group = []
                yield [span]
                continue
            group.append(span)
            if len(group) == TOGETHER:
                yield group
                group = []
        if group:
            yield group

    def _within(self, spans: Sequence[Span]) -> QuerySet[Any]:
        if not spans:
            return self.query.rows()
        if len(spans) == 1:
            return self.query.rows(by_time=True).filter(created_at__gte=spans[0][0], created_at__lt=spans[0][1])
        return self.query.rows(by_id=True).filter(Within(self.query.workspace_id, spans))

    @staticmethod
    def _beyond(rows: QuerySet[Any], begin: Key | None, *, newer: bool) -> QuerySet[Any]:
        if begin is None:
            return rows
        moment, pk = begin
        if newer:
            return rows.filter(created_at__gte=moment).exclude(created_at=moment, pk__lte=pk)
        return rows.filter(created_at__lte=moment).exclude(created_at=moment, pk__gte=pk)

    def biggest(self, amount: str, column: str, most: int, skip: int, stop: float) -> tuple[list[int], bool]:
        """The ids with the greatest amounts, unknown ones last; and whether there was time to look at all that count.

        Sizes are looked at from the greatest down, each only where it occurs."""
        known, wanted = self.known(), most + skip
        found: list[Amount] = []
        if known is not None:
            ids = sorted(known)
            for at in range(0, len(ids), CHUNK):
                rows = self.query.rows(by_id=True).filter(pk__in=ids[at : at + CHUNK])
                found = _greatest(rows, column, found, wanted)
        elif self.search:
            return [], False
        else:
            self.minutes.be_used()
            for least in self._sizes(amount, found):
                for spans in self._groups(None, newer=False):
                    found[:] = _greatest(self._within(spans), column, found, wanted)
                    if time.monotonic() > stop:
                        return [], False
                if len(found) == wanted and least and _is_at_least(found[-1], least):
                    break
        return [pk for _, _, pk in found[skip:]], True

    def _sizes(self, amount: str, found: Sequence[Amount]) -> Iterator[str]:
        """Makes `_groups` lead to where calls of some sizes are, for smaller and smaller ones; gives the least of them.
        "" stands for unknown, or for all where no sizes are known. Several at once until something is `found`."""
        if not self.minutes.usable:
            yield ""
            return
        own, bins, together = self.minutes.wanted, self.minutes.bins(amount), 1
        while bins:
            some, bins = bins[:together], bins[together:]
            self.minutes.wanted = {**own, f"{amount} now": Q(dimension=amount, value__in=some)}
            yield "" if UNKNOWN in some else some[-1]
            together = 1 if found else together * 2


def _is_at_least(one: Amount, size: str) -> bool:
    return one[0] >= 0 and int(bin_of(one[0])) >= int(size)


def _greatest(rows: QuerySet[Any], column: str, found: list[Amount], most: int) -> list[Amount]:
    order = (F(column).desc(nulls_last=True), "-created_at", "-pk")
    some = rows.order_by(*order).values_list(column, "created_at", "pk")[:most]
    keyed = {(-1 if one is None else one, moment, pk) for one, moment, pk in some} | set(found)
    return heapq.nlargest(most, keyed)


def page(query: LogQuery, *, size: int, begin: Key | None = None, newer: bool = False) -> Page:
    """One page by time, beginning behind `begin`; of the newer ones, those next to it."""
    finder, stop = Finder(query), time.monotonic() + SECONDS
    found: list[Key] = []
    made = Page()
    for keys in finder.walk(begin, newer=newer, chunk=size + 1 if finder.search is None else CHUNK):
        found += keys
        if len(found) > size:
            break
        if time.monotonic() > stop:
            made.looked_back_to = finder.reached
            break
    made.more, made.keys = len(found) > size, found[:size]
    made.unread = finder.search.unread if finder.search else 0
    if newer:
        made.keys.reverse()
    return made


def biggest(query: LogQuery, *, size: int, skip: int) -> Page:
    """One page by amount; pages beyond the first few are not what it is for."""
    finder = Finder(query)
    ids, complete = finder.biggest(query.order, AMOUNTS[query.order], size + 1, skip, time.monotonic() + SECONDS)
    made = Page(more=len(ids) > size, unread=finder.search.unread if finder.search else 0)
    if not complete:
        made.note = "That is too many calls to put in this order. Choose a shorter time, or one more filter."
    moment = dt.datetime.min.replace(tzinfo=dt.UTC)
    made.keys = [(moment, pk) for pk in ids[:size]]
    return made


def every(query: LogQuery, chunk: int = CHUNK) -> Iterator[list[int]]:
    """The ids of all that match, newest first, some at a time: for what is done with all of them."""
    finder = Finder(query, patient=True)
    for keys in finder.walk(None, chunk=chunk):
        for at in range(0, len(keys), chunk):
            yield [pk for _, pk in keys[at : at + chunk]]


def count_upto(query: LogQuery, most: int) -> tuple[int, bool]:
    """How many match, and whether that is all: it stops at `most`."""
    ids = list(islice((pk for some in every(query) for pk in some), most + 1))
    return min(len(ids), most), len(ids) <= most


def loaded(ids: Sequence[int], *related: str, without: Sequence[str] = ()) -> list[InteractionLog]:
    """The rows, in the order of the ids; `without` fields that are long and not asked for."""
    found = InteractionLog._base_manager.filter(pk__in=ids).select_related(*related).defer(*without)
    rows = {row.pk: row for row in found}
    return [rows[pk] for pk in ids if pk in rows]
