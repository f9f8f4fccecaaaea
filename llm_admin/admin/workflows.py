"""Workflows: the list. Adding and changing is the studio's page (workflow_studio.py)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from llm_admin.admin import workflow_running, workflow_saving, workflow_studio
from llm_admin.admin.base import ConsoleAdmin, actor_of
from llm_admin.admin.run_dialog import RunActionsMixin
from llm_admin.models import LIVE, Workflow, WorkflowLabel, WorkflowVersion
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.services import documents
from llm_admin.templatetags.llm_format import ago


@admin.register(Workflow)
class WorkflowAdmin(RunActionsMixin, ConsoleAdmin):
    list_display = ("shown_name", "live", "steps", "edited", "run_link")
    search_fields = ("name", "description", "slug")
    search_help_text = "Search in names and descriptions"
    ordering = ("name",)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        running, saving = workflow_running, workflow_saving
        return [
            path("card/", wrap(running.new_card), name="llm_admin_workflow_card"),
            path("fields/", wrap(running.run_fields), name="llm_admin_workflow_fields"),
            path("variables/", wrap(running.prompt_variables), name="llm_admin_workflow_variables"),
            path("run/", wrap(running.run_workflow), name="llm_admin_workflow_run"),
            path("<int:pk>/runs/", wrap(running.recent_runs), name="llm_admin_workflow_runs"),
            path("<int:pk>/restore/", wrap(saving.restore), name="llm_admin_workflow_restore"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workflow]:
        live = WorkflowLabel.objects.filter(workflow=OuterRef("pk"), name=LIVE).values("version__number")
        newest = WorkflowVersion.objects.filter(workflow=OuterRef("pk"), number=OuterRef("last_number")).values("spec")
        rows = super().get_queryset(request)
        return rows.annotate(live_number=Subquery(live[:1]), newest_spec=Subquery(newest[:1])).order_by(F("name"))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return workflow_studio.page(self, request, object_id)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Versions and labels go with their workflow; Django would report the labels as in the way."""
        names = [format_html("{}, with its {} versions", workflow, workflow.last_number) for workflow in objs]
        return names, {"workflows": len(names)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Workflow) -> None:
        documents.delete(obj, actor=actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Workflow]) -> None:
        for workflow in queryset:
            documents.delete(workflow, actor=actor_of(request))

    @display(description="Name", ordering="name")
    def shown_name(self, workflow: Workflow) -> SafeString | str:
        if not workflow.description:
            return workflow.name
        return format_html('{}<span class="llm-under">{}</span>', workflow.name, workflow.description)

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

    @display(description="Last edited", ordering="updated_at")
    def edited(self, workflow: Workflow) -> SafeString | str:
        return ago(workflow.updated_at)
