"""What costs most: the prompts and workflows of a period, dearest first."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, F, Q, Sum

from llm_admin.choices import CallStatus
from llm_admin.models import Prompt, Workflow
from llm_admin.selectors.usage import UsageFilter


@dataclass(frozen=True)
class Top:
    """`name` is None when the object is gone."""

    id: int
    name: str | None
    calls: int
    errors: int
    cost_nano: int | None
    unknown_cost: int


def top_prompts(usage_filter: UsageFilter, *, limit: int = 5) -> list[Top]:
    """Those that cost most; where no cost is known, those called most."""
    return _top(usage_filter, "prompt_id", Prompt, limit)


def top_workflows(usage_filter: UsageFilter, *, limit: int = 5) -> list[Top]:
    return _top(usage_filter, "workflow_id", Workflow, limit)


def _top(usage_filter: UsageFilter, field: str, model: type[Prompt | Workflow], limit: int) -> list[Top]:
    sums = {
        "calls": Count("pk"),
        "errors": Count("pk", filter=Q(status=CallStatus.FAILED)),
        "cost": Sum("cost_nano"),
        "unknown": Count("pk") - Count("cost_nano"),
    }
    rows = usage_filter.logs().filter(**{f"{field}__isnull": False}).values(field).annotate(**sums)
    first = list(rows.order_by(F("cost").desc(nulls_last=True), "-calls", field)[:limit])
    names = dict(model.objects.filter(pk__in=[row[field] for row in first]).values_list("pk", "name"))
    return [Top(row[field], names.get(row[field]), *(row[name] for name in sums)) for row in first]
