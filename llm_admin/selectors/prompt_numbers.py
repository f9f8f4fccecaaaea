"""The last seven days of each prompt in a list: calls, cost, p95 and a bar a day.

Two queries for a page, and the database counts: what comes back is seven rows and one p95 for each prompt.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Case, Count, F, IntegerField, QuerySet, Sum, Value, When, Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from django_scopes.exceptions import ScopeError

from llm_admin.models import InteractionLog
from llm_admin.tenancy import current_workspace

DAYS = 7


@dataclass
class Week:
    """`cost_nano` None: calls were made and no cost is known. `days`: calls in each 24 hours, oldest first."""

    calls: int = 0
    cost_nano: int | None = 0
    unknown_cost: int = 0
    p95_ms: int | None = None
    days: list[int] = field(default_factory=lambda: [0] * DAYS)


def weeks(prompt_ids: Iterable[int], *, now: datetime | None = None) -> dict[int, Week]:
    """By prompt; one without calls is not there."""
    since = (now or timezone.now()) - timedelta(days=DAYS)
    rows = _logs(since).filter(prompt_id__in=list(prompt_ids))
    sums = rows.annotate(day=_day(since)).values_list("prompt_id", "day")
    made: dict[int, Week] = {}
    priced: set[int] = set()
    for prompt_id, day, calls, known, cost in sums.annotate(Count("pk"), Count("cost_nano"), Sum("cost_nano")):
        week = made.setdefault(prompt_id, Week())
        week.calls += calls
        week.days[day] = calls
        week.unknown_cost += calls - known
        week.cost_nano = (week.cost_nano or 0) + (cost or 0)
        priced |= {prompt_id} if known else set()
    for prompt_id, latency in _slowest(rows.filter(cached=False)):
        if prompt_id in made:  # else its first call came between the two queries
            made[prompt_id].p95_ms = latency
    for prompt_id in made.keys() - priced:
        made[prompt_id].cost_nano = None
    return made


def _logs(since: datetime) -> QuerySet[InteractionLog]:
    """Of the workspace in scope. `+ 0`, or SQLite goes through all its logs of the week instead of the prompts' own."""
    workspace = current_workspace()
    if workspace is None:
        raise ScopeError("Numbers of prompts are asked for outside of a workspace.")
    rows = InteractionLog._base_manager.annotate(within=F("workspace_id") + 0)
    return rows.filter(within=workspace.pk, created_at__gte=since).order_by()


def _day(since: datetime) -> Case:
    days = [When(created_at__lt=since + timedelta(days=day + 1), then=Value(day)) for day in range(DAYS - 1)]
    return Case(*days, default=Value(DAYS - 1), output_field=IntegerField())


def _slowest(rows: QuerySet[InteractionLog]) -> Iterable[tuple[int, int]]:
    """The nearest rank from above: the call that one in twenty is slower than, or as slow as."""
    by_prompt = [F("prompt_id")]
    ranked = rows.annotate(
        rank=Window(RowNumber(), order_by=F("latency_ms").asc(), partition_by=by_prompt),
        total=Window(Count("pk"), partition_by=by_prompt),
    )
    # ceil(total * 95 / 100) in whole numbers, as usage.nearest_rank counts
    found = ranked.filter(rank=(F("total") * 95 + 99) / 100)
    return found.values_list("prompt_id", "latency_ms")


def calls_by_source(prompt_id: int, *, now: datetime | None = None) -> list[tuple[str, int]]:
    """(where they came from, model calls of the last seven days), most first."""
    since = (now or timezone.now()) - timedelta(days=DAYS)
    rows = _logs(since).filter(prompt_id=prompt_id)
    return list(rows.values_list("source").annotate(count=Count("pk")).order_by("-count", "source"))
