"""The timeline of versions, their differences, labels, and publishing: the pages that every document has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import URLPattern

from llm_admin.admin.document_history import urls_of
from llm_admin.admin.prompt_saving import PromptForm

if TYPE_CHECKING:
    from llm_admin.admin.document_studio import Page


def urls(wrap: Any) -> list[URLPattern]:
    """`wrap` is the site's `admin_view`."""
    return urls_of(PromptForm(), wrap)


def panel(page: Page) -> dict[str, Any]:
    """The studio shows versions for every family of documents (document_studio.py)."""
    return {}
