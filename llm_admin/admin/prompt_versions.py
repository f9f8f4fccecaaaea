"""The timeline of versions, their differences, labels, and publishing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.urls import URLPattern

if TYPE_CHECKING:
    from llm_admin.admin.document_studio import Page


def urls(wrap: Any) -> list[URLPattern]:
    """`wrap` is the site's `admin_view`."""
    return []


def panel(page: Page) -> dict[str, Any]:
    """What the studio's page needs of this."""
    return {}
