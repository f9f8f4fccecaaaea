"""Prompts: the list. Adding and changing is the studio's page (prompt_studio.py)."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import smart_split, unescape_string_literal
from unfold.decorators import display

from llm_admin.admin import playground, prompt_saving, prompt_studio
from llm_admin.admin.base import ConsoleAdmin, actor_of
from llm_admin.admin.run_dialog import RunActionsMixin
from llm_admin.admin.transfer import PromptTransferMixin
from llm_admin.models import LIVE, Prompt, PromptLabel, label_title
from llm_admin.selectors.prompts import ids_with_words
from llm_admin.services import documents
from llm_admin.templatetags.llm_format import ago


@admin.register(Prompt)
class PromptAdmin(PromptTransferMixin, RunActionsMixin, ConsoleAdmin):
    list_display = ("shown_name", "labels_shown", "newest", "edited", "run_link")
    search_fields = ("name",)
    search_help_text = "Search in names and texts"
    ordering = ("name",)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("try/", wrap(playground.try_prompt), name="llm_admin_prompt_try"),
            path("<int:pk>/runs/", wrap(prompt_studio.recent_runs), name="llm_admin_prompt_runs"),
            path("<int:pk>/restore/", wrap(prompt_saving.restore), name="llm_admin_prompt_restore"),
            *super().get_urls(),
        ]

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

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return prompt_studio.page(self, request, object_id)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Versions and labels go with their prompt; Django would report the labels as in the way."""
        names = [format_html("{}, with its {} versions", prompt, prompt.last_number) for prompt in objs]
        return names, {"prompts": len(names)}, set(), []

    def delete_model(self, request: HttpRequest, obj: Prompt) -> None:
        documents.delete(obj, actor=actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> None:
        for prompt in queryset:
            documents.delete(prompt, actor=actor_of(request))

    @display(description="Name", ordering="name")
    def shown_name(self, prompt: Prompt) -> SafeString | str:
        if not prompt.description:
            return prompt.name
        return format_html('{}<span class="llm-under">{}</span>', prompt.name, prompt.description)

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

    @display(description="Last edited", ordering="updated_at")
    def edited(self, prompt: Prompt) -> SafeString | str:
        return ago(prompt.updated_at)


def _unquoted(word: str) -> str:
    return unescape_string_literal(word) if word[0] in "\"'" and word[0] == word[-1] and len(word) > 1 else word
