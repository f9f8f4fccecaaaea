"""Runs: the list, and the page of one with all that happened in it. Nothing is changed here, only stopped or shared."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from llm_admin.admin import playground, run_again
from llm_admin.admin.base import OwnPageAdmin, actor_of
from llm_admin.admin.feedback_filters import RunFeedbackFilter
from llm_admin.models import Run, RunError
from llm_admin.selectors.timelines import time_line
from llm_admin.selectors.traces import milliseconds
from llm_admin.services import runs
from llm_admin.services.repeating import NOT_KEPT
from llm_admin.templatetags.llm_format import ago, cost, duration, in_out
from llm_admin.tenancy import current_workspace


@admin.register(Run)
class RunAdmin(OwnPageAdmin):
    list_display = ("title", "status_shown", "source_shown", "owner", "started", "lasted", "tokens_shown", "cost_shown")
    list_filter = ("status", "kind", "source", RunFeedbackFilter)
    list_select_related = ("owner",)
    search_fields = ("title",)
    search_help_text = "Search in titles"
    ordering = ("-id",)
    sortable_by = ()
    actions = None

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("follow/", wrap(playground.follow_runs), name="llm_admin_run_follow"),
            path("<uuid:pk>/panel/", wrap(playground.run_panel), name="llm_admin_run_panel"),
            path("<uuid:pk>/stop/", wrap(playground.stop_run), name="llm_admin_run_stop"),
            *run_again.urls(self, wrap),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Run]:
        rows: QuerySet[Run] = runs.visible(actor=actor_of(request)).order_by("-id")
        return rows.defer("spec", "inputs", "output")

    def page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return run_page(self, request, object_id)

    @display(description="Status")
    def status_shown(self, run: Run) -> SafeString:
        return format_html(
            '<span class="llm-status llm-status-{}"><span class="llm-status-dot" aria-hidden="true"></span>{}</span>',
            run.status,
            run.get_status_display(),
        )

    @display(description="From")
    def source_shown(self, run: Run) -> str:
        return run.get_source_display()

    @display(description="Started")
    def started(self, run: Run) -> SafeString | str:
        return ago(run.started_at or run.created_at)

    @display(description="Time")
    def lasted(self, run: Run) -> str:
        return "–" if run.is_open or run.is_waiting else duration(milliseconds(run.started_at, run.ended_at))

    @display(description="Tokens")
    def tokens_shown(self, run: Run) -> str:
        return "–" if run.is_open or run.is_waiting else in_out(run)

    @display(description="Cost")
    def cost_shown(self, run: Run) -> str:
        return "–" if run.is_open or run.is_waiting else cost(run.cost_nano, current_workspace())


def run_page(model_admin: RunAdmin, request: HttpRequest, object_id: str) -> HttpResponse:
    run = playground.run_or_404(request, object_id)
    if playground.still_waits(request, run):
        return HttpResponse(status=204)
    actor = actor_of(request)
    panel = playground.panel_context(request, run)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "original": run,
        "title": run.title,
        "version": run.prompt_version or run.workflow_version,
        "traceback": RunError.objects.filter(run=run).first() if actor.may("view_all_runs") else None,
        **panel,
        **playground.page_context(request, run),
        **_links(request, run),
        "inputs_shown": titled_inputs(run),
        "line": time_line(panel["trace"]),
    }
    return TemplateResponse(request, "llm_admin/runs/page.html", context)


def titled_inputs(run: Run) -> dict[str, Any]:
    """By what the form calls them, in the form's order."""
    plan = run.spec or {}
    asks = plan.get("workflow") or (plan.get("prompt") or {}).get("spec") or {}
    declared = asks.get("inputs") or asks.get("variables") or []
    titles = {one["name"]: one.get("label") or one["name"] for one in declared if one.get("name") in run.inputs}
    if len(set(titles.values())) < len(titles):
        return run.inputs
    return {titles.get(name, name): run.inputs[name] for name in {**titles, **run.inputs}}


def _links(request: HttpRequest, run: Run) -> dict[str, Any]:
    """To the runs around this one, as far as this person may see them; and whom it is shown to."""
    actor = actor_of(request)
    seen = runs.visible(actor=actor).defer("spec", "inputs", "output")
    own = run.owner_id == request.user.pk or actor.may("view_all_runs")
    may_run = actor.may(f"run_{run.kind}")
    return {
        "again_of": seen.filter(pk=run.again_of_id).first() if run.again_of_id else None,
        "repeats": list(seen.filter(again_of=run).order_by("-id")[:5]),
        "may_share": own and may_run,
        "why_not_again": NOT_KEPT if may_run and not run.spec else "",
        "address": request.build_absolute_uri(reverse("admin:llm_admin_run_change", args=[run.pk])),
    }
