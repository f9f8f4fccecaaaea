"""Filters of the prompt list. Their parameters are plain words (?folder=Marketing&tag=draft): links carry them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from llm_admin.models import name_key
from llm_admin.selectors import prompts

NO_FOLDER = "/"  # no folder is called so: services.shelf.clean_folder
INDENT = "\u2003"


class FolderFilter(DropdownFilter):
    title = "folder"
    parameter_name = "folder"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        known = prompts_folders(request)
        shown = [(folder, _indented(folder, count)) for folder, count in known]
        value = self.value()
        if value and value != NO_FOLDER and value not in dict(known):
            shown.append((value, value))
        return [*shown, (NO_FOLDER, "In no folder")] if shown else []

    def has_output(self) -> bool:
        return bool(self.lookup_choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == NO_FOLDER:
            return queryset.filter(folder="")
        return queryset.filter(prompts.inside(value)) if value else queryset


class TagFilter(DropdownFilter):
    title = "tag"
    parameter_name = "tag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        known = [(name, name) for name in prompts.tags()]
        value = self.value()
        return known if not value or value in dict(known) else [*known, (value, value)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset.filter(tags__name_key=name_key(value)) if value else queryset


class ArchivedFilter(DropdownFilter):
    """Without it, what is archived stays out of the list."""

    title = "archive"
    parameter_name = "archived"
    all_option = ["", "Not archived"]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Archived"), ("all", "Archived or not")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "all":
            return queryset
        return queryset.filter(archived_at__isnull=value != "yes")


def prompts_folders(request: HttpRequest) -> list[tuple[str, int]]:
    """Once for a page: the filter and the row of folders above the list both show them."""
    if not hasattr(request, "_llm_folders"):
        request._llm_folders = prompts.folders()  # type: ignore[attr-defined]
    return request._llm_folders  # type: ignore[attr-defined]


def _indented(folder: str, count: int) -> str:
    depth = folder.count("/")
    return f"{INDENT * depth}{folder.rpartition('/')[2]} ({count})"
