"""Prompts: the list. Adding and changing is the studio's page (prompt_studio.py)."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import smart_split, unescape_string_literal
from unfold.decorators import display

from llm_admin.admin import playground
from llm_admin.admin.document_list import DocumentAdmin
from llm_admin.admin.prompt_studio import PARTS, PromptStudio
from llm_admin.admin.transfer import PromptTransferMixin
from llm_admin.models import LIVE, Prompt, PromptLabel, label_title
from llm_admin.selectors.prompts import ids_with_words


@admin.register(Prompt)
class PromptAdmin(PromptTransferMixin, DocumentAdmin):
    studio = PromptStudio()
    list_display = ("shown_name", "labels_shown", "newest", "edited", "run_link")
    search_fields = ("name",)
    search_help_text = "Search in names and texts"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [path("try/", wrap(playground.try_prompt), name="llm_admin_prompt_try")]
        return [*own, *(url for part in PARTS for url in part.urls(wrap)), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Prompt]:
        labels = PromptLabel.objects.select_related("version")
        return super().get_queryset(request).prefetch_related(Prefetch("labels", queryset=labels))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Prompt], search_term: str
    ) -> tuple[QuerySet[Prompt], bool]:
        by_name, may_repeat = super().get_search_results(request, queryset, search_term)
        words = [_unquoted(word) for word in smart_split(search_term)]
        if not words:
            return by_name, may_repeat
        return queryset.filter(Q(pk__in=by_name.values("pk")) | Q(pk__in=ids_with_words(words))), may_repeat

    @display(description="Labels")
    def labels_shown(self, prompt: Prompt) -> SafeString:
        return format_html_join(
            " ",
            '<span class="llm-chip {}">{}: v{}</span>',
            (
                ("llm-chip-live" if label.name == LIVE else "", label_title(label.name), label.version.number)
                for label in prompt.labels.all()
            ),
        )

    @display(description="Newest version", ordering="last_number")
    def newest(self, prompt: Prompt) -> str:
        return f"v{prompt.last_number}"


def _unquoted(word: str) -> str:
    return unescape_string_literal(word) if word[0] in "\"'" and word[0] == word[-1] and len(word) > 1 else word
