"""Above a budget's form: how it stands, how it was in earlier periods, who used it, and who let it be exceeded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.budget_cards import BudgetCard, card
from llm_admin.admin.budget_forms import OverrideForm
from llm_admin.admin.forms import add_refusal
from llm_admin.admin.log_links import logs_url
from llm_admin.choices import BudgetScope
from llm_admin.exceptions import InvalidInput
from llm_admin.models import Budget, BudgetOverride, Workspace
from llm_admin.selectors import budgets as selector
from llm_admin.selectors.budget_periods import Span
from llm_admin.selectors.budgets import Standing, Top
from llm_admin.selectors.usage import UsageFilter
from llm_admin.services import budgets
from llm_admin.services.budget_words import amount_text

LINKED = (BudgetScope.USER, BudgetScope.PROMPT, BudgetScope.WORKFLOW)


@dataclass(frozen=True)
class Line:
    """Of a table. `url`: the logs behind it, "" where no filter shows exactly these."""

    name: str
    used: str
    more: str
    url: str = ""


@dataclass(frozen=True)
class Panel:
    card: BudgetCard
    notes: list[str]
    people: list[Line]
    prompts: list[Line]
    history: list[Line]
    overrides: list[tuple[BudgetOverride, str]]
    form: OverrideForm
    may_override: bool


def panel(request: HttpRequest, budget: Budget, form: OverrideForm | None = None) -> Panel:
    actor = actor_of(request)
    workspace, now = actor.workspace, selector.standings([budget])[0]
    overrides = BudgetOverride.objects.filter(use__budget=budget).select_related("by", "use")
    return Panel(
        card=card(now, actor, link=False),
        notes=_notes(now),
        people=_people(now, workspace),
        prompts=_prompts(now, workspace),
        history=[_period(one, workspace) for one in selector.history(budget)],
        overrides=[(one, amount_text(one.amount, budget.unit, workspace)) for one in overrides],
        form=form or _form(budget, workspace),
        may_override=actor.may("override_budget") and budget.enabled,
    )


def _notes(one: Standing) -> list[str]:
    notes = []
    if refused := one.refused_calls:
        words = "1 call was refused" if refused == 1 else f"{refused:,} calls were refused"
        notes.append(f"{words}." if one.refused_since else f"{words}, before more was allowed.")
    if unknown := one.unknown_calls:
        calls = "1 call" if unknown == 1 else f"{unknown:,} calls"
        words = (
            "How much {} used is unknown. What was estimated before the call counts instead, if there was an estimate."
        )
        notes.append(words.format(calls))
    return notes


def _people(one: Standing, workspace: Workspace) -> list[Line]:
    if one.budget.scope == BudgetScope.USER:
        return []
    return [_line(one, top, workspace, user=top.id) for top in selector.top_people(one)]


def _prompts(one: Standing, workspace: Workspace) -> list[Line]:
    if one.budget.scope == BudgetScope.PROMPT:
        return []
    return [_line(one, top, workspace, prompt=top.id) for top in selector.top_prompts(one)]


def _line(one: Standing, top: Top, workspace: Workspace, **who: int | None) -> Line:
    url = logs_of(one, **{name: pk for name, pk in who.items() if pk}) if top.id else ""
    return Line(top.name, amount_text(top.used, one.budget.unit, workspace), f"{top.calls:,}", url)


def _period(one: Standing, workspace: Workspace) -> Line:
    """Without the limit: nobody knows what it was then."""
    return Line(
        days(one.span), amount_text(one.used, one.budget.unit, workspace), f"{one.refused_calls:,}", logs_of(one)
    )


def days(span: Span) -> str:
    if span.last_day == span.starts_on:
        return f"{span.starts_on:%-d %b %Y}"
    return f"{span.starts_on:%-d %b} to {span.last_day:%-d %b %Y}"


def logs_of(one: Standing, **more: int) -> str:
    """ "" for a group: no filter of the logs shows exactly its calls."""
    budget = one.budget
    if budget.scope == BudgetScope.GROUP and "user" not in more:
        return ""
    subject = {budget.scope: getattr(budget, f"{budget.scope}_id")} if budget.scope in LINKED else {}
    return logs_url(UsageFilter(since=one.span.start, until=min(one.span.end, timezone.now()), **subject | more))


def override_view(request: HttpRequest, model_admin: Any, pk: int) -> HttpResponse:
    actor = actor_of(request)
    actor.require("override_budget")
    budget = find_or_404(request, Budget, pk)
    form = _form(budget, actor.workspace, request.POST)
    if form.is_valid():
        try:
            made = budgets.override(budget, actor=actor, **form.cleaned_data)
        except InvalidInput as error:
            add_refusal(form, error)
        else:
            words = amount_text(made.amount, budget.unit, actor.workspace)
            model_admin.log_change(request, budget, f"Allowed {words} more in this period: {made.reason}")
            return _shown(request, budget)
    return _shown(request, budget, form, status=422)


def _form(budget: Budget, workspace: Workspace, data: Any = None) -> OverrideForm:
    return OverrideForm(data, prefix="more", budget=budget, workspace=workspace)


def _shown(
    request: HttpRequest, budget: Budget, form: OverrideForm | None = None, *, status: int = 200
) -> HttpResponse:
    htmx = bool(getattr(request, "htmx", False))
    if not htmx and form is None:
        return redirect(reverse("admin:llm_admin_budget_change", args=[budget.pk]))
    context = {"panel": panel(request, budget, form), "original": budget}
    template = "llm_admin/budgets/_panel.html" if htmx else "llm_admin/budgets/page.html"
    return render(request, template, context, status=status)
