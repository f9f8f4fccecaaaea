"""What versions cost and took in past calls: the newest calls only, so that it stays cheap."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from llm_admin.choices import CallStatus, RunStatus
from llm_admin.models import InteractionLog, Prompt, Run

NEWEST = 2000  # of the whole document
OF_ONE = 200  # of one version


@dataclass(frozen=True)
class Numbers:
    """Unknown is None: no call, or no cost is known."""

    calls: int = 0
    cost_nano: int | None = None  # on average
    p50_ms: int | None = None
    p95_ms: int | None = None


def of_versions(document: Any) -> dict[int, Numbers]:
    """By version id, over the newest calls (of a workflow: runs) of the document."""
    found: dict[int, list[tuple[int | None, int]]] = defaultdict(list)
    for version_id, cost, took in _newest(document, NEWEST):
        found[version_id].append((cost, took))
    return {version_id: _numbers(rows) for version_id, rows in found.items()}


def of_version(document: Any, version: Any) -> Numbers:
    return _numbers([(cost, took) for _, cost, took in _newest(document, OF_ONE, version)])


def _newest(document: Any, count: int, version: Any = None) -> Iterator[tuple[int, int | None, int]]:
    """(version id, cost, ms)"""
    if isinstance(document, Prompt):
        calls = InteractionLog.objects.filter(prompt=document, status=CallStatus.SUCCEEDED, cached=False)
        calls = calls.filter(prompt_version=version.pk) if version else calls.filter(prompt_version__isnull=False)
        yield from calls.order_by("-created_at").values_list("prompt_version_id", "cost_nano", "latency_ms")[:count]
        return
    runs = Run.objects.filter(workflow=document, status=RunStatus.SUCCEEDED, ended_at__gt=F("started_at"))
    runs = runs.filter(workflow_version=version) if version else runs.filter(workflow_version__isnull=False)
    rows = runs.order_by("-id").values_list("workflow_version_id", "cost_nano", "started_at", "ended_at")
    for version_id, cost, started, ended in rows[:count]:
        yield version_id, cost, round((ended - started).total_seconds() * 1000)


def _numbers(rows: list[tuple[int | None, int]]) -> Numbers:
    costs = [cost for cost, _ in rows if cost is not None]
    took = sorted(latency for _, latency in rows)
    if not took:
        return Numbers()
    average = round(sum(costs) / len(costs)) if costs else None
    return Numbers(len(rows), average, _rank(took, 50), _rank(took, 95))


def _rank(numbers: list[int], percent: int) -> int:
    return numbers[max(0, -(-len(numbers) * percent // 100) - 1)]
