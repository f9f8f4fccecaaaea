"""The timeline of versions, what differs between any two, and the look at it before saving."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_GET, require_POST

from llm_admin.admin import playground
from llm_admin.admin.document_pages import DocumentPages, link, parts
from llm_admin.admin.document_saving import DocumentForm, Draft, live_version
from llm_admin.models import LIVE, label_title
from llm_admin.schemas.diffs import changes
from llm_admin.schemas.word_diffs import Change
from llm_admin.selectors import feedback, version_numbers
from llm_admin.services import documents, label_moves
from llm_admin.services.actors import Actor

PER_PAGE = 30
CHOICES = 200  # versions that a picker offers; others are reached by the timeline


class VersionPages(DocumentPages):
    def __init__(self, form: DocumentForm) -> None:
        super().__init__(form.family)
        self.form = form

    def urls(self, wrap: Any) -> list[URLPattern]:
        name = f"llm_admin_{self.noun}"
        return [
            path("<int:pk>/review/", wrap(self.review), name=f"{name}_review"),
            path("<int:pk>/versions/", wrap(self.timeline), name=f"{name}_versions"),
            path("<int:pk>/diff/", wrap(self.diff), name=f"{name}_diff"),
        ]

    @method_decorator(require_GET)
    def timeline(self, request: HttpRequest, pk: int) -> HttpResponse:
        actor, document = self._found(request, pk)
        shown = Paginator(_rows(document), PER_PAGE).get_page(request.GET.get("page"))
        numbers = version_numbers.of_versions(document)
        said = feedback.of_versions(document, shown)
        rows = [
            row | {"numbers": numbers.get(row["row"].pk), "feedback": said.get(row["row"].pk)}
            for row in with_labels(shown)
        ]
        context = {"title": f"Versions of {document}", "versions": rows, "page": shown, "counted": True}
        return self._page(request, "timeline.html", document, context | permissions(actor, self.noun))

    @method_decorator(require_GET)
    def diff(self, request: HttpRequest, pk: int) -> HttpResponse:
        """`?from=3&to=5`; from 0: nothing. By default what the newest one changed."""
        actor, document = self._found(request, pk)
        newest = document.last_number
        number = playground.whole(request.GET.get("to", "")) or newest
        base = playground.whole(request.GET.get("from", str(number - 1)))
        after = documents.version_of(document, number=number)
        before = documents.version_of(document, number=base) if base else None
        found = changes(documents.spec_of(before) if before else None, documents.spec_of(after))
        context = {
            "title": f"{document}: v{base} and {after}" if before else f"{document}: {after}",
            "before": before,
            "after": after,
            "newest": newest,
            "feedback": feedback.said(document, before, after),
            "parts": parts(found),
            "choices": picker(document, before, after),
        }
        return self._page(request, "diff.html", document, context | permissions(actor, self.noun))

    @method_decorator(require_POST)
    def review(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What saving the form would change; nothing is saved. What is wrong with it answers with 422."""
        actor, document = self._found(request, pk, "change")
        draft = self.form.posted(request, document)
        spec = self.form.checked(actor, document, draft)
        base = documents.version_of(document, number=min(draft.based_on, document.last_number) or document.last_number)
        found = [*_named(document, draft), *changes(documents.spec_of(base), spec)]
        live = live_version(document)
        context = {
            "document": document,
            "noun": self.noun,
            "draft": draft,
            "base": base,
            "newest": document.last_number,
            "live": live,
            "parts": parts(found),
            "intent": request.POST.get("intent", ""),
            "publishable": label_moves.may_move(actor, self.noun, LIVE) and (found or live != base),
            "links": {"diff": link(document, "diff", **{"from": base.number, "to": document.last_number})},
        }
        return render(request, "llm_admin/versions/_review.html", context)


def shown_versions(document: Any) -> dict[str, Any]:
    """For the card below the studio."""
    if document is None:
        return {"versions": [], "live": None}
    rows = with_labels(_rows(document)[:PER_PAGE])
    more = document.last_number > PER_PAGE
    return {"versions": rows, "live": live_version(document), "older_versions": more}


def permissions(actor: Actor, noun: str) -> dict[str, bool]:
    return {"may_save": actor.may(f"change_{noun}"), "may_label": actor.may(f"publish_{noun}")}


def _rows(document: Any) -> Any:
    return document.versions.select_related("created_by").prefetch_related("labels").defer("spec")


def with_labels(versions: Any) -> list[dict[str, Any]]:
    return [
        {
            "row": row,
            "before": row.number - 1,
            "labels": [label_title(label.name) for label in row.labels.all()],
            "is_live": any(label.name == LIVE for label in row.labels.all()),
        }
        for row in versions
    ]


def picker(document: Any, *chosen: Any) -> list[tuple[int, str]]:
    """(number, words), newest first, with those that are shown."""
    rows = dict(document.versions.values_list("number", "note")[:CHOICES])
    rows |= {version.number: version.note for version in chosen if version}
    return [(number, f"v{number}" + (f" – {note[:60]}" if note else "")) for number, note in sorted(rows.items())[::-1]]


def _named(document: Any, draft: Draft) -> list[Change]:
    pairs = (
        ("Name", document.name, " ".join(draft.name.split())),
        ("Description", document.description, draft.description),
    )
    return [Change(title, old, new) for title, old, new in pairs if old != new]
