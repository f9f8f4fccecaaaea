"""The list of model calls, and one of them as people read it. Nobody adds, changes or deletes a log here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from llm_admin.admin import dashboard, log_filters, prompt_from_log
from llm_admin.admin.base import ReadOnlyAdmin, actor_of, find
from llm_admin.choices import CallStatus
from llm_admin.models import InteractionLog
from llm_admin.selectors import logs
from llm_admin.templatetags import llm_format
from llm_admin.tenancy import current_workspace

NOTHING = "–"


@admin.register(InteractionLog)
class InteractionLogAdmin(ReadOnlyAdmin):
    list_display = (
        "when",
        "what",
        "model_name",
        "outcome",
        "latency",
        "first_token",
        "token_counts",
        "cost",
        "who",
        "source",
    )
    list_display_links = ("when",)
    list_select_related = logs.LISTED
    list_filter_submit = True
    list_before_template = "llm_admin/logs/_before_list.html"
    ordering = ("-created_at", "-id")
    show_facets = admin.ShowFacets.NEVER  # counting each choice would read every log
    actions = None

    def get_urls(self) -> list[URLPattern]:
        """Only the list and the page of a log; the numbers of the dashboard live here, too."""
        kept = [url for url in super().get_urls() if url.name in _NAMES]
        view = self.admin_site.admin_view(dashboard.numbers)
        return [path("numbers/", view, name="llm_admin_numbers"), *kept]

    def get_queryset(self, request: HttpRequest) -> QuerySet[InteractionLog]:
        rows, actor = super().get_queryset(request), actor_of(request)
        return rows if actor.may("view_all_runs") else rows.filter(user=actor.user)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """As everywhere, a log of another workspace leads there; one of somebody else is not found."""
        log = find(request, InteractionLog, object_id)
        return log and self.get_queryset(request).filter(pk=log.pk).select_related(*logs.DETAILED).first()

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        filters: list[Any] = [
            log_filters.SpanFilter,
            log_filters.WhenFilter,
            log_filters.StatusFilter,
            log_filters.ErrorFilter,
            log_filters.ModelFilter,
            log_filters.PromptFilter,
            log_filters.WorkflowFilter,
            log_filters.SourceFilter,
            log_filters.CostFilter,
            log_filters.CachedFilter,
        ]
        return [*filters, log_filters.UserFilter] if actor_of(request).may("view_all_runs") else filters

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        context = {"title": "Logs", "only_own": not actor_of(request).may("view_all_runs")}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET"])
        actor_of(request).require("view_interactionlog")
        log = self.get_object(request, object_id)
        if log is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        call = logs.call(log)
        context = {
            **self.admin_site.each_context(request),
            "title": logs.name_of(log),
            "opts": self.opts,
            "original": log,
            "log": log,
            "call": call,
            "parameters": logs.parameters_of(call.text),
            "detail": logs.detail_of(log),
            "advice": logs.advice_of(log),
            "studio_url": prompt_from_log.address(actor_of(request), log, has_text=call.text is not None),
        }
        return TemplateResponse(request, "llm_admin/logs/detail.html", context)

    @display(description="When", ordering="created_at")
    def when(self, log: InteractionLog) -> SafeString | str:
        return llm_format.ago(log.created_at)

    @display(description="Prompt or workflow")
    def what(self, log: InteractionLog) -> SafeString:
        return format_html('{}<span class="llm-log-detail">{}</span>', logs.name_of(log), logs.detail_of(log))

    @display(description="Model", ordering="model")
    def model_name(self, log: InteractionLog) -> str:
        return str(log.model or NOTHING)

    @display(description="Outcome", ordering="status")
    def outcome(self, log: InteractionLog) -> SafeString:
        """Of a failure, its kind says more than "failed"."""
        failed = log.status == CallStatus.FAILED and log.error_kind
        return format_html(
            '<span class="llm-status llm-status-{}"><span class="llm-status-dot" aria-hidden="true"></span>{}</span>',
            log.status,
            log.get_error_kind_display() if failed else log.get_status_display(),
        )

    @display(description="Time", ordering="latency_ms")
    def latency(self, log: InteractionLog) -> str:
        return llm_format.duration(log.latency_ms)

    @display(description="First token", ordering="first_token_ms")
    def first_token(self, log: InteractionLog) -> str:
        return NOTHING if log.first_token_ms is None else llm_format.duration(log.first_token_ms)

    @display(description="Tokens in → out")
    def token_counts(self, log: InteractionLog) -> str:
        if log.input_tokens is None and log.output_tokens is None:
            return llm_format.UNKNOWN
        return f"{llm_format.tokens(log.input_tokens)} → {llm_format.tokens(log.output_tokens)}"

    @display(description="Cost", ordering="cost_nano")
    def cost(self, log: InteractionLog) -> SafeString | str:
        said = llm_format.cost(log.cost_nano, current_workspace())
        return format_html('{}<span class="llm-log-detail">from the cache</span>', said) if log.cached else said

    @display(description="Who")
    def who(self, log: InteractionLog) -> str:
        return str(log.user or NOTHING)


_NAMES = {"llm_admin_interactionlog_changelist", "llm_admin_interactionlog_change"}
