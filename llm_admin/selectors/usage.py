"""Numbers over the calls of the current workspace: rollups and the newest rows, equal to the raw rows to the second.

Callers give a filter and boundaries, and get numbers, never rows. Cancelled and interrupted calls are no errors. A
call whose cost is unknown is counted as such, never as 0. Percentiles are within 2.5 % (rollups/bins.py).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django_scopes.exceptions import ScopeError

from llm_admin.models import LanguageModel
from llm_admin.models.rollup import SLOT
from llm_admin.selectors.usage_plans import COLUMNS as COLUMNS
from llm_admin.selectors.usage_plans import DIMENSIONS
from llm_admin.selectors.usage_reading import TOTALS, Question, read, slot_of
from llm_admin.tenancy import current_workspace

if TYPE_CHECKING:
    from llm_admin.selectors.usage_sums import Sums

LIVE = dt.timedelta(seconds=5)


@dataclass(frozen=True)
class UsageFilter:
    """Which calls count: those of the workspace in scope, from `since` up to but not including `until`."""

    since: dt.datetime
    until: dt.datetime
    prompt: int | None = None
    workflow: int | None = None
    model: int | None = None
    user: int | None = None
    deployment: int | tuple[int, ...] | None = None
    version: int | None = None
    source: str | None = None
    status: str | None = None
    error: str | None = None
    cached: bool | None = None

    def before(self) -> UsageFilter:
        """The period of the same length that ends where this one begins."""
        return replace(self, since=self.since - (self.until - self.since), until=self.since)

    def given(self) -> dict[str, Any]:
        """What is filtered on besides the time, by dimension."""
        return {name: value for name in DIMENSIONS if (value := getattr(self, name)) is not None}


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
    first_p50_ms: int | None = None
    first_p95_ms: int | None = None
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
    """The calls of one model, prompt, ...: `value` as the logs have it, None where they name none.

    Without times to the first token, and, but for models, without what the cache saved: nobody shows them.
    """

    value: int | str | bool | None
    totals: Totals


@dataclass(frozen=True)
class Report:
    """`by`: for each dimension asked for its slices, dearest first, then those called most.

    `user` is not among them where something else is filtered on: days are not kept by person and another dimension.
    """

    totals: Totals
    before: Totals
    buckets: list[Bucket]
    by: dict[str, list[Slice]] = field(default_factory=dict)


def totals(usage_filter: UsageFilter) -> Totals:
    return _answer(usage_filter, [usage_filter.since], ()).totals(0, 1)


def series(usage_filter: UsageFilter, starts: Sequence[dt.datetime]) -> list[Bucket]:
    """One bucket per start, each up to the next one, the last up to the filter's end."""
    return _buckets(_answer(usage_filter, starts, ("model", "error")), [*starts, usage_filter.until], 0)


def report(usage_filter: UsageFilter, starts: Sequence[dt.datetime], *, by: Sequence[str] = ()) -> Report:
    """The totals of a period and of the one before, the period's series, and its slices: all that a page needs."""
    before = usage_filter.before()
    both = replace(usage_filter, since=before.since)
    others = set(usage_filter.given()) - {"user"}
    by = [name for name in by if name != "user" or not others]
    sums = _answer(both, [before.since, *starts], ("model", "error", *by), totals=1)
    return Report(
        totals=sums.totals(1, len(starts) + 1),
        before=sums.totals(0, 1),
        buckets=_buckets(sums, [*starts, usage_filter.until], 1),
        by={name: _slices(sums, name, 1, len(starts) + 1) for name in by},
    )


def slices(usage_filter: UsageFilter, dimension: str) -> list[Slice]:
    """Dearest first, then those called most."""
    return _slices(_answer(usage_filter, [usage_filter.since], (dimension,)), dimension, 0, 1)


def trends(
    usage_filter: UsageFilter, starts: Sequence[dt.datetime], dimension: str
) -> dict[Any, tuple[Totals, list[int]]]:
    """By value of the dimension: its totals, and its calls in each bucket."""
    sums = _answer(usage_filter, starts, (dimension,))
    calls = sums.by_bucket(dimension, "calls", "calls")
    return {
        value: (totals, [calls.get(number, {}).get(value, 0) for number in range(len(starts))])
        for value, totals in sums.by(dimension, 0, len(starts))
    }


def model_names(ids: Iterable[int | None]) -> dict[int | None, str]:
    known = LanguageModel.objects.filter(pk__in=[pk for pk in ids if pk is not None]).values_list("pk", "name")
    return {pk: "Unknown model" if pk is None else "Deleted model" for pk in ids} | dict(known)


def _answer(usage_filter: UsageFilter, starts: Sequence[dt.datetime], by: Iterable[str], *, totals: int = 0) -> Sums:
    """`totals`: of so many first buckets nothing else is wanted."""
    from llm_admin.selectors.usage_sums import Sums

    workspace = current_workspace()
    if workspace is None:
        raise ScopeError("Numbers are asked for outside of a workspace.")
    given = {name: value if isinstance(value, tuple) else (value,) for name, value in usage_filter.given().items()}
    cuts = [*starts, max(_end(usage_filter.until), starts[-1])]
    return Sums(read(Question(workspace.pk, cuts, given, frozenset((*by, *TOTALS)), totals)), len(starts))


def _end(until: dt.datetime) -> dt.datetime:
    """Up to now is up to the end of this quarter of an hour: it need not be cut."""
    now = timezone.now()
    return slot_of(until) + SLOT if now - LIVE <= until <= now else until


def _buckets(sums: Sums, bounds: Sequence[dt.datetime], offset: int) -> list[Bucket]:
    costs, errors = sums.by_bucket("model", "cost", "priced"), sums.by_bucket("error", "failed", "failed")
    return [
        Bucket(start, end, sums.totals(number, number + 1), costs.get(number, {}), errors.get(number, {}))
        for number, (start, end) in enumerate(pairwise(bounds), start=offset)
    ]


def _slices(sums: Sums, dimension: str, first: int, last: int) -> list[Slice]:
    found = [Slice(value, totals) for value, totals in sums.by(dimension, first, last)]
    return sorted(found, key=lambda one: (-(one.totals.cost_nano or 0), -one.totals.calls))
