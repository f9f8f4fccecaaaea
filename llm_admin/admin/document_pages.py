"""What the pages around a studio share: finding the document, asking for rights, links, and texts made comparable."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.models import label_title
from llm_admin.schemas.word_diffs import Change, Piece, words
from llm_admin.selectors import label_history
from llm_admin.services.actors import Actor
from llm_admin.services.families import Family, family_of

PAGES = ("change", "delete", "restore", "runs", "review", "versions", "diff", "labels", "label_move", "label_remove",
         "label_undo", "at", "publish")  # fmt: skip
SECONDS = 2.0  # for all differences of a page together
FOLDED_FROM, KEPT = 40, 12  # words that are the same
_WORD = re.compile(r"\S+\s*")


class DocumentPages:
    """Views of one family of documents."""

    def __init__(self, family: Family) -> None:
        self.family = family

    @property
    def noun(self) -> str:
        return self.family.noun

    def _found(self, request: HttpRequest, pk: int, permission: str = "view") -> tuple[Actor, Any]:
        actor = actor_of(request)
        document = find_or_404(request, self.family.document, pk)
        actor.require(f"{permission}_{self.noun}")
        return actor, document

    def _page(
        self, request: HttpRequest, template: str, document: Any, context: dict[str, Any], status: int = 200
    ) -> HttpResponse:
        shared = {
            **admin.site.each_context(request),
            "opts": self.family.document._meta,
            "document": document,
            "noun": self.noun,
            "links": links(document),
        }
        return TemplateResponse(request, f"llm_admin/versions/{template}", shared | context, status=status)


def links(document: Any) -> dict[str, str]:
    noun = family_of(document).noun
    return {name: reverse(f"admin:llm_admin_{noun}_{name}", args=[document.pk]) for name in PAGES}


def link(document: Any, name: str, **query: Any) -> str:
    return links(document)[name] + (f"?{urlencode(query)}" if query else "")


def say_moved(request: HttpRequest, document: Any, label: str, text: str) -> None:
    """A message with a button that undoes the newest move of the label."""
    context = {
        "text": text,
        "event": label_history.newest_event(document, label),
        "title": label_title(label),
        "undo": links(document)["label_undo"],
    }
    messages.success(request, render_to_string("llm_admin/versions/_moved.html", context, request=request))


@dataclass(frozen=True)
class Shown:
    """A stretch of a text: same, removed, added, or folded (the same, and long); `count`: its words."""

    operation: str
    text: str
    count: int = 0


@dataclass(frozen=True)
class Part:
    title: str
    kind: str
    shown: list[Shown]
    added: int
    removed: int


def parts(changes: Iterable[Change]) -> list[Part]:
    """Slow texts share the time limit; what it does not suffice for is shown as replaced."""
    ends = time.monotonic() + SECONDS
    found = []
    for change in changes:
        left = max(0.02, min(1.0, ends - time.monotonic()))
        pieces = words(change.before or "", change.after or "", seconds=left)
        counts = {
            operation: sum(len(p.text.split()) for p in pieces if p.operation == operation)
            for operation in ("added", "removed")
        }
        found.append(Part(change.title, change.kind, list(_shown(pieces)), counts["added"], counts["removed"]))
    return found


def _shown(pieces: list[Piece]) -> Iterator[Shown]:
    for at, piece in enumerate(pieces):
        if piece.operation != "same":
            text = piece.text if piece.text.strip() else _visible(piece.text)
            yield Shown(piece.operation, text)
            continue
        yield from _folded(piece.text, head=KEPT if at else 0, tail=KEPT if at < len(pieces) - 1 else 0)


def _folded(text: str, *, head: int, tail: int) -> Iterator[Shown]:
    matches = list(_WORD.finditer(text))
    if len(matches) < FOLDED_FROM + head + tail:
        yield Shown("same", text)
        return
    start = matches[head].start() if head else 0
    end = matches[-tail].start() if tail else len(text)
    if start:
        yield Shown("same", text[:start])
    yield Shown("folded", text[start:end], len(matches) - head - tail)
    if end < len(text):
        yield Shown("same", text[end:])


def _visible(blank: str) -> str:
    return blank.replace(" ", "␣").replace("\t", "⇥").replace("\n", "↵\n")
