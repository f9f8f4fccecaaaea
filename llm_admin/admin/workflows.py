"""Workflows: the list. Adding and changing is the studio's page (workflow_studio.py)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from llm_admin.admin import workflow_running, workflow_trying
from llm_admin.admin.batch_links import BatchLinkMixin
from llm_admin.admin.document_history import urls_of
from llm_admin.admin.document_list import DocumentAdmin
from llm_admin.admin.workflow_studio import WorkflowStudio
from llm_admin.models import LIVE, Workflow, WorkflowLabel, WorkflowVersion
from llm_admin.schemas.steps import STEP_SPECS


@admin.register(Workflow)
class WorkflowAdmin(BatchLinkMixin, DocumentAdmin):
    studio = WorkflowStudio()
    list_display = ("shown_name", "live", "steps", "edited", "run_link")
    search_fields = ("name", "description", "slug")
    search_help_text = "Search in names and descriptions"
    list_before_template = "llm_admin/gallery/_offer.html"

    def get_urls(self) -> list[URLPattern]:
        wrap, running = self.admin_site.admin_view, workflow_running
        return [
            path("card/", wrap(running.new_card), name="llm_admin_workflow_card"),
            path("copy/", wrap(running.copied_card), name="llm_admin_workflow_copy"),
            path("fields/", wrap(running.run_fields), name="llm_admin_workflow_fields"),
            path("variables/", wrap(running.prompt_variables), name="llm_admin_workflow_variables"),
            path("run/", wrap(running.run_workflow), name="llm_admin_workflow_run"),
            path("try/", wrap(workflow_trying.try_step), name="llm_admin_workflow_try"),
            path("try/values/", wrap(workflow_trying.try_fields), name="llm_admin_workflow_try_fields"),
            *urls_of(self.studio.form, wrap),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workflow]:
        live = WorkflowLabel.objects.filter(workflow=OuterRef("pk"), name=LIVE).values("version__number")
        newest = WorkflowVersion.objects.filter(workflow=OuterRef("pk"), number=OuterRef("last_number")).values("spec")
        rows = super().get_queryset(request)
        return rows.annotate(live_number=Subquery(live[:1]), newest_spec=Subquery(newest[:1])).order_by(F("name"))

    @display(description="Live", ordering="live_number")
    def live(self, workflow: Any) -> SafeString | str:
        if workflow.live_number is None:
            return "Not yet"
        draft = f" (newest: v{workflow.last_number})" if workflow.last_number != workflow.live_number else ""
        return format_html('<span class="llm-chip llm-chip-live">v{}</span>{}', workflow.live_number, draft)

    @display(description="Steps")
    def steps(self, workflow: Any) -> str:
        steps = (workflow.newest_spec or {}).get("steps", [])
        kinds = [STEP_SPECS.get(s["type"]).label if s["type"] in STEP_SPECS else s["type"] for s in steps]
        shown = " → ".join(kinds[:5]) + (" → …" if len(kinds) > 5 else "")
        return f"{len(kinds)}: {shown}" if kinds else "0"
