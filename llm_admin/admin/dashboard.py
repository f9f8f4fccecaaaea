"""The home page, and the same numbers for one prompt, version, workflow, model, connection or person.

Numbers are the whole team's, for every member: sums tell nobody's text. What single people used is for those who may
see everyone's calls. Single runs and calls are the person's own, unless they may see everyone's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_GET, require_POST

from llm_admin.admin import dashboard_csv, dashboard_parts, dashboard_query
from llm_admin.admin.base import actor_of
from llm_admin.admin.dashboard_cards import cards
from llm_admin.admin.dashboard_charts import charts
from llm_admin.admin.dashboard_picker import chips, picker, switch
from llm_admin.admin.dashboard_query import LOGS, TABLES, View
from llm_admin.admin.dashboard_start import first_steps
from llm_admin.admin.dashboard_tables import dimensions, error_rows, tables
from llm_admin.admin.dashboard_times import exact, heading, zone_name
from llm_admin.admin.time_zones import choose_zone
from llm_admin.models import InteractionLog, UsageBlock
from llm_admin.selectors import periods, usage
from llm_admin.services import rollup_days
from llm_admin.services.actors import Actor


def callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's DASHBOARD_CALLBACK. The numbers come afterwards, in parts that do not wait for one another."""
    context["title"] = "Home"
    if getattr(request, "workspace", None) is None:
        return context | {"llm_page": "no_workspace"}
    actor = actor_of(request)
    if not (InteractionLog.objects.exists() or UsageBlock.objects.exists()):  # numbers outlive calls
        return context | {"llm_page": "start", "steps": first_steps(actor)}
    dashboard_query.read(request, actor)  # what is not there is not found at once
    asked = {name: value for name, value in request.GET.items() if name not in ("of", "push")}
    fragment = reverse("admin:llm_admin_numbers") + (f"?{urlencode(asked)}" if asked else "")
    return context | {"llm_page": "numbers", "fragment": fragment, "parts": list(dashboard_parts.PARTS)}


@require_GET
def numbers(request: HttpRequest) -> HttpResponse:
    """The fragment: `of` names the object that the page is about, and one parameter each filter."""
    actor = actor_of(request)
    actor.require("view_interactionlog")
    view = dashboard_query.read(request, actor)
    answer = render(request, "llm_admin/dashboard/_numbers.html", {"panel": panel(view, actor)})
    rollup_days.use_zone(actor.workspace.pk, zone_name())
    answer["Cache-Control"] = "no-store"
    if request.GET.get("push") and not view.subject:
        answer["HX-Push-Url"] = view.page()
    return answer


@require_GET
def numbers_csv(request: HttpRequest) -> HttpResponse:
    """What ?csv= names: a chart or a table of the panel that the other parameters describe."""
    actor = actor_of(request)
    actor.require("view_interactionlog")
    view, what = dashboard_query.read(request, actor), request.GET.get("csv", "calls")
    if what == "user":
        actor.require("view_all_runs")
    report = _report(view, [what] if what in TABLES else [])
    return dashboard_csv.answer(what, report, view, actor.workspace)


def panel(view: View, actor: Actor) -> dict[str, Any]:
    """Cards, charts and tables of the view, all from one report."""
    report = _report(view, dimensions(view))
    said = bool(report.totals.calls)
    return {
        "view": view,
        "heading": heading(view.period),
        "exact": exact(view.period) if view.period.key in periods.CALENDAR else "",
        "zone": zone_name(),
        "switch": switch(view),
        "picker": picker(view),
        "chips": chips(view),
        "on_its_own": view.subject != LOGS,
        "home": not view.subject,
        "calls": report.totals.calls,
        "cards": cards(report, view, actor.workspace),
        "charts": charts(report, view, actor.workspace) if said else [],
        "tables": tables(report, view, actor.workspace) if said else [],
        "errors": error_rows(report, view) if said and view.subject != LOGS else [],
    }


def _report(view: View, by: list[str]) -> usage.Report:
    period = view.period
    return usage.report(view.filter, periods.starts(period.since, period.until, period.unit), by=by)


def urls(wrap: Callable[[Any], Any]) -> list[URLPattern]:
    return [
        path("numbers/", wrap(numbers), name="llm_admin_numbers"),
        path("numbers/csv/", wrap(numbers_csv), name="llm_admin_numbers_csv"),
        path("numbers/part/", wrap(dashboard_parts.part), name="llm_admin_numbers_part"),
        path("time-zone/", wrap(require_POST(choose_zone)), name="llm_admin_time_zone"),
    ]
