"""What monitors can watch. A new measure is one entry here: how it is read, in which unit, and its words.

Values are exact (fractions) in the unit that levels are stored in: US nano-dollars, ms, a count, thousandths of a
percent. None: there was nothing to measure, or nobody knows.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction

from llm_admin.choices import FeedbackValue
from llm_admin.models import InteractionFeedback
from llm_admin.selectors import usage
from llm_admin.selectors.usage import Totals, UsageFilter

WHOLE = 100_000  # thousandths of a percent
FEEDBACK_COLUMNS = {
    "model": "model_id",
    "deployment": "deployment_id",
    "prompt": "prompt_id",
    "version": "prompt_version_id",
    "workflow": "workflow_id",
    "source": "source",
}


class Unit(Enum):
    """How levels are typed and shown."""

    MONEY = "money"
    TIME = "s"
    COUNT = ""
    SHARE = "%"


@dataclass(frozen=True)
class Reading:
    """`counted`: of how many calls, or ratings."""

    value: Fraction | None
    counted: int

    def with_at_least(self, least: int) -> Reading:
        return self if self.counted >= least else Reading(None, self.counted)


Read = Callable[[UsageFilter], Reading]
ReadMany = Callable[[UsageFilter, Sequence[dt.datetime]], list[Reading]]


@dataclass(frozen=True)
class Measure:
    """`title` begins a sentence, "Error rate"; `of_nothing`: whether no call at all is a value of it, 0, too."""

    key: str
    title: str
    unit: Unit
    read: Read
    read_many: ReadMany
    of_nothing: bool = False
    noun: str = "call"
    not_by: tuple[str, ...] = ()  # dimensions that it cannot be narrowed down to


def _of_totals(
    key: str, title: str, unit: Unit, of: Callable[[Totals], int | Fraction | None], *, of_nothing: bool = False
) -> Measure:
    def reading(totals: Totals) -> Reading:
        value = of(totals)
        return Reading(None if value is None else Fraction(value), totals.calls)

    def read(usage_filter: UsageFilter) -> Reading:
        return reading(usage.totals(usage_filter))

    def read_many(usage_filter: UsageFilter, starts: Sequence[dt.datetime]) -> list[Reading]:
        return [reading(bucket.totals) for bucket in usage.series(usage_filter, starts)]

    return Measure(key, title, unit, read, read_many, of_nothing)


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part * WHOLE, whole) if whole else None


def _ratings(usage_filter: UsageFilter, starts: Sequence[dt.datetime]) -> list[tuple[int, int]]:
    """Thumbs up and down that were given, or changed, from each start to the next one."""
    given = {FEEDBACK_COLUMNS[name]: value for name, value in usage_filter.given().items() if name in FEEDBACK_COLUMNS}
    rows = InteractionFeedback.objects.filter(
        updated_at__gte=starts[0], updated_at__lt=usage_filter.until, **given
    ).order_by()
    found = [[0, 0] for _ in starts]
    for moment, value in rows.values_list("updated_at", "value").iterator(chunk_size=10_000):
        found[bisect(starts, moment) - 1][value == FeedbackValue.DOWN] += 1
    return [(up, down) for up, down in found]


def _of_ratings(key: str, title: str, unit: Unit, of: Callable[[int, int], int | Fraction | None]) -> Measure:
    def read_many(usage_filter: UsageFilter, starts: Sequence[dt.datetime]) -> list[Reading]:
        counts = ((up + down, of(up, down)) for up, down in _ratings(usage_filter, starts))
        return [Reading(None if value is None else Fraction(value), counted) for counted, value in counts]

    def read(usage_filter: UsageFilter) -> Reading:
        return read_many(usage_filter, [usage_filter.since])[0]

    of_nothing = unit is Unit.COUNT
    return Measure(key, title, unit, read, read_many, of_nothing, noun="rating", not_by=("user",))


MEASURES: dict[str, Measure] = {
    one.key: one
    for one in (
        _of_totals("cost", "Cost", Unit.MONEY, lambda t: t.cost_nano, of_nothing=True),
        _of_totals("error_rate", "Error rate", Unit.SHARE, lambda t: _share(t.errors, t.calls)),
        _of_totals("errors", "Number of errors", Unit.COUNT, lambda t: t.errors, of_nothing=True),
        _of_totals("p95", "Slowest 5% of calls (p95)", Unit.TIME, lambda t: t.p95_ms),
        _of_totals("p50", "Typical time of a call (p50)", Unit.TIME, lambda t: t.p50_ms),
        _of_totals("first_p95", "Slowest 5% of first words (p95)", Unit.TIME, lambda t: t.first_p95_ms),
        _of_totals("calls", "Number of calls", Unit.COUNT, lambda t: t.calls, of_nothing=True),
        _of_totals("unknown_cost", "Calls of unknown cost", Unit.COUNT, lambda t: t.unknown_cost, of_nothing=True),
        _of_ratings("thumbs_down", "Thumbs down", Unit.COUNT, lambda up, down: down),
        _of_ratings("down_share", "Share of thumbs down", Unit.SHARE, lambda up, down: _share(down, up + down)),
    )
}
