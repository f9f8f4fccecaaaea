"""The piece of a call's text in which it was found, with the words that were looked for marked."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from llm_admin.models import InteractionText
from llm_admin.selectors import log_words
from llm_admin.selectors.log_words import Match, Term

BEFORE, LENGTH = 40, 200  # characters
LOOKED_AT = (4_000, 200_000)  # most texts have it at their beginning


def snippet(text: InteractionText | None, terms: Sequence[Term]) -> SafeString | str:
    """ "" where nothing is marked: only words that must not occur were given, or the text is gone."""
    if text is None:
        return ""
    for one in log_words.texts_of(text.messages, text.answer, text.error):
        for most in LOOKED_AT:
            plain = unicodedata.normalize("NFC", one[:most])
            found = log_words.found_in(terms, plain)
            whole = len(one) <= most or most == LOOKED_AT[-1]
            if found and (whole or found[0].end + LENGTH < len(plain)):  # a word at the cut may go on behind it
                return _marked(plain, found)
            if whole:
                break
    return ""


def _marked(text: str, found: Sequence[Match]) -> SafeString:
    start = max(0, found[0].start - BEFORE)
    end = max(min(len(text), start + LENGTH), found[0].end)
    parts, at = ["…" if start else ""], start
    for match in found:
        if match.end > end:
            break
        parts += [escape(text[at : match.start]), "<mark>", escape(text[match.start : match.end]), "</mark>"]
        at = match.end
    parts += [escape(text[at:end]), "…" if end < len(text) else ""]
    return mark_safe("".join(parts))  # noqa: S308 - every part of the text is escaped
