"""What else the home page shows, each loaded by itself: monitors, budgets, providers, recent runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from llm_admin.admin import budget_cards, monitor_cards
from llm_admin.admin.base import actor_of
from llm_admin.models import Connection
from llm_admin.services import runs
from llm_admin.services.actors import Actor

RECENT_RUNS = 6
PROVIDERS = 12


@require_GET
def part(request: HttpRequest) -> HttpResponse:
    """?part=monitors, budgets, providers or runs."""
    actor = actor_of(request)
    actor.require("view_interactionlog")
    name = request.GET.get("part", "runs")
    if name not in PARTS:
        raise Http404
    answer = render(request, f"llm_admin/dashboard/_{name}.html", PARTS[name](actor))
    answer["Cache-Control"] = "no-store"
    return answer


def _monitors(actor: Actor) -> dict[str, Any]:
    return {"monitors": monitor_cards.home(actor)}


def _budgets(actor: Actor) -> dict[str, Any]:
    return {"budgets": budget_cards.home(actor)}


def _providers(actor: Actor) -> dict[str, Any]:
    """Their names for those who may look at connections; for others how many do not work."""
    rows = list(Connection.objects.order_by("name").only("name", "healthy", "checked_at", "check_ms", "problem"))
    rows.sort(key=lambda one: (one.healthy is not False, one.healthy is None))  # what does not work first
    broken = sum(one.healthy is False for one in rows)
    may_look = actor.may("view_connection")
    shown = rows[:PROVIDERS] if may_look else []
    return {
        "providers": shown,
        "count": len(rows),
        "broken": broken,
        "may_look": may_look,
        "more": len(rows) > len(shown),
    }


def _runs(actor: Actor) -> dict[str, Any]:
    rows = runs.visible(actor=actor).select_related("owner").defer("spec", "inputs", "output")
    return {"recent_runs": list(rows[:RECENT_RUNS]), "sees_all": actor.may("view_all_runs")}


PARTS: dict[str, Callable[[Actor], dict[str, Any]]] = {
    "monitors": _monitors,
    "budgets": _budgets,
    "providers": _providers,
    "runs": _runs,
}
