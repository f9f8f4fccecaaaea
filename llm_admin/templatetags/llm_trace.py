"""How the values of a run are shown: as what they are, never as JSON."""

from __future__ import annotations

from typing import Any

from django import template

from llm_admin.schemas.values import as_text

register = template.Library()


@register.filter
def shape(value: Any) -> str:
    match value:
        case {"messages": [*_]} if len(value) == 1:
            return "chat"
        case dict() | list() | str() if not value:
            return "empty"
        case None:
            return "empty"
        case dict():
            return "table"
        case list():
            return "list"
        case bool():
            return "yes_no"
        case _:
            return "text"


@register.filter
def in_words(value: Any) -> str:
    """A value in one cell of a table."""
    return as_text(value)
