"""The rows of the list of logs as unfold writes them, but what all rows share is made once for the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import display_for_value
from django.db.models import Model
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext
from unfold.admin import checkbox
from unfold.templatetags.unfold_list import CHECKBOX_CLASSES, LINK_CLASSES, ROW_CLASSES

from llm_admin.admin.quick_select import quickly_escaped

BOX = "action_checkbox"
ADDRESS = "admin:llm_admin_interactionlog_change"
ANY = "0"  # stands for the key of a row

Cell = Callable[[Model], str]


class Row(list[SafeString]):
    """What unfold's template expects of one: its cells, here as one piece, and no form."""

    form = None

    def __init__(self, instance: Model, html: str) -> None:
        super().__init__([mark_safe(html)])  # noqa: S308 - each cell escapes what it shows
        self.instance = instance


def rows(cl: Any, headers: Sequence[dict[str, Any]]) -> list[Row]:
    cells = [_cell(cl, name, header["text"]) for name, header in zip(cl.list_display, headers, strict=True)]
    return [Row(log, "".join([cell(log) for cell in cells])) for log in cl.result_list]


def _cell(cl: Any, name: str, title: str) -> Cell:
    if name == BOX:
        return _box()
    link = _link(cl) if name in cl.list_display_links else None
    tag = "th" if link else "td"
    classes = " ".join([f"field-{name}", *ROW_CLASSES])
    before, after = f'<{tag} class="{classes}" data-label="{escape(title)}">', f"</{tag}>"
    show, empty = getattr(cl.model_admin, name), cl.model_admin.get_empty_value_display()

    def plain(log: Model) -> str:
        return f"{before}{quickly_escaped(display_for_value(show(log), empty))}{after}"

    def linked(log: Model) -> str:
        text = quickly_escaped(display_for_value(show(log), empty))
        return f"{before}{link(log)}{text}</a>{after}" if link else ""

    return linked if link else plain


def _box() -> Cell:
    classes, title = " ".join(CHECKBOX_CLASSES), escape(gettext("Select record"))
    before, _, after = str(checkbox.render(ACTION_CHECKBOX_NAME, ANY)).partition(f'value="{ANY}"')
    before = f'<td class="{classes}" data-label="{title}">{before}value="'
    return lambda log: f'{before}{log.pk}"{after}</td>'


def _link(cl: Any) -> Cell:
    """Leads to the call, and remembers the list."""
    path = reverse(ADDRESS, args=[ANY], current_app=cl.model_admin.admin_site.name)
    given = {"preserved_filters": cl.preserved_filters, "opts": cl.opts}
    before, _, after = path.rpartition(f"/{ANY}/")
    query = escape(add_preserved_filters(given, path).removeprefix(path))
    classes = " ".join(LINK_CLASSES)
    return lambda log: f'<a href="{before}/{log.pk}/{after}{query}" class="{classes}" >'
