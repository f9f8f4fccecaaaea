"""Rows of batches: one page of a batch's, and how far each batch of a list is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from llm_admin.choices import RowStatus
from llm_admin.models import Batch, BatchRow
from llm_admin.selectors.batches import SHOWN, Progress, from_groups, grouped, replaced

PER_PAGE = 50


@dataclass(frozen=True)
class RowPage:
    rows: list[BatchRow]
    number: int
    last: int
    count: int

    @property
    def first_shown(self) -> int:
        return (self.number - 1) * PER_PAGE + 1 if self.count else 0

    @property
    def last_shown(self) -> int:
        return min(self.number * PER_PAGE, self.count)


def page(batch: Batch, *, count: int, number: int = 1, status: str = "") -> RowPage:
    """`count`: how many rows have that status, as progress() has counted them. One query."""
    last = max(1, -(-count // PER_PAGE))
    number = min(max(number, 1), last)
    rows = BatchRow.objects.filter(_has(status), batch=batch).order_by("number")
    start = (number - 1) * PER_PAGE
    return RowPage(list(rows[start : start + PER_PAGE]), number, last, count)


def _has(status: str) -> Q:
    if status == RowStatus.PENDING:
        return Q(status=status) | Q(status=RowStatus.RUNNING, run=None)
    if status == RowStatus.RUNNING:
        return Q(status=status, run__isnull=False)
    return Q(status=status) if status else Q()


def shown_status(row: BatchRow) -> str:
    return RowStatus.PENDING if row.status == RowStatus.RUNNING and row.run_id is None else row.status


def of_many(batches: Iterable[Batch]) -> dict[UUID, Progress]:
    """In one query, two where rows were run again; without rate and remaining time."""
    totals = {batch.pk: batch.total for batch in batches}
    found: dict[UUID, list[dict[str, Any]]] = {pk: [] for pk in totals}
    groups = grouped(BatchRow.objects.filter(batch__in=list(totals)).values("batch_id", shown=SHOWN))
    for one in groups:
        found[one["batch_id"]].append(one)
    earlier = replaced(list(totals), groups)
    return {pk: from_groups(totals[pk], groups, replaced=earlier.get(pk)) for pk, groups in found.items()}


def statuses_of(progress: Progress) -> list[tuple[str, str, int]]:
    """(status, what people call it, how many rows), in the order of the choices; only those that there are."""
    counted = [(status.value, str(status.label), progress.counts.get(status.value, 0)) for status in RowStatus]
    return [one for one in counted if one[2]]
