"""How a budget stands, in words and as a bar: in the list, on its page, and on the home page."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils import formats

from llm_admin.choices import BudgetScope
from llm_admin.models import Budget, Workspace
from llm_admin.selectors import budgets as selector
from llm_admin.selectors.budgets import Standing
from llm_admin.services.actors import Actor
from llm_admin.services.budget_words import amount_text, begins_anew, of_text

STATES = {"fine": "Enough left", "warn": "Running short", "full": "Used up", "off": "Off"}
MOST = 6
WHOSE = ("owner", "user", "group", "prompt", "workflow")


@dataclass(frozen=True)
class BudgetCard:
    """`percent` is at most 100, for the bar; `url` "" for those who may not look at budgets."""

    name: str
    whose: str
    state: str
    state_words: str
    percent: int
    used: str
    anew: str
    pace: str
    url: str = ""


def card(one: Standing, actor: Actor, *, link: bool = True) -> BudgetCard:
    budget, workspace = one.budget, actor.workspace
    used = of_text(one.used, one.limit, budget.unit, workspace)
    running = f", and {amount_text(one.reserved, budget.unit, workspace)} set aside for calls that run"
    seen = link and actor.may("view_budget")
    return BudgetCard(
        name=budget.name,
        whose=whose(budget),
        state=one.state,
        state_words=STATES[one.state],
        percent=min(100, one.percent),
        used=f"{used} used ({one.percent}%){running if one.reserved else ''}",
        anew=f"Begins anew on {begins_anew(one)}",
        pace=pace(one, workspace),
        url=reverse("admin:llm_admin_budget_change", args=[budget.pk]) if seen else "",
    )


def whose(budget: Budget) -> str:
    if budget.scope == BudgetScope.WORKSPACE:
        return "The whole workspace"
    kind = {"user": "", "group": "The group ", "prompt": "The prompt ", "workflow": "The workflow "}[budget.scope]
    return f"{kind}{getattr(budget, budget.scope)}"


def pace(one: Standing, workspace: Workspace) -> str:
    """The projection in words; none where nothing more will be used."""
    if one.state in ("off", "full"):
        return ""
    if (end := one.projected()) is None:
        return "Too early to say how much it will be"
    day = formats.date_format(one.span.last_day, "j F")
    words = f"At this pace {amount_text(end, one.budget.unit, workspace)} by the end of {day}"
    return f"{words}: more than there is" if end > one.limit else words


def home(actor: Actor) -> list[BudgetCard]:
    """All of them for those who may look at budgets, else those that concern this person; the fullest first."""
    if actor.may("view_budget"):
        found = selector.standings(list(Budget.objects.filter(enabled=True).select_related(*WHOSE)))
    else:
        found = selector.concerning(actor.user)
    found.sort(key=lambda one: (-one.percent, one.budget.name))
    return [card(one, actor) for one in found[:MOST]]
