"""The last seven days of each prompt in a list, today included: calls, cost, p95 and a bar a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from django.utils import timezone

from llm_admin.choices import RunSource
from llm_admin.selectors import usage
from llm_admin.selectors.usage import UsageFilter

DAYS = 7


@dataclass
class Week:
    """`cost_nano` None: calls were made and no cost is known. `days`: calls of each day, oldest first."""

    calls: int = 0
    cost_nano: int | None = 0
    unknown_cost: int = 0
    p95_ms: int | None = None
    days: list[int] = field(default_factory=lambda: [0] * DAYS)


def weeks(prompt_ids: Iterable[int], *, now: datetime | None = None) -> dict[int, Week]:
    """By prompt; one without calls is not there."""
    wanted = set(prompt_ids)
    if not wanted:
        return {}
    starts, until = _days(now)
    found = usage.trends(UsageFilter(since=starts[0], until=until), starts, "prompt")
    return {
        prompt_id: Week(totals.calls, totals.cost_nano, totals.unknown_cost, totals.p95_ms, days)
        for prompt_id, (totals, days) in found.items()
        if prompt_id in wanted
    }


def calls_by_source(prompt_id: int, *, now: datetime | None = None) -> list[tuple[str, int]]:
    """(where they came from, model calls of the last seven days), most first."""
    starts, until = _days(now)
    found = usage.slices(UsageFilter(since=starts[0], until=until, prompt=prompt_id), "source")
    calls = [(str(RunSource(str(one.value))), one.totals.calls) for one in found if one.value]
    return sorted(calls, key=lambda one: (-one[1], one[0]))


def _days(now: datetime | None) -> tuple[list[datetime], datetime]:
    """(where each of the reader's days begins, now)"""
    now = now or timezone.now()
    today = timezone.localdate(now)
    return [timezone.make_aware(datetime.combine(today - timedelta(days=n), time())) for n in range(DAYS)][::-1], now
