"""Cells of the prompt list. Made without templates: fifty rows of two templates each were a good part of the page."""

from __future__ import annotations

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from llm_admin.models import Prompt

ICON = mark_safe('<span class="material-symbols-outlined" aria-hidden="true">folder</span>')
HEIGHT, STEP, WIDTH = 20, 10, 70


def name(prompt: Prompt) -> SafeString:
    under = format_html('<span class="llm-under">{}</span>', prompt.description) if prompt.description else ""
    return format_html('<span class="llm-list-name">{}</span>{}{}', prompt.name, under, _shelf(prompt))


def _shelf(prompt: Prompt) -> SafeString | str:
    tags = format_html_join("", '<span class="llm-chip">{}</span>', ((tag.name,) for tag in prompt.tags.all()))
    if not (prompt.folder or tags):
        return ""
    place = '<span class="llm-list-folder">{}<span class="llm-sr">in the folder </span>{}</span>'
    folder = format_html(place, ICON, prompt.folder) if prompt.folder else ""
    return format_html('<span class="llm-list-shelf">{}{}</span>', folder, tags)


def calls(total: int, days: list[int]) -> SafeString | str:
    """With a bar a day, and what they say in words."""
    if not total:
        return "–"
    most = max(days) or 1
    heights = [(number * STEP, round(count / most * (HEIGHT - 2), 1)) for number, count in enumerate(days) if count]
    bar = '<rect x="{}" y="{}" width="8" height="{}" rx="1"></rect>'
    bars = format_html_join("", bar, ((x, round(HEIGHT - height, 1), height) for x, height in heights))
    said = f"Calls a day, oldest first: {', '.join(map(str, days))}"
    return format_html(
        '<span class="llm-list-calls"><span>{}</span><svg class="llm-spark" viewBox="0 0 {} {}" width="{}" height="{}" '
        'role="img" aria-label="{}"><title>{}</title>{}</svg></span>',
        *(total, WIDTH, HEIGHT, WIDTH, HEIGHT, said, said, bars),
    )
