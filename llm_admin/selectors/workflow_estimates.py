"""What a row of a batch will probably cost and take: from past runs of the same version, else of the same workflow."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

from django.db.models import Exists, OuterRef

from llm_admin.choices import RunKind, RunStatus
from llm_admin.models import InteractionLog, Run
from llm_admin.selectors.estimates import FEWEST, LOOKED_AT, Range

WINDOW = 2_000  # among the newest so many runs


@dataclass(frozen=True)
class RowEstimate:
    """Between the tenth and the ninetieth of a hundred runs. Unknown is None.

    `basis`: "version", "workflow" or "" (nothing is known); `runs`: how many past runs it rests on.
    """

    basis: str = ""
    runs: int = 0
    cost_nano: Range | None = None
    time_ms: Range | None = None

    def cost_of(self, rows: int) -> Range | None:
        return self.cost_nano.times(rows) if self.cost_nano else None

    def time_of(self, rows: int, concurrency: int) -> Range | None:
        return self.time_ms.times(ceil(rows / max(concurrency, 1))) if self.time_ms else None


def estimate(*, workflow_id: int, version_id: int | None = None, model: str | None = None) -> RowEstimate:
    """`model`: an alias that every step shall use instead of its own; runs of that choice only."""
    bases = [("version", _runs(workflow_id, model).filter(workflow_version_id=version_id))] if version_id else []
    for basis, runs in [*bases, ("workflow", _runs(workflow_id, model))]:
        found = list(runs.values_list("cost_nano", "calls", "started_at", "ended_at")[:LOOKED_AT])
        if len(found) >= FEWEST:
            costs = [0 if cost is None and not calls else cost for cost, calls, *_ in found]
            times = [(ended - began).total_seconds() * 1000 for _, _, began, ended in found]
            return RowEstimate(basis, len(found), _range(costs), _range(times))
    return RowEstimate()


def _runs(workflow_id: int, model: str | None) -> Any:
    """Whole ones, during which nobody was waited for, and that made all their calls themselves, none from the cache."""
    newest = Run.objects.filter(workflow_id=workflow_id, kind=RunKind.WORKFLOW).order_by("-id").values("pk")[:WINDOW]
    runs = Run.objects.filter(pk__in=newest, status=RunStatus.SUCCEEDED, approvals=None, again_of=None)
    runs = runs.filter(started_at__isnull=False, ended_at__isnull=False, spec__model=model)
    hits = InteractionLog.objects.filter(run=OuterRef("pk"), cached=True)
    return runs.exclude(Exists(hits)).order_by("-id")


def _range(numbers: list[Any]) -> Range | None:
    known = sorted(number for number in numbers if number is not None)
    if len(known) < FEWEST:
        return None
    last = len(known) - 1
    return Range(round(known[round(last * 0.1)]), round(known[round(last * 0.9)]))
