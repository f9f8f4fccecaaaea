"""Numbers over the logs of the current workspace: exact, from the raw rows.

Signatures are made for rollups behind them: callers give a filter and boundaries, and get numbers, never rows.
Cancelled and interrupted calls are no errors. A call whose cost is unknown is counted as such, never as 0.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, NamedTuple

from django.db.models import Case, Count, IntegerField, QuerySet, Sum, Value, When

from llm_admin.choices import CallStatus
from llm_admin.models import InteractionLog, LanguageModel

# What people filter on and what numbers are broken down by: the name here, and the column of the log.
COLUMNS = {
    "model": "model_id",
    "deployment": "deployment_id",
    "prompt": "prompt_id",
    "version": "prompt_version_id",
    "workflow": "workflow_id",
    "source": "source",
    "user": "user_id",
    "status": "status",
    "error": "error_kind",
    "cached": "cached",
}
DIMENSIONS = tuple(COLUMNS)


@dataclass(frozen=True)
class UsageFilter:
    """Which calls count: those of the workspace in scope, from `since` up to but not including `until`."""

    since: dt.datetime
    until: dt.datetime
    prompt: int | None = None
    workflow: int | None = None
    model: int | None = None
    user: int | None = None
    deployment: int | None = None
    version: int | None = None
    source: str | None = None
    status: str | None = None
    error: str | None = None
    cached: bool | None = None

    def before(self) -> UsageFilter:
        """The period of the same length that ends where this one begins."""
        return replace(self, since=self.since - (self.until - self.since), until=self.since)

    def given(self) -> dict[str, int | str | bool]:
        """What is filtered on besides the time, by dimension."""
        return {name: value for name in DIMENSIONS if (value := getattr(self, name)) is not None}

    def logs(self) -> QuerySet[InteractionLog]:
        given = {COLUMNS[name]: value for name, value in self.given().items()}
        return InteractionLog.objects.filter(created_at__gte=self.since, created_at__lt=self.until, **given).order_by()


@dataclass(frozen=True)
class Totals:
    """`cost_nano` sums the known costs only; it is None when calls were made and none of their costs is known.

    `cached`: calls that were answered from the cache; times are those of the others. `saved_nano` is about what they
    would have cost, None where nobody knows.
    """

    calls: int = 0
    errors: int = 0
    stopped: int = 0
    cost_nano: int | None = 0
    unknown_cost: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    p50_ms: int | None = None
    p95_ms: int | None = None
    cached: int = 0
    saved_nano: int | None = None


@dataclass(frozen=True)
class Bucket:
    """One bar of a chart. `cost_by_model` has the known costs; `errors` the failed calls by kind."""

    start: dt.datetime
    end: dt.datetime
    totals: Totals
    cost_by_model: dict[int | None, int]
    errors: dict[str, int]


@dataclass(frozen=True)
class Slice:
    """The calls of one model, prompt, ...: `value` as the logs have it, None where they name none."""

    value: int | str | bool | None
    totals: Totals


@dataclass(frozen=True)
class Report:
    """`by`: for each dimension asked for its slices, dearest first, then those called most."""

    totals: Totals
    before: Totals
    buckets: list[Bucket]
    by: dict[str, list[Slice]] = field(default_factory=dict)


class Cell(NamedTuple):
    """What a rollup row will hold: sums by bucket, model, outcome and whether the cache answered."""

    bucket: int
    model: int | None
    status: str
    error_kind: str
    cached: bool
    calls: int
    priced: int
    cost_nano: int | None
    input_tokens: int | None
    output_tokens: int | None


def totals(usage_filter: UsageFilter) -> Totals:
    starts = [usage_filter.since]
    return _totals(_cells(usage_filter, starts), _latencies(usage_filter, starts)[0])


def series(usage_filter: UsageFilter, starts: Sequence[dt.datetime]) -> list[Bucket]:
    """One bucket per start, each up to the next one, the last up to the filter's end."""
    cells: dict[int, list[Cell]] = defaultdict(list)
    for cell in _cells(usage_filter, starts):
        cells[cell.bucket].append(cell)
    latencies = _latencies(usage_filter, starts)
    ends = [*starts[1:], usage_filter.until]
    return [
        _bucket(start, end, cells[n], latencies[n]) for n, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]


def report(usage_filter: UsageFilter, starts: Sequence[dt.datetime], *, by: Sequence[str] = ()) -> Report:
    """The totals of a period and of the one before, the period's series, and its slices: all that a page needs."""
    before = usage_filter.before()
    both = replace(usage_filter, since=before.since)
    cells: dict[int, list[Cell]] = defaultdict(list)
    bounds = [before.since, *starts]
    for cell in _cells(both, bounds):
        cells[cell.bucket].append(cell)
    latencies = _latencies(both, bounds)
    spans = enumerate(pairwise([*starts, usage_filter.until]), start=1)
    return Report(
        totals=_totals([c for n, some in cells.items() if n for c in some], sorted(_flat(latencies[1:]))),
        before=_totals(cells[0], latencies[0]),
        buckets=[_bucket(start, end, cells[n], latencies[n]) for n, (start, end) in spans],
        by={name: slices(usage_filter, name) for name in by},
    )


def slices(usage_filter: UsageFilter, dimension: str) -> list[Slice]:
    column = COLUMNS[dimension]
    values = usage_filter.logs().values_list(column, flat=True).distinct()
    found = []
    for value in values:
        these = usage_filter.logs().filter(**({f"{column}__isnull": True} if value is None else {column: value}))
        sums = these.values_list(Value(0), "model_id", "status", "error_kind", "cached").annotate(
            Count("pk"), Count("cost_nano"), Sum("cost_nano"), Sum("input_tokens"), Sum("output_tokens")
        )
        latencies = sorted(these.filter(cached=False).values_list("latency_ms", flat=True))
        found.append(Slice(value, _totals([Cell(*row) for row in sums], latencies)))
    return sorted(found, key=lambda one: (-(one.totals.cost_nano or 0), -one.totals.calls))


def model_names(ids: Iterable[int | None]) -> dict[int | None, str]:
    known = LanguageModel.objects.filter(pk__in=[pk for pk in ids if pk is not None]).values_list("pk", "name")
    return {pk: "Unknown model" if pk is None else "Deleted model" for pk in ids} | dict(known)


def nearest_rank(ordered: Sequence[int], percent: int) -> int | None:
    """The smallest value that at least `percent` % of all values do not exceed."""
    return ordered[-(-percent * len(ordered) // 100) - 1] if ordered else None


def _cells(usage_filter: UsageFilter, starts: Sequence[dt.datetime]) -> list[Cell]:
    rows = usage_filter.logs().annotate(bucket=_bucket_number(starts, 0, len(starts)))
    sums = rows.values_list("bucket", "model_id", "status", "error_kind", "cached").annotate(
        Count("pk"), Count("cost_nano"), Sum("cost_nano"), Sum("input_tokens"), Sum("output_tokens")
    )
    return [Cell(*row) for row in sums]


def _latencies(usage_filter: UsageFilter, starts: Sequence[dt.datetime]) -> list[list[int]]:
    """By bucket, sorted. One thin pass: four times faster on SQLite than a window function (measured, 100,000 rows)."""
    found: list[list[int]] = [[] for _ in starts]
    rows = usage_filter.logs().filter(cached=False).annotate(bucket=_bucket_number(starts, 0, len(starts)))
    for bucket, latency in rows.values_list("bucket", "latency_ms").iterator(chunk_size=10_000):
        found[bucket].append(latency)
    for latencies in found:
        latencies.sort()
    return found


def _bucket_number(starts: Sequence[dt.datetime], low: int, high: int) -> Any:
    """The position of the last start that is not after the call: a binary search in SQL, exact in every time zone."""
    if high - low == 1:
        return Value(low)
    middle = (low + high) // 2
    return Case(
        When(created_at__gte=starts[middle], then=_bucket_number(starts, middle, high)),
        default=_bucket_number(starts, low, middle),
        output_field=IntegerField(),
    )


def _flat(lists: Iterable[list[int]]) -> list[int]:
    return [one for some in lists for one in some]


def _totals(cells: Sequence[Cell], latencies: Sequence[int]) -> Totals:
    by_status: Counter[str] = Counter()
    for cell in cells:
        by_status[cell.status] += cell.calls
    calls, priced = sum(by_status.values()), sum(cell.priced for cell in cells)
    return Totals(
        calls=calls,
        errors=by_status[CallStatus.FAILED],
        stopped=by_status[CallStatus.CANCELLED] + by_status[CallStatus.INTERRUPTED],
        cost_nano=sum(cell.cost_nano or 0 for cell in cells) if priced or not calls else None,
        unknown_cost=calls - priced,
        input_tokens=sum(cell.input_tokens or 0 for cell in cells),
        output_tokens=sum(cell.output_tokens or 0 for cell in cells),
        p50_ms=nearest_rank(latencies, 50),
        p95_ms=nearest_rank(latencies, 95),
        cached=sum(cell.calls for cell in cells if cell.cached),
        saved_nano=_saved(cells),
    )


def _saved(cells: Sequence[Cell]) -> int | None:
    """What the tokens of hits would have cost, at what a token of the same model cost on average in the same time."""
    paid: Counter[int | None] = Counter()
    tokens: Counter[int | None] = Counter()
    for cell in cells:
        if not cell.cached and cell.priced == cell.calls:
            paid[cell.model] += cell.cost_nano or 0
            tokens[cell.model] += _tokens(cell)
    known = [
        _tokens(cell) * paid[cell.model] // tokens[cell.model] for cell in cells if cell.cached and tokens[cell.model]
    ]
    return sum(known) if known else None


def _tokens(cell: Cell) -> int:
    return (cell.input_tokens or 0) + (cell.output_tokens or 0)


def _bucket(start: dt.datetime, end: dt.datetime, cells: Sequence[Cell], latencies: Sequence[int]) -> Bucket:
    cost: dict[int | None, int] = {}
    errors: Counter[str] = Counter()
    for cell in cells:
        if cell.priced:
            cost[cell.model] = cost.get(cell.model, 0) + (cell.cost_nano or 0)
        if cell.status == CallStatus.FAILED:
            errors[cell.error_kind] += cell.calls
    return Bucket(start, end, _totals(cells, latencies), cost, dict(errors))
