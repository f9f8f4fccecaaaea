"""The inbox of approvals, and the page on which somebody reads, edits, approves or declines."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Case, Exists, IntegerField, OuterRef, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.decorators import display

from llm_admin.admin.base import OwnPageAdmin, actor_of, find, find_or_404
from llm_admin.admin.runs import titled_inputs
from llm_admin.choices import ApprovalStatus
from llm_admin.exceptions import Conflict, InvalidInput
from llm_admin.models import Approval
from llm_admin.selectors import approvals as selector
from llm_admin.services import approvals, runs
from llm_admin.templatetags.llm_format import ago

LONGEST = 160  # characters of a question in the list


@admin.register(Approval)
class ApprovalAdmin(OwnPageAdmin):
    list_display = ("asked_for", "workflow", "asked", "deadline", "who", "status_shown")
    list_filter = ("status",)
    list_select_related = ("run__workflow", "decided_by")
    list_display_links = ("asked_for",)
    search_fields = ("title", "run__title")
    search_help_text = "Search in titles and workflows"
    sortable_by = ()
    actions = None

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        decided = path("<int:pk>/decide/", wrap(require_POST(self.decide)), name="llm_admin_approval_decide")
        return [decided, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Approval]:
        actor = actor_of(request)
        mine = Exists(approvals.waiting_for(actor=actor).filter(pk=OuterRef("pk")))
        turns = (When(mine, then=Value(2)), When(status=ApprovalStatus.PENDING, then=Value(1)))
        turn = Case(*turns, default=Value(0), output_field=IntegerField())
        rows: QuerySet[Approval] = approvals.visible(actor=actor).defer("run__spec", "run__inputs", "run__output")
        return rows.annotate(mine=mine, turn=turn).prefetch_related("people")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-turn", "-id")

    def page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        actor_of(request).require("view_approval")
        found = find(request, Approval, object_id)
        if found is None:
            raise Http404
        seen = approvals.visible(actor=actor_of(request)).select_related("run__workflow", "decided_by")
        approval = seen.prefetch_related("people").filter(pk=found.pk).first()
        if approval is None:
            raise Http404
        return self._page(request, approval)

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        approval = find_or_404(request, Approval, pk)
        given = {"text": request.POST.get("text", approval.proposed), "word": request.POST.get("word", "")}
        approve = request.POST.get("decision") == "approve"
        if not approve and request.POST.get("decision") != "decline":
            raise InvalidInput("Choose: approve or decline.")
        try:
            approvals.decide(approval, actor=actor_of(request), approve=approve, **given)
        except InvalidInput as error:
            told = {str(p.location[0]): p.message for p in error.problems if p.location}
            return self._page(request, approval, given=given, told=told, status=422)
        except Conflict as error:
            approval.refresh_from_db()
            return self._page(request, approval, given=given, conflict=str(error), status=409)
        messages.success(request, f"{'Approved' if approve else 'Declined'}: {approval.title}")
        return redirect("admin:llm_admin_approval_changelist")

    def _page(
        self,
        request: HttpRequest,
        approval: Approval,
        *,
        given: dict[str, str] | None = None,
        told: dict[str, str] | None = None,
        conflict: str = "",
        status: int = 200,
    ) -> HttpResponse:
        actor = actor_of(request)
        run = approval.run
        pending = approval.status == ApprovalStatus.PENDING
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": approval,
            "title": approval.title,
            "approval": approval,
            "about": selector.context_of(approval),
            "inputs_shown": titled_inputs(run),
            "who": selector.deciders(approval),
            "may_decide": pending and approvals.may_decide(approval, actor),
            "pending": pending,
            "text": given["text"] if given else approval.proposed,
            "word": given["word"] if given else "",
            "lost": given["text"] if given and conflict and given["text"] != approval.proposed else "",
            "told": told or {},
            "conflict": conflict,
            "pieces": selector.edited(approval),
            "run": run,
            "run_seen": runs.visible(actor=actor).filter(pk=run.pk).exists(),
        }
        return TemplateResponse(request, "llm_admin/approvals/page.html", context, status=status)

    @display(description="Question")
    def asked_for(self, approval: Approval) -> SafeString:
        question = approval.question if len(approval.question) <= LONGEST else approval.question[:LONGEST] + "…"
        under = format_html('<span class="llm-under">{}</span>', question) if question else ""
        return format_html('<span class="llm-list-name">{}</span>{}', approval.title, under)

    @display(description="Workflow")
    def workflow(self, approval: Approval) -> str:
        return str(approval.run.workflow or approval.run.title)

    @display(description="Asked")
    def asked(self, approval: Approval) -> SafeString | str:
        return ago(approval.asked_at)

    @display(description="Deadline")
    def deadline(self, approval: Approval) -> SafeString | str:
        return ago(approval.deadline_at) if approval.deadline_at else "None"

    @display(description="Who may decide")
    def who(self, approval: Approval) -> str:
        return selector.deciders(approval).capitalize() if not approval.people.all() else selector.deciders(approval)

    @display(description="Status")
    def status_shown(self, approval: Any) -> SafeString:
        if approval.mine:
            return format_html('<span class="llm-chip llm-chip-live">{}</span>', "Waits for you")
        kind = {"approved": "succeeded", "declined": "failed", "withdrawn": "cancelled"}.get(approval.status, "waiting")
        by = f" by {approval.decided_by}" if approval.decided_by else ""
        label = approval.get_status_display()
        return format_html(
            '<span class="llm-status llm-status-{}"><span class="llm-status-dot" aria-hidden="true"></span>{}{}</span>',
            kind,
            label,
            by,
        )
