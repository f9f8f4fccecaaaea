"""How far a batch is, counted from its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Case, Count, F, Max, Min, Q, Sum, Value, When
from django.utils import timezone

from llm_admin.choices import RowStatus
from llm_admin.models import Batch, BatchRow

WINDOW = timedelta(seconds=60)
DONE = (RowStatus.SUCCEEDED, RowStatus.FAILED)
# Some rows are fetched ahead: until its run begins, a row waits.
SHOWN = Case(When(status=RowStatus.RUNNING, run=None, then=Value(RowStatus.PENDING)), default=F("status"))


@dataclass(frozen=True)
class Progress:
    """`rate`: rows a minute over the last minute. Unknown numbers are None."""

    total: int
    counts: Mapping[str, int]
    rate: float | None
    remaining_seconds: float | None
    cost_nano: int | None
    calls: int

    @property
    def done(self) -> int:
        return sum(self.counts.get(status, 0) for status in DONE)

    @property
    def succeeded(self) -> int:
        return self.counts.get(RowStatus.SUCCEEDED, 0)

    @property
    def failed(self) -> int:
        return self.counts.get(RowStatus.FAILED, 0)

    @property
    def waiting(self) -> int:
        return self.counts.get(RowStatus.WAITING, 0)

    @property
    def share(self) -> float:
        """From 0 to 1."""
        return self.done / self.total if self.total else 1.0


def progress(batch: Batch) -> Progress:
    """Two queries."""
    rows = BatchRow.objects.filter(batch=batch)
    counted = {
        one["shown"]: one
        for one in rows.order_by()
        .values(shown=SHOWN)
        .annotate(
            n=Count("id"),
            cost=Sum("cost_nano"),
            unknown=Count("id", filter=Q(cost_nano=None, calls__gt=0)),
            calls_made=Sum("calls"),
        )
    }
    counts = {status: one["n"] for status, one in counted.items()}
    left = sum(n for status, n in counts.items() if status in (RowStatus.PENDING, RowStatus.RUNNING))
    rate = _rate(rows)
    unknown = any(one["unknown"] for one in counted.values())
    return Progress(
        total=batch.total,
        counts=counts,
        rate=rate,
        remaining_seconds=left / rate * 60 if rate else (0 if not left else None),
        cost_nano=None if unknown else sum(one["cost"] or 0 for one in counted.values()),
        calls=sum(one["calls_made"] or 0 for one in counted.values()),
    )


def _rate(rows: Any) -> float | None:
    recent = rows.filter(ended_at__gt=timezone.now() - WINDOW, status__in=DONE).aggregate(
        n=Count("id"), first=Min("ended_at"), last=Max("ended_at")
    )
    if recent["n"] < 2:
        return None
    seconds = max((timezone.now() - recent["first"]).total_seconds(), 0.001)
    return recent["n"] / seconds * 60
