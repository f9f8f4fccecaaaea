"""Where in time to look for calls with some values: a bit for each minute in which such a call began.

A filter that few calls pass would read millions of rows to find a hundred. Two thousand small rows tell, for any
filters together, the minutes in which all of them occur; only these are read. They say too much at most, never too
little (services/log_minutes.py writes them; calls that are newer than they are get read one by one), so what is
listed is exact.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, reduce
from operator import and_, or_
from typing import Any

from django.db.models import F, Max, Min, Q

from llm_admin.models import InteractionLog, LogIndexMark, LogMinutes
from llm_admin.selectors.log_quarters import Given, Quarters
from llm_admin.selectors.log_query import AMOUNTS, UNKNOWN, LogQuery
from llm_admin.selectors.log_spans import DAY, Day, Span, clipped, divided, joined, spans_of
from llm_admin.selectors.usage import COLUMNS

NAME, VERSION = "minutes", 1
SMALL = 20_000  # logs: so many are read faster than anything is looked up
FAR_BEHIND = 50_000
LATE = 2_000  # ids behind the mark of which one may have become visible after it
ANY, PRICED = "any", "priced"
KNOWN = "known"
DAYS_AT_ONCE = 64
SOON = 60  # minutes: what is found in so many is found before anything else is asked

Days = dict[dt.date, int]


def bin_of(amount: int) -> str:
    """Amounts of about the same size (at most a quarter apart): in order, a greater one has no lower bin."""
    bits = amount.bit_length()
    return str(bits * 4 + (amount >> (bits - 3) & 3 if bits >= 3 else 0))


def wanted(query: LogQuery) -> dict[str, Q]:
    """By dimension, the rows of LogMinutes of which one must have the minute."""
    found = {name: Q(value__in=[str(value) for value in values]) for name, values in query.values.items()}
    if query.viewer is not None:
        found["viewer"] = Q(value=str(query.viewer))
    for name, (low, high) in query.amounts.items():
        first, last = int(bin_of(max(low or 0, 0))), None if high is None else int(bin_of(max(high - 1, 0)))
        found[name] = _bins(first, last)
    if query.cost_known is not None:
        found[PRICED] = Q(value=KNOWN if query.cost_known else UNKNOWN)
    return found


def together(query: LogQuery) -> list[Given]:
    """What a call must have at once and is told apart in sums."""
    own = [("user", (query.viewer,))] if query.viewer is not None else []
    return [*own, *((name, tuple(values)) for name, values in query.values.items())]


def _bins(first: int, last: int | None) -> Q:
    upto = 4 * 66 if last is None else last
    return Q(value__in=[str(n) for n in range(first, upto + 1)])


class Minutes:
    """Of one query. `usable` is False where reading the logs themselves is as well."""

    def __init__(self, query: LogQuery) -> None:
        self.query = query
        self.wanted = wanted(query)
        self._quarters = Quarters(query.workspace_id, together(query))
        self._read: dict[tuple[str, dt.date, dt.date, str], Days] = {}
        self.usable = bool(self.wanted) and self._is_ready()

    def be_used(self) -> None:
        """Also without any filter, since the order is one."""
        self.usable = self.usable or self._is_ready()

    def _is_ready(self) -> bool:
        if self.query.run is not None:  # which has few calls, and an index of its own
            return False
        newest = InteractionLog._base_manager.aggregate(newest=Max("pk"))["newest"] or 0
        if newest < SMALL:
            return False
        mark = LogIndexMark.objects.filter(name=NAME, version=VERSION).first()
        self.after = max(0, mark.upto - LATE) if mark else 0
        return mark is not None and newest - self.after <= FAR_BEHIND

    def spans(self, since: dt.datetime | None, until: dt.datetime | None, *, oldest_first: bool) -> Iterator[Span]:
        """Where such calls may be, in order; far fewer minutes than there are, unless they are everywhere."""
        first, last = self._ends
        if first is None or last is None:
            return
        first = max(first, since.astimezone(dt.UTC).date()) if since else first
        last = min(last, until.astimezone(dt.UTC).date()) if until else last
        days = clipped(self._by_day(first, last, oldest_first=oldest_first), since, until)
        if self._quarters.useful:
            soon, days = divided(days, SOON, oldest_first=oldest_first)
            yield from joined(spans_of(soon, oldest_first=oldest_first), oldest_first=oldest_first)
            yield from spans_of(self._narrowed(days), oldest_first=oldest_first)
        else:
            yield from joined(spans_of(days, oldest_first=oldest_first), oldest_first=oldest_first)

    def _by_day(self, first: dt.date, last: dt.date, *, oldest_first: bool) -> Iterator[Day]:
        new = self._newest
        for begin, end in _chunks(first, last, oldest_first=oldest_first):
            days = self._days(begin, end)
            for day in {one for one in new if begin <= one <= end}:
                days[day] = days.get(day, 0) | new[day]
            yield from ((day, days[day]) for day in sorted(days, reverse=not oldest_first))

    def _narrowed(self, days: Iterable[Day]) -> Iterator[Day]:
        """Without the minutes in which the values meet, but no call has all of them."""
        return self._quarters.narrowed(days, self._newest)

    def _days(self, begin: dt.date, end: dt.date) -> Days:
        """What holds for every dimension, of the days from one to the other."""
        found = [self._days_of(name, values, begin, end) for name, values in self.wanted.items()]
        return {day: reduce(and_, (days[day] for days in found)) for day in set.intersection(*map(set, found))}

    def _days_of(self, name: str, values: Q, begin: dt.date, end: dt.date) -> Days:
        """Kept, since the calls of one size after another are looked for with the other dimensions unchanged."""
        key = (name, begin, end, str(values))
        if key not in self._read:
            days: Days = defaultdict(int)
            rows = LogMinutes._base_manager.filter(
                values,
                workspace=self.query.workspace_id,
                **_dimension_of(name),
                day__gte=begin,
                day__lte=end,
            )
            for day, minutes in rows.values_list("day", "minutes"):
                days[day] |= int.from_bytes(minutes, "little")
            self._read[key] = days
        return self._read[key]

    @cached_property
    def _newest(self) -> Days:
        """Minutes of matching calls that are too new to be known."""
        rows = replace(self.query, text="", feedback="").rows(by_id=True).filter(pk__gt=self.after)
        return days_of(rows.values_list("created_at", flat=True))

    @cached_property
    def _ends(self) -> tuple[dt.date | None, dt.date | None]:
        rows = LogMinutes._base_manager.filter(workspace=self.query.workspace_id, dimension=ANY)
        ends = rows.aggregate(first=Min("day"), last=Max("day"))
        days = [day for day in (ends["first"], ends["last"], *self._newest) if day]
        return (min(days), max(days)) if days else (None, None)

    def bins(self, amount: str) -> list[str]:
        """The sizes that occur at all, the greatest first, then the unknown ones."""
        rows = LogMinutes._base_manager.filter(workspace=self.query.workspace_id, dimension=amount)
        if self.query.since:
            rows = rows.filter(day__gte=self.query.since.astimezone(dt.UTC).date())
        if self.query.until:
            rows = rows.filter(day__lte=self.query.until.astimezone(dt.UTC).date())
        found = set(rows.values_list("value", flat=True).distinct())
        newest = self.query.rows(by_id=True).filter(pk__gt=self.after).values_list(AMOUNTS[amount], flat=True)
        found |= {UNKNOWN if one is None else bin_of(one) for one in newest}
        unknown = [UNKNOWN] if UNKNOWN in found else []
        return [*sorted(found - {UNKNOWN}, key=int, reverse=True), *unknown]


def _dimension_of(name: str) -> dict[str, str]:
    if name.endswith(" now"):
        return {}  # of sizes that are gone through, in their own condition
    return {"dimension": "user" if name == "viewer" else name}


def days_of(moments: Iterable[dt.datetime]) -> Days:
    found: Days = defaultdict(int)
    for moment in moments:
        utc = moment.astimezone(dt.UTC)
        found[utc.date()] |= 1 << (utc.hour * 60 + utc.minute)
    return found


def _chunks(first: dt.date, last: dt.date, *, oldest_first: bool) -> Iterator[tuple[dt.date, dt.date]]:
    step = dt.timedelta(days=DAYS_AT_ONCE - 1)
    one = dt.timedelta(days=1)
    while first <= last:
        if oldest_first:
            yield first, min(last, first + step)
            first += step + one
        else:
            yield max(first, last - step), last
            last -= step + one


# What is kept of each call: its moment and workspace, then a column for each dimension.
KEPT = ("created_at", "workspace_id", *COLUMNS.values(), "latency_ms", "all_tokens", "cost_nano")
DIMENSIONS = (*COLUMNS, "latency", "tokens", "cost", PRICED)


def bits_of(rows: Sequence[tuple[Any, ...]]) -> dict[tuple[int, str, str, dt.date], int]:
    """By workspace, dimension, value and day: the minutes. `rows` have the columns of KEPT."""
    if not rows:
        return {}
    moments, workspaces, *columns = zip(*rows, strict=True)
    stamps = [int(moment.timestamp()) // 60 for moment in moments]
    found: dict[tuple[int, str, str, int], int] = defaultdict(int)
    for minute, workspace in set(zip(stamps, workspaces, strict=True)):
        found[workspace, ANY, "", minute // DAY] |= 1 << minute % DAY
    columns.append(columns[-1])  # the cost, and whether it is known
    for dimension, column in zip(DIMENSIONS, columns, strict=True):
        texts: Mapping[Any, str] = {value: text for value in set(column) if (text := _text(dimension, value))}
        for minute, workspace, value in set(zip(stamps, workspaces, column, strict=True)):
            if value in texts:
                found[workspace, dimension, texts[value], minute // DAY] |= 1 << minute % DAY
    epoch = dt.date(1970, 1, 1)
    return {(*key, epoch + dt.timedelta(days=day)): bits for (*key, day), bits in found.items()}  # type: ignore[misc]


def _text(dimension: str, value: Any) -> str:
    if dimension == PRICED:
        return UNKNOWN if value is None else KNOWN
    if dimension in AMOUNTS:
        return UNKNOWN if value is None else bin_of(value)
    return "" if value is None else str(value)


def kept_rows(rows: Any) -> Any:
    return rows.annotate(all_tokens=F("input_tokens") + F("output_tokens")).values_list(*KEPT)


def joined_bits(one: bytes | memoryview[int], other: int) -> bytes:
    return or_(int.from_bytes(one, "little"), other).to_bytes(DAY // 8, "little")
