"""How budgets stand: what was used of them by the logs, in this period and before, and by whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from llm_admin.choices import BudgetPeriod, BudgetScope, BudgetUnit, CallStatus, ErrorKind
from llm_admin.models import Budget, BudgetOverride, BudgetUse, InteractionLog, Prompt
from llm_admin.selectors.budget_periods import Span, span_from, span_of

# The provider refused these before a word came: nothing was paid, and they count nothing in any unit.
UNPAID = (
    ErrorKind.AUTHENTICATION,
    ErrorKind.RATE_LIMIT,
    ErrorKind.BAD_REQUEST,
    ErrorKind.CONTEXT_TOO_LONG,
    ErrorKind.PROVIDER_DOWN,
)
# Levels that the owner is told of besides the budget's own. That a call was refused is told once in a period, even if
# more is allowed afterwards.
USED_UP, REFUSED = 100, 101
TOP = 5
HISTORY = 12  # periods
EARLY = 0.1  # of a period: before that, a projection would be a guess


class Counted(NamedTuple):
    """`unknown`: calls of which nobody knows how much they used."""

    used: int
    unknown: int


@dataclass(frozen=True)
class Standing:
    """Of one budget in one period. Amounts are in its unit; `limit` includes what was allowed on top (`extra`)."""

    budget: Budget
    span: Span
    used: int = 0
    reserved: int = 0
    extra: int = 0
    unknown_calls: int = 0
    refused_calls: int = 0
    warned: tuple[int, ...] = ()  # levels that the owner was told
    refused_before: int = 0  # of the refused calls: before more was allowed

    @property
    def limit(self) -> int:
        return self.budget.limit + self.extra

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used - self.reserved)

    @property
    def percent(self) -> int:
        return self.used * 100 // self.limit

    @property
    def warned_at(self) -> int | None:
        """The highest level of warning that is reached."""
        return max((level for level in self.budget.warn_at if self.percent >= level), default=None)

    @property
    def refused_since(self) -> int:
        """What was refused before more was allowed says nothing of what is left."""
        return max(0, self.refused_calls - self.refused_before)

    @property
    def state(self) -> str:
        if not self.budget.enabled:
            return "off"
        if self.used >= self.limit:
            return "full"
        return "warn" if self.warned_at is not None or self.refused_since else "fine"

    def projected(self, now: dt.datetime | None = None) -> int | None:
        """At the pace so far, at the end of the period. None: it is too early to say."""
        passed = self.span.passed(now or timezone.now())
        return round(self.used / passed) if passed >= EARLY else None


def with_extra(rows: QuerySet[BudgetUse]) -> QuerySet[Any]:
    """Each use knows what overrides allow on top of the limit, as `extra`, and what was refused before the newest."""
    overrides = BudgetOverride._base_manager.filter(use=OuterRef("pk"))
    sums = overrides.order_by().values("use").annotate(all=Sum("amount"))
    before = overrides.order_by("-pk").values("refused_before")[:1]
    return rows.annotate(extra=Coalesce(Subquery(sums.values("all")), 0), before=Coalesce(Subquery(before), 0))


def standings(budgets: Sequence[Budget], *, now: dt.datetime | None = None) -> list[Standing]:
    """In one query. A budget of which nothing was used in this period yet has no row."""
    now = now or timezone.now()
    spans = {period: span_of(period, now) for period in BudgetPeriod.values}
    dates = {span.starts_on for span in spans.values()}
    rows = BudgetUse._base_manager.filter(budget__in=[budget.pk for budget in budgets], starts_on__in=dates)
    uses = {(use.budget_id, use.starts_on): use for use in with_extra(rows)} if budgets else {}
    return [
        standing(budget, spans[budget.period], uses.get((budget.pk, spans[budget.period].starts_on)))
        for budget in budgets
    ]


def standing(budget: Budget, span: Span, use: Any | None) -> Standing:
    if use is None:
        return Standing(budget, span)
    numbers = (use.used, use.reserved, use.extra, use.unknown_calls, use.refused_calls)
    return Standing(budget, span, *numbers, tuple(use.warned), use.before)


def history(budget: Budget) -> list[Standing]:
    """Period by period, this one first."""
    rows = with_extra(BudgetUse._base_manager.filter(budget=budget)).order_by("-starts_on")[:HISTORY]
    return [standing(budget, span_from(budget.period, use.starts_on), use) for use in rows]


def concerning(user: Any) -> list[Standing]:
    """Those that count this person's calls, and those of prompts and workflows that run short. In two queries."""
    theirs = Q(scope=BudgetScope.WORKSPACE) | Q(scope=BudgetScope.USER, user=user)
    theirs |= Q(scope=BudgetScope.GROUP, group__in=user.groups.values("pk"))
    theirs |= Q(scope__in=(BudgetScope.PROMPT, BudgetScope.WORKFLOW))
    rows = Budget.objects.filter(theirs, enabled=True).select_related("owner", "user", "group", "prompt", "workflow")
    everybodys = (BudgetScope.PROMPT, BudgetScope.WORKFLOW)
    return [one for one in standings(list(rows)) if one.budget.scope not in everybodys or one.state != "fine"]


def logs_of(budget: Budget, span: Span) -> QuerySet[InteractionLog]:
    """The calls that count. Works without a scope, in the writer's thread, too."""
    rows = InteractionLog._base_manager.filter(
        workspace_id=budget.workspace_id, created_at__gte=span.start, created_at__lt=span.end, cached=False
    )
    rows = rows.exclude(status=CallStatus.FAILED, first_token_ms__isnull=True, error_kind__in=UNPAID)
    rows = rows.exclude(status=CallStatus.CANCELLED, deployment__isnull=True)  # stopped while it waited for its turn
    if budget.scope == BudgetScope.GROUP:
        members = get_user_model()._default_manager.filter(groups=budget.group_id)
        return rows.filter(user__in=members.values("pk"))
    if budget.scope == BudgetScope.WORKSPACE:
        return rows
    return rows.filter(**{f"{budget.scope}_id": getattr(budget, f"{budget.scope}_id")})


def counted(budget: Budget, span: Span) -> Counted:
    """By the logs: what a budget that begins in the middle of a period has to its account."""
    if budget.unit == BudgetUnit.CALLS:
        return Counted(logs_of(budget, span).count(), 0)
    amount, known = _amount(budget.unit)
    sums = logs_of(budget, span).aggregate(used=Sum(amount), known=Count("pk", filter=known), calls=Count("pk"))
    return Counted(sums["used"] or 0, sums["calls"] - sums["known"])


def _amount(unit: str) -> tuple[Any, Q]:
    if unit == BudgetUnit.MONEY:
        return F("cost_nano"), Q(cost_nano__isnull=False)
    known = Q(input_tokens__isnull=False, output_tokens__isnull=False)
    return F("input_tokens") + F("output_tokens"), known


class Top(NamedTuple):
    """`id` None: calls of nobody (code), or without a saved prompt. `used` None: nobody knows."""

    id: int | None
    name: str
    used: int | None
    calls: int


def top_people(one: Standing) -> list[Top]:
    rows = _top(one, "user_id")
    people = get_user_model()._default_manager.in_bulk([row["user_id"] for row in rows if row["user_id"]])
    return [_named(row, "user_id", people, "Code and commands", "Deleted person") for row in rows]


def top_prompts(one: Standing) -> list[Top]:
    rows = _top(one, "prompt_id")
    prompts = Prompt._base_manager.in_bulk([row["prompt_id"] for row in rows if row["prompt_id"]])
    nobody = "Unsaved texts, and steps without a prompt"
    return [_named(row, "prompt_id", prompts, nobody, "Deleted prompt") for row in rows]


def _top(one: Standing, field: str) -> list[dict[str, Any]]:
    amount = Count("pk") if one.budget.unit == BudgetUnit.CALLS else Sum(_amount(one.budget.unit)[0])
    rows = logs_of(one.budget, one.span).order_by().values(field).annotate(used=amount, calls=Count("pk"))
    return list(rows.order_by(F("used").desc(nulls_last=True), "-calls", field)[:TOP])


def _named(row: dict[str, Any], field: str, found: dict[int, Any], nobody: str, gone: str) -> Top:
    pk = row[field]
    name = nobody if pk is None else str(found[pk]) if pk in found else gone
    return Top(pk if pk in found else None, name, row["used"], row["calls"])
