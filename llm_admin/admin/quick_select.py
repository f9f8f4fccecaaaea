"""A select as unfold draws it, for filters with hundreds of choices: a template for each of them takes long."""

from __future__ import annotations

import html
from typing import Any

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe
from unfold.contrib.filters.forms import DropdownForm
from unfold.widgets import UnfoldAdminSelectWidget


def quickly_escaped(text: Any) -> str:
    """As `conditional_escape`, whose way to plain text is long."""
    return html.escape(text) if type(text) is str else conditional_escape(text)


class QuickSelect(UnfoldAdminSelectWidget):
    """One choice of a flat list."""

    choices: Any

    @classmethod
    def like(cls, other: UnfoldAdminSelectWidget) -> QuickSelect:
        found = cls()
        found.attrs = dict(other.attrs)
        return found

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        choices, self.choices = list(self.choices), []
        try:
            frame = super().render(name, value, attrs, renderer)
        finally:
            self.choices = choices
        start, select, rest = frame.partition("<select ")
        head, _, tail = rest.partition(">")
        wanted = self.format_value(value)
        chosen = next((place for place, (one, _) in enumerate(choices) if str(one) in wanted), None)
        options = [
            f'<option value="{quickly_escaped(str(one))}"{" selected" if place == chosen else ""}>'
            f"{quickly_escaped(label)}</option>"
            for place, (one, label) in enumerate(choices)
        ]
        whole = "\n".join([f"{start}{select}{head}>", *options, tail])
        return mark_safe(whole)  # noqa: S308 - values and labels are escaped


class QuickForm(DropdownForm):
    """Of a filter."""

    widget = QuickSelect.like(DropdownForm.widget)
