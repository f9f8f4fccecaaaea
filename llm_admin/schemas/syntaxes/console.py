"""Our own: `{{name}}`, everything else literal. No text can be broken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_admin.schemas import template

names = template.identifiers


def problem(text: str) -> str:
    return ""


def render(text: str, values: Mapping[str, Any]) -> str:
    from llm_admin.schemas.values import as_text

    return template.render(text, {name: as_text(value) for name, value in values.items()})


def to_console(text: str) -> str:
    return text
