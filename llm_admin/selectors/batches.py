"""How far a batch is, counted from its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Case, Count, F, Max, Min, Q, Sum, Value, When
from django.utils import timezone

from llm_admin.choices import RowStatus
from llm_admin.models import Batch, BatchRow, Run

WINDOW = timedelta(seconds=60)
DONE = (RowStatus.SUCCEEDED, RowStatus.FAILED)
# Some rows are fetched ahead: until its run begins, a row waits.
SHOWN = Case(When(status=RowStatus.RUNNING, run=None, then=Value(RowStatus.PENDING)), default=F("status"))


@dataclass(frozen=True)
class Progress:
    """`rate`: rows a minute over the last minute. Unknown numbers are None; `known_nano`: the cost without them."""

    total: int
    counts: Mapping[str, int]
    rate: float | None
    remaining_seconds: float | None
    cost_nano: int | None
    calls: int
    known_nano: int = 0
    unknown_costs: int = 0

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
    """Two queries; three where rows were run again."""
    rows = BatchRow.objects.filter(batch=batch)
    groups = grouped(rows.values(shown=SHOWN))
    return from_groups(batch.total, groups, rate=_rate(rows), replaced=replaced([batch.pk], groups).get(batch.pk))


def replaced(batches: list[Any], groups: list[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """What runs cost that are no row's any more, because the row was retried. A query only where some were."""
    if not any((one["most_attempts"] or 0) > (0 if one["shown"] == RowStatus.PENDING else 1) for one in groups):
        return {}
    rows = Run.objects.filter(batch__in=batches, rows=None, calls__gt=0).order_by().values("batch_id")
    unknown = Count("id", filter=Q(cost_nano=None))
    found = rows.annotate(cost=Sum("cost_nano"), unknown=unknown, calls_made=Sum("calls"))
    return {one["batch_id"]: one for one in found}


def grouped(rows: Any) -> list[dict[str, Any]]:
    """What progress is made of: a group for each status."""
    unknown = Count("id", filter=Q(cost_nano=None, calls__gt=0))
    sums = {"cost": Sum("cost_nano"), "unknown": unknown, "calls_made": Sum("calls"), "most_attempts": Max("attempts")}
    return list(rows.order_by().annotate(n=Count("id"), **sums))


def from_groups(
    total: int, groups: list[dict[str, Any]], *, rate: float | None = None, replaced: dict[str, Any] | None = None
) -> Progress:
    counts = {one["shown"]: one["n"] for one in groups}
    left = sum(n for status, n in counts.items() if status in (RowStatus.PENDING, RowStatus.RUNNING))
    paid = [*groups, replaced] if replaced else groups
    unknown = sum(one["unknown"] for one in paid)
    known = sum(one["cost"] or 0 for one in paid)
    return Progress(
        total=total,
        counts=counts,
        rate=rate,
        remaining_seconds=left / rate * 60 if rate else (0 if not left else None),
        cost_nano=None if unknown else known,
        calls=sum(one["calls_made"] or 0 for one in paid),
        known_nano=known,
        unknown_costs=unknown,
    )


def _rate(rows: Any) -> float | None:
    recent = rows.filter(ended_at__gt=timezone.now() - WINDOW, status__in=DONE).aggregate(
        n=Count("id"), first=Min("ended_at"), last=Max("ended_at")
    )
    if recent["n"] < 2:
        return None
    seconds = max((timezone.now() - recent["first"]).total_seconds(), 0.001)
    return recent["n"] / seconds * 60
