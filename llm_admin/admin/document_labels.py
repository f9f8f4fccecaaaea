"""The labels of a document: where each is, moving it, how it came there, and what it said at a moment."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_GET, require_POST

from llm_admin.admin import playground
from llm_admin.admin.document_pages import DocumentPages, links, say_moved
from llm_admin.admin.document_versions import picker
from llm_admin.admin.log_links import logs_url
from llm_admin.exceptions import InvalidInput
from llm_admin.models import LIVE, label_title
from llm_admin.schemas.diffs import changes
from llm_admin.selectors import label_history
from llm_admin.selectors.usage import UsageFilter
from llm_admin.services import documents, label_moves, labels
from llm_admin.services.actors import Actor

PER_PAGE = 30
YEARS = range(2000, 2101)


class LabelPages(DocumentPages):
    def urls(self, wrap: Any) -> list[URLPattern]:
        name = f"llm_admin_{self.noun}"
        return [
            path("<int:pk>/labels/", wrap(self.labels), name=f"{name}_labels"),
            path("<int:pk>/labels/move/", wrap(self.move), name=f"{name}_label_move"),
            path("<int:pk>/labels/remove/", wrap(self.remove), name=f"{name}_label_remove"),
            path("<int:pk>/labels/undo/", wrap(self.undo), name=f"{name}_label_undo"),
            path("<int:pk>/at/", wrap(self.at), name=f"{name}_at"),
        ]

    @method_decorator(require_GET)
    def labels(self, request: HttpRequest, pk: int) -> HttpResponse:
        actor, document = self._found(request, pk)
        return self._labels_page(request, actor, document)

    def _labels_page(
        self, request: HttpRequest, actor: Actor, document: Any, status: int = 200, **refused: Any
    ) -> HttpResponse:
        page = Paginator(label_history.events_of(document), PER_PAGE).get_page(request.GET.get("page"))
        undoable = label_history.undoable(document)
        events = [
            {
                "row": event,
                "title": label_title(event.name),
                "undo": event.pk in undoable and label_moves.may_move(actor, self.noun, event.name),
            }
            for event in page
        ]
        context = {
            "title": f"Labels of {document}",
            "rows": _label_rows(document, actor, self.noun),
            "events": events,
            "page": page,
            "choices": picker(document),
            "may_label": actor.may(f"publish_{self.noun}"),
            "names": _names(document),
            "at": _local(timezone.now()),
        }
        return self._page(request, "labels.html", document, context | refused, status)

    @method_decorator(require_POST)
    def move(self, request: HttpRequest, pk: int) -> HttpResponse:
        actor, document = self._found(request, pk)
        label, reason = request.POST.get("label", ""), request.POST.get("reason", "")
        number = playground.whole(request.POST.get("number", ""))
        try:
            event = labels.move(document, actor=actor, label=label, number=number, reason=reason)
        except InvalidInput as error:
            refused = {"problem": error.problems[0].message, "new_label": label, "new_reason": reason}
            return self._labels_page(request, actor, document, 422, **refused)
        title = label_title(labels.clean_name(label))
        if event is None:
            messages.info(request, f"{title} is at v{number} already.")
        else:
            say_moved(request, document, event.name, f"{title} is v{number} now.")
        return redirect(links(document)["labels"])

    @method_decorator(require_POST)
    def remove(self, request: HttpRequest, pk: int) -> HttpResponse:
        actor, document = self._found(request, pk)
        reason = request.POST.get("reason", "")
        event = labels.remove(document, actor=actor, label=request.POST.get("label", ""), reason=reason)
        title = label_title(event.name)
        gone = f"No version is {title} now." if event.name == LIVE else f"The label {title} is removed."
        say_moved(request, document, event.name, gone)
        return redirect(links(document)["labels"])

    @method_decorator(require_POST)
    def undo(self, request: HttpRequest, pk: int) -> HttpResponse:
        actor, document = self._found(request, pk)
        event = labels.undo(document, actor=actor, event_id=playground.whole(request.POST.get("event", "")))
        title = label_title(event.name)
        now = f"is v{event.to_number} again" if event.to_number else "is at no version again"
        messages.success(request, f"Undone: {title} {now}.")
        return redirect(links(document)["labels"])

    @method_decorator(require_GET)
    def at(self, request: HttpRequest, pk: int) -> HttpResponse:
        """`?label=production&at=2026-05-03T14:00`, in the time zone of the console."""
        _, document = self._found(request, pk)
        label, raw = request.GET.get("label") or LIVE, request.GET.get("at", "")
        asked = {"label": label, "label_title": label_title(label), "at": raw, "names": _names(document, label)}
        asked |= {"title": f"What did {label_title(label)} say?"}
        moment = moment_of(raw) if raw else timezone.now()
        if moment is None:
            problem = "Give a day and a time, such as 2026-05-03 14:00."
            return self._page(request, "at.html", document, asked | {"problem": problem}, 422)
        held = label_history.held_at(document, moment, label)
        texts = changes(None, documents.spec_of(held.version)) if held.version else []
        context = {"at": _local(moment), "moment": moment, "held": held, "texts": texts}
        context |= {"logs": logs_url(_day(document, self.noun, moment)), "future": moment > timezone.now()}
        return self._page(request, "at.html", document, asked | context)


def moment_of(text: str) -> dt.datetime | None:
    try:
        moment = parse_datetime(text.strip())
    except ValueError:
        return None
    if moment is None or moment.year not in YEARS:
        return None
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def _local(moment: dt.datetime) -> str:
    """As a field for a day and a time wants it."""
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M")


def _day(document: Any, noun: str, moment: dt.datetime) -> UsageFilter:
    day = timezone.localtime(moment).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    since, until = (timezone.make_aware(one) for one in (day, day + dt.timedelta(days=1)))
    return UsageFilter(since=since, until=until, **{noun: document.pk})


def _names(document: Any, *more: str) -> list[tuple[str, str]]:
    """Every label that was ever used here, and Live."""
    found = {LIVE, *more, *document.label_events.order_by().values_list("name", flat=True).distinct()}
    return [(name, label_title(name)) for name in sorted(found, key=_live_first)]


def _label_rows(document: Any, actor: Actor, noun: str) -> list[dict[str, Any]]:
    """Live first, also when it is nowhere."""
    rows = {row.name: row for row in document.labels.select_related("version").defer("version__spec")}
    return [
        {
            "name": name,
            "title": label_title(name),
            "row": rows.get(name),
            "number": rows[name].version.number if name in rows else None,
            "protected": name in actor.workspace.protected,
            "may_move": label_moves.may_move(actor, noun, name),
        }
        for name in sorted({LIVE, *rows}, key=_live_first)
    ]


def _live_first(name: str) -> tuple[bool, str]:
    return name != LIVE, name
