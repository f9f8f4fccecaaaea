"""Prompts: the list. Adding and changing is the studio's page (prompt_studio.py)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import smart_split, unescape_string_literal
from unfold.decorators import display
from unfold.views import ChangeList

from llm_admin.admin import playground, prompt_list_cells, prompt_list_filters
from llm_admin.admin.base import ConsoleChangeList
from llm_admin.admin.document_list import DocumentAdmin
from llm_admin.admin.prompt_list_actions import PromptBulkActions
from llm_admin.admin.prompt_studio import PARTS, PromptStudio
from llm_admin.admin.transfer import PromptTransferMixin
from llm_admin.models import LIVE, Prompt, PromptLabel, label_title
from llm_admin.selectors import prompt_numbers, prompts
from llm_admin.templatetags import llm_format
from llm_admin.tenancy import current_workspace


class PromptChangeList(ConsoleChangeList):
    """Numbers and editors of the page's rows only, in as many queries for three rows as for three hundred."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        rows: list[Any] = list(self.result_list) if self.result_count else []
        self.result_list: Any = rows
        ids = [row.pk for row in rows]
        weeks, editors = prompt_numbers.weeks(ids), prompts.editors(ids)
        for row in rows:
            row.week = weeks.get(row.pk, prompt_numbers.Week())
            row.editor = editors.get(row.pk, "")


@admin.register(Prompt)
class PromptAdmin(PromptBulkActions, PromptTransferMixin, DocumentAdmin):
    studio = PromptStudio()
    list_display = ("shown_name", "labels_shown", "edited", "calls", "cost", "p95", "run_link")
    list_filter = (
        prompt_list_filters.FolderFilter,
        prompt_list_filters.TagFilter,
        prompt_list_filters.ArchivedFilter,
    )
    list_filter_submit = True
    list_before_template = "llm_admin/prompts/_list_folders.html"
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("name",)
    search_help_text = "Search in names and texts"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [path("try/", wrap(playground.try_prompt), name="llm_admin_prompt_try")]
        return [*own, *(url for part in PARTS for url in part.urls(wrap)), *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PromptChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        shelves = _folder_links(request) if self.has_view_permission(request) else {}
        return super().changelist_view(request, {**(extra_context or {}), **shelves})

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prompt]:
        labels = PromptLabel.objects.select_related("version").defer("version__spec")
        return super().get_queryset(request).prefetch_related(Prefetch("labels", queryset=labels), "tags")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Prompt], search_term: str
    ) -> tuple[QuerySet[Prompt], bool]:
        return queryset.filter(prompts.with_words([_unquoted(word) for word in smart_split(search_term)])), False

    @display(description="Name", ordering="name")
    def shown_name(self, document: Prompt) -> SafeString | str:
        return prompt_list_cells.name(document)

    @display(description="Versions", ordering="last_number")
    def labels_shown(self, prompt: Prompt) -> SafeString:
        labels = sorted(prompt.labels.all(), key=lambda label: (label.name != LIVE, label.name))
        shown = [
            (
                "llm-chip llm-chip-live" if label.name == LIVE else "llm-chip",
                label_title(label.name),
                str(label.version),
            )
            for label in labels
        ]
        if all(label.version.number != prompt.last_number for label in labels):
            shown.append(("llm-list-newest", "newest", f"v{prompt.last_number}"))
        chips = format_html_join(" ", '<span class="{}">{}: {}</span>', shown)
        return format_html('<span class="llm-chips">{}</span>', chips)

    @display(description="Last edited", ordering="updated_at")
    def edited(self, prompt: Any) -> SafeString | str:
        by = format_html('<span class="llm-under">{}</span>', prompt.editor) if prompt.editor else ""
        return format_html("{}{}", llm_format.ago(prompt.updated_at), by)

    @display(description="Calls, 7 days")
    def calls(self, prompt: Any) -> SafeString | str:
        return prompt_list_cells.calls(prompt.week.calls, prompt.week.days)

    @display(description="Cost, 7 days")
    def cost(self, prompt: Any) -> SafeString | str:
        week: prompt_numbers.Week = prompt.week
        if not week.calls:
            return "–"
        shown = llm_format.cost(week.cost_nano, current_workspace())
        if week.cost_nano is None or not week.unknown_cost:
            return shown
        count = week.unknown_cost
        note = '{}<span class="llm-under" title="The cost of {} calls is unknown">{} unknown</span>'
        return format_html(note, shown, count, count)

    @display(description="p95, 7 days")
    def p95(self, prompt: Any) -> str:
        return llm_format.duration(prompt.week.p95_ms) if prompt.week.calls else "–"

    @display(description="")
    def run_link(self, document: Any) -> SafeString:
        if document.archived_at:
            return format_html('<span class="llm-chip">{}</span>', "Archived")
        return super().run_link(document)


def _unquoted(word: str) -> str:
    return unescape_string_literal(word) if word[0] in "\"'" and word[0] == word[-1] and len(word) > 1 else word


def _folder_links(request: HttpRequest) -> dict[str, Any]:
    """The folder that is open, those around it, and those in it; everything else of the address stays."""
    opened = request.GET.get("folder", "")
    links = []
    for folder, count in prompt_list_filters.prompts_folders(request):
        parent = folder.rpartition("/")[0]
        if parent and parent != opened and not opened.startswith(f"{parent}/"):
            continue
        is_open = folder == opened or opened.startswith(f"{folder}/")
        links.append({"name": folder.rpartition("/")[2], "count": count, "open": is_open, "here": folder == opened,
                      "depth": folder.count("/"), "query": _address(request, folder)})  # fmt: skip
    return {"folder_links": links, "folder_opened": opened, "all_folders": _address(request, "")}


def _address(request: HttpRequest, folder: str) -> str:
    query = request.GET.copy()
    query.pop("p", None)
    query.pop("folder", None)
    if folder:
        query["folder"] = folder
    return f"?{query.urlencode()}"
