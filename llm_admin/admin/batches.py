"""Batches: the list, and the addresses of their pages (batch_new.py, batch_prepare.py, batch_page.py)."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.views import ChangeList

from llm_admin.admin import batch_exports, batch_new, batch_page, batch_prepare, batch_words
from llm_admin.admin.base import ConsoleChangeList, OwnPageAdmin, actor_of
from llm_admin.models import Batch
from llm_admin.selectors import batch_rows
from llm_admin.selectors.batches import Progress
from llm_admin.services import batches
from llm_admin.templatetags.llm_format import ago
from llm_admin.tenancy import current_workspace


class BatchChangeList(ConsoleChangeList):
    """The progress of the page's batches only, in one query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list) if self.result_count else []
        self.result_list: Any = rows
        found = batch_rows.of_many(rows) if rows else {}
        for row in rows:
            row.progress = found[row.pk]


@admin.register(Batch)
class BatchAdmin(OwnPageAdmin):
    list_display = ("title_shown", "status_shown", "progress_shown", "cost_shown", "by", "started")
    list_filter = ("status",)
    list_select_related = ("owner",)
    search_fields = ("title", "file_name")
    search_help_text = "Search in titles and names of files"
    ordering = ("-id",)
    sortable_by = ()
    actions = None

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        one, new = "<uuid:pk>/", "new/<str:key>/"
        views: list[tuple[str, Any, str]] = [
            ("inputs/", batch_new.inputs_fragment, "inputs"),
            ("template/<int:pk>.csv", partial(batch_new.template, kind="csv"), "template_csv"),
            ("template/<int:pk>.xlsx", partial(batch_new.template, kind="xlsx"), "template_xlsx"),
            (new, batch_prepare.prepare, "prepare"),
            (f"{new}check/", batch_prepare.check, "check"),
            (f"{one}progress/", batch_page.progress_part, "progress"),
            (f"{one}rows/", batch_page.rows, "rows"),
            (f"{one}results.csv", partial(batch_exports.export, kind="csv"), "export_csv"),
            (f"{one}results.xlsx", partial(batch_exports.export, kind="xlsx"), "export_xlsx"),
            *((f"{one}{name}/", partial(batch_page.act, action=name), name) for name in batch_page.ACTIONS),
            (f"{one}delete/", batch_page.delete, "delete"),
        ]
        own = [path(route, wrap(view), name=f"llm_admin_batch_{name}") for route, view, name in views]
        kept = ("llm_admin_batch_changelist", "llm_admin_batch_add", "llm_admin_batch_change")
        return [*own, *(url for url in super().get_urls() if url.name in kept)]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BatchChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Batch]:
        rows: QuerySet[Batch] = batches.visible(actor=actor_of(request)).order_by("-id")
        return rows.defer("spec", "columns", "mapping", "outputs")

    def new_page(self, request: HttpRequest) -> HttpResponse:
        return batch_new.new_batch(request)

    def page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return batch_page.page(request, object_id)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("llm_admin.run_batch")

    @display(description="Batch")
    def title_shown(self, batch: Batch) -> SafeString | str:
        if not batch.file_name:
            return batch.title
        return format_html('{}<span class="llm-under">{}</span>', batch.title, batch.file_name)

    @display(description="Status")
    def status_shown(self, batch: Any) -> SafeString:
        return format_html(
            '<span class="llm-status llm-batch-{}"><span class="llm-status-dot" aria-hidden="true"></span>{}</span>',
            batch.status,
            batch.get_status_display(),
        )

    @display(description="Rows")
    def progress_shown(self, batch: Any) -> SafeString:
        done: Progress = batch.progress
        failed = format_html(' <span class="llm-batch-bad">{} failed</span>', f"{done.failed:,}") if done.failed else ""
        waiting = (
            format_html(' <span class="llm-subtle">{} waiting</span>', f"{done.waiting:,}") if done.waiting else ""
        )
        return format_html(
            '<span class="llm-batch-mini"><progress max="{}" value="{}" aria-hidden="true"></progress>'
            "<span>{} of {}{}{}</span></span>",
            *(done.total, done.done, f"{done.done:,}", f"{done.total:,}", failed, waiting),
        )

    @display(description="Cost")
    def cost_shown(self, batch: Any) -> str:
        return batch_words.cost(batch.progress, current_workspace())

    @display(description="By")
    def by(self, batch: Batch) -> str:
        return str(batch.owner or "the system")

    @display(description="Started")
    def started(self, batch: Batch) -> SafeString | str:
        return ago(batch.created_at)


def _count(number: int, word: str, css: str) -> SafeString | str:
    return format_html(' <span class="{}">{} {}</span>', css, f"{number:,}", word) if number else ""
