"""The last seven days of each prompt in a list: calls, cost, p95 and a bar a day, in one query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from llm_admin.models import InteractionLog

DAYS = 7


@dataclass
class Week:
    """`cost_nano` None: calls were made and no cost is known. `days`: calls a day, oldest first."""

    calls: int = 0
    cost_nano: int | None = 0
    unknown_cost: int = 0
    p95_ms: int | None = None
    days: list[int] = field(default_factory=lambda: [0] * DAYS)


def weeks(prompt_ids: Iterable[int]) -> dict[int, Week]:
    """By prompt; one without calls is not there."""
    since = timezone.now() - timedelta(days=DAYS)
    rows = InteractionLog.objects.filter(prompt_id__in=list(prompt_ids), created_at__gte=since).order_by()
    latencies: dict[int, list[int]] = defaultdict(list)
    costs: dict[int, list[int]] = defaultdict(list)
    made: dict[int, Week] = {}
    for prompt_id, created_at, cost, latency in rows.values_list("prompt_id", "created_at", "cost_nano", "latency_ms"):
        week = made.setdefault(prompt_id, Week())
        week.calls += 1
        week.days[min(DAYS - 1, (created_at - since).days)] += 1
        latencies[prompt_id].append(latency)
        if cost is None:
            week.unknown_cost += 1
        else:
            costs[prompt_id].append(cost)
    for prompt_id, week in made.items():
        week.cost_nano = sum(costs[prompt_id]) if costs[prompt_id] else None
        numbers = sorted(latencies[prompt_id])
        week.p95_ms = numbers[max(0, -(-len(numbers) * 95 // 100) - 1)]
    return made
