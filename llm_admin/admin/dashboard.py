"""The home page, and the same numbers for one prompt or workflow.

Numbers are the whole team's, for every member: sums tell nobody's text. Single runs and calls are the person's own,
unless they may see everyone's.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from llm_admin.admin import budget_cards
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.dashboard_cards import cards
from llm_admin.admin.dashboard_charts import charts
from llm_admin.admin.log_links import BY_COST, logs_url
from llm_admin.choices import CallStatus
from llm_admin.models import Connection, InteractionLog, Prompt, Run, Workflow
from llm_admin.selectors import periods, tops, usage
from llm_admin.selectors.tops import Top
from llm_admin.selectors.usage import UsageFilter
from llm_admin.services import runs
from llm_admin.services.actors import Actor

RECENT_RUNS = 6
WEEK = dt.timedelta(days=7)
SUBJECTS: dict[str, type[Prompt | Workflow]] = {"prompt": Prompt, "workflow": Workflow}


def callback(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's DASHBOARD_CALLBACK."""
    context["title"] = "Home"
    if getattr(request, "workspace", None) is None:
        return context | {"llm_page": "no_workspace"}
    actor = actor_of(request)
    if not InteractionLog.objects.exists():
        return context | {"llm_page": "start", "steps": first_steps(actor)}
    week = _last(WEEK)
    return context | {
        "llm_page": "numbers",
        "panel": panel(request, actor),
        "budgets": budget_cards.home(actor),
        "tops": [
            _top_list("prompt", "Prompts", tops.top_prompts(week), week),
            _top_list("workflow", "Workflows", tops.top_workflows(week), week),
        ],
        "recent_runs": _recent_runs(actor),
        "sees_all": actor.may("view_all_runs"),
    }


@require_GET
def numbers(request: HttpRequest) -> HttpResponse:
    """The fragment: ?range=24h|7d|30d, and ?prompt=ID or ?workflow=ID for the numbers of one."""
    actor = actor_of(request)
    actor.require("view_interactionlog")
    given = {name: request.GET[name] for name in SUBJECTS if request.GET.get(name)}
    subject = {name: find_or_404(request, SUBJECTS[name], pk).pk for name, pk in given.items()}
    return render(request, "llm_admin/dashboard/_numbers.html", {"panel": panel(request, actor, subject)})


def panel(request: HttpRequest, actor: Actor, subject: dict[str, int] | None = None) -> dict[str, Any]:
    """Cards and charts of the range that the request names, with the switch to the others."""
    period = periods.chosen(request.GET.get("range"))
    chosen = _last(period.span, **(subject or {}))
    report = usage.report(chosen, periods.starts(chosen.since, chosen.until, period.unit))
    return {
        "period": period,
        "switch": _switch(period.key, subject or {}),
        "calls": report.totals.calls,
        "cards": cards(report, chosen, period, actor.workspace),
        "charts": charts(report, chosen, period, actor.workspace) if report.totals.calls else [],
        "whole_console": not subject,
    }


def _last(span: dt.timedelta, **subject: int) -> UsageFilter:
    now = timezone.now()
    return UsageFilter(since=now - span, until=now, **subject)


def _switch(current: str, subject: dict[str, int]) -> list[dict[str, Any]]:
    fragment, home = reverse("admin:llm_admin_numbers"), reverse("admin:index")
    return [
        {
            "key": period.key,
            "label": period.short,
            "current": period.key == current,
            "fragment": f"{fragment}?{urlencode({**subject, 'range': period.key})}",
            "page": f"{home}?range={period.key}",
        }
        for period in periods.PERIODS.values()
    ]


def _top_list(noun: str, title: str, found: list[Top], week: UsageFilter) -> dict[str, Any]:
    rows = [
        {
            "top": top,
            "page": reverse(f"admin:llm_admin_{noun}_change", args=[top.id]) if top.name else "",
            "logs": logs_url(week, **{noun: top.id}),
            "failed": logs_url(week, **{noun: top.id}, status=CallStatus.FAILED.value),
            "dearest": logs_url(week, **{noun: top.id}, **BY_COST),
        }
        for top in found
    ]
    return {"noun": noun, "title": title, "rows": rows}


def _recent_runs(actor: Actor) -> list[Run]:
    rows = runs.visible(actor=actor).select_related("owner").defer("spec", "inputs", "output")
    return list(rows[:RECENT_RUNS])


@dataclass(frozen=True)
class FirstStep:
    title: str
    text: str
    url: str = ""
    action: str = ""
    done: bool = False


def first_steps(actor: Actor) -> list[FirstStep]:
    """What an empty console shows instead of zeros."""
    return [_try_a_prompt(actor), _connect_a_model(actor), _run_a_workflow(actor)]


def _try_a_prompt(actor: Actor) -> FirstStep:
    title = "Try a prompt"
    if Prompt.objects.exists():
        text = "Open one, fill in its variables and press Run. The demo model answers at once and costs nothing."
        return FirstStep(title, text, reverse("admin:llm_admin_prompt_changelist"), "Open the prompts")
    if actor.may("import_prompt"):
        text = "There are no prompts yet. Import some, or write your first one."
        return FirstStep(title, text, reverse("admin:llm_admin_prompt_import"), "Import prompts")
    return FirstStep(title, "There are no prompts yet. Ask an author of the workspace to write or import some.")


def _connect_a_model(actor: Actor) -> FirstStep:
    title = "Connect a model"
    if Connection.objects.exclude(provider="fake").exists():
        return FirstStep(title, "A provider is connected.", done=True)
    if actor.may("add_connection"):
        text = "Until then the demo model answers. You need a provider's key, or the address of a server of your own."
        return FirstStep(title, text, reverse("admin:llm_admin_connection_add"), "Add a connection")
    return FirstStep(title, "Until then the demo model answers. An operator of the workspace can connect a real one.")


def _run_a_workflow(actor: Actor) -> FirstStep:
    title = "Run a workflow"
    text = "Several steps, one after the other: each one fills in as it runs, with its time and cost."
    page = reverse("admin:llm_admin_workflow_changelist")
    action = "Open the workflows" if Workflow.objects.exists() else "Make a workflow"
    return FirstStep(title, text, page, action if Workflow.objects.exists() or actor.may("add_workflow") else "")
