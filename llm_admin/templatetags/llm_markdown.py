"""Markdown of models as safe HTML: no HTML of theirs, no images (which would tell another server who reads), no
addresses but of the web and of mail."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import nh3
from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

register = template.Library()
LONGEST = 100_000  # characters; a longer text is shown as it is
TAGS = {
    "p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "strong",
    "em", "del", "s", "a", "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}


@lru_cache(maxsize=1)
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    made = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    return made.disable("image")


@register.filter
def as_html(text: str) -> SafeString:
    if len(text) > LONGEST:
        return format_html('<div class="llm-answer">{}</div>', text)
    clean = nh3.clean(
        _markdown().render(text),
        tags=TAGS,
        attributes=ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(f'<div class="llm-markdown">{_lower_headings(clean)}</div>')  # noqa: S308 - cleaned just above


def _lower_headings(html: str) -> str:
    """A heading of an answer is none of the page: read out, it would look like one."""
    for level in range(6, 0, -1):
        html = html.replace(f"<h{level}>", '<p class="llm-markdown-title">').replace(f"</h{level}>", "</p>")
    return html
