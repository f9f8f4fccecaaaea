"""The list of model calls, and one of them. Nobody adds or changes a log; who may, deletes some."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern

from llm_admin.admin import dashboard_logs, log_bulk, log_filters, log_page, log_views
from llm_admin.admin.base import ReadOnlyAdmin, actor_of, find
from llm_admin.admin.log_columns import TITLES, LogColumns
from llm_admin.admin.log_list import LogChangeList
from llm_admin.models import InteractionLog
from llm_admin.selectors import logs

NAMES = {"llm_admin_interactionlog_changelist", "llm_admin_interactionlog_change"}


@admin.register(InteractionLog)
class InteractionLogAdmin(LogColumns, ReadOnlyAdmin):
    list_display = tuple(TITLES)
    list_filter_submit = True
    list_before_template = "llm_admin/logs/_before_list.html"
    list_disable_select_all = True
    list_per_page = 50
    ordering = ("-created_at", "-id")
    sortable_by = ()  # the bar above the list sorts: only what does not read all calls
    search_fields = ("id",)  # shows the field; admin/log_list.py searches
    search_help_text = 'Words, "a phrase", -without, begin*'
    show_facets = admin.ShowFacets.NEVER  # counting each choice would read every log

    def get_urls(self) -> list[URLPattern]:
        """Only the list and the page of a log, and what is done from there."""
        wrap = self.admin_site.admin_view
        own = [*log_views.urls(wrap), *log_bulk.urls(self, wrap), *log_page.urls(self, wrap)]
        return [*own, *(url for url in super().get_urls() if url.name in NAMES)]

    def get_queryset(self, request: HttpRequest) -> QuerySet[InteractionLog]:
        rows, actor = super().get_queryset(request), actor_of(request)
        return rows if actor.may("view_all_runs") else rows.filter(user=actor.user)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """As everywhere, a log of another workspace leads there; one of somebody else is not found."""
        log = find(request, InteractionLog, object_id)
        return log and self.get_queryset(request).filter(pk=log.pk).select_related(*logs.DETAILED).first()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[LogChangeList]:
        return LogChangeList

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return log_views.looks(request).columns

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> tuple[str, ...]:
        return tuple(list_display)[:1]

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return queryset, False

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        more = [log_filters.UserFilter] if actor_of(request).may("view_all_runs") else []
        return [*log_filters.ALL, *more]

    def get_actions(self, request: HttpRequest) -> Any:
        return log_bulk.actions(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST" and not request.POST.getlist(ACTION_CHECKBOX_NAME):
            return redirect(request.get_full_path())
        if start := log_views.looks(request).start(request):
            return redirect(start)
        context = {"title": "Logs", "only_own": not actor_of(request).may("view_all_runs")}
        response = super().changelist_view(request, {**context, **(extra_context or {})})
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            response.context_data |= {"numbers": dashboard_logs.above(request), "bar": log_views.bar(request)}
        return response

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return log_page.page(self, request, object_id)
