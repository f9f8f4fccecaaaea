"""What is done with many calls at once: a file of them, or deleting them. Of those that are ticked, or of all that
the list's address means."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.handlers.asgi import ASGIRequest
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from llm_admin.admin.base import actor_of
from llm_admin.admin.batch_exports import _in_threads
from llm_admin.admin.batch_new import CSV, XLSX
from llm_admin.admin.log_params import asked, kept, moment
from llm_admin.exceptions import InvalidInput
from llm_admin.selectors import log_pages
from llm_admin.selectors.log_query import LogQuery
from llm_admin.services import log_deleting, log_exports

LIST = "admin:llm_admin_interactionlog_changelist"
COUNTED = 10_000
AT_ONCE = 20_000  # calls that one press of the button deletes
JSONL = "application/x-ndjson"
Answer = Callable[..., HttpResponseBase]


def urls(model_admin: Any, wrap: Any) -> list[Any]:
    def delete(request: HttpRequest) -> HttpResponseBase:
        return delete_matching(model_admin, request)

    return [
        *(
            path(f"export/{kind}/", wrap(_export_of(kind)), name=f"llm_admin_log_export_{kind}")
            for kind in log_exports.KINDS
        ),
        path("delete/", wrap(require_http_methods(["GET", "POST"])(delete)), name="llm_admin_log_delete"),
    ]


def actions(request: HttpRequest) -> dict[str, tuple[Answer, str, str]]:
    found = {f"export_{kind}": (_action(kind), f"export_{kind}", f"Export as {kind.upper()}")
             for kind in log_exports.KINDS}  # fmt: skip
    if actor_of(request).may("delete_interactionlog"):
        found["delete_calls"] = (_delete_ticked, "delete_calls", "Delete…")
    return found


def _export_of(kind: str) -> Callable[[HttpRequest], HttpResponseBase]:
    @require_GET
    def export(request: HttpRequest) -> HttpResponseBase:
        actor_of(request).require("view_interactionlog")
        return _file(request, asked(request.GET, actor_of(request)), kind)

    return export


def _file(request: HttpRequest, query: LogQuery, kind: str) -> HttpResponseBase:
    """In the order of time, whatever the list's order is. What is called after the file began is not in it."""
    query = replace(query, until=min(query.until or timezone.now(), timezone.now()), order="time")
    name = f"calls-{timezone.localdate():%Y-%m-%d}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    if kind == "xlsx":
        file = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
        log_exports.write_xlsx(query, file)
        file.seek(0)
        return FileResponse(file, content_type=XLSX, headers=headers)
    parts = log_exports.csv_parts(query) if kind == "csv" else log_exports.jsonl_parts(query)
    body = _in_threads(parts) if isinstance(request, ASGIRequest) else parts
    content_type = CSV if kind == "csv" else JSONL
    # Compressing would hold the file back until it is whole.
    return StreamingHttpResponse(body, content_type=content_type, headers={**headers, "Content-Encoding": "identity"})


def _ticked(request: HttpRequest) -> LogQuery:
    """Among what this person may see at all. The list's own filters do not matter: a row that was ticked was there."""
    ids = [one for one in request.POST.getlist(ACTION_CHECKBOX_NAME) if one.isascii() and one.isdecimal()]
    return replace(asked(QueryDict(), actor_of(request)), ids=tuple(int(one) for one in ids if len(one) < 19))


def _action(kind: str) -> Answer:
    def act(model_admin: Any, request: HttpRequest, queryset: Any) -> HttpResponseBase:
        return _file(request, _ticked(request), kind)

    act.__name__ = f"export_{kind}"
    return act


def _delete_ticked(model_admin: Any, request: HttpRequest, queryset: Any) -> HttpResponseBase:
    actor_of(request).require("delete_interactionlog")
    query = _ticked(request)
    return _confirm(model_admin, request, query, here=request.GET, ids=query.ids)


def delete_matching(model_admin: Any, request: HttpRequest) -> HttpResponseBase:
    """GET asks, POST does. Only what was there when it was asked goes."""
    actor = actor_of(request)
    actor.require("delete_interactionlog")
    if request.method == "GET":
        return _confirm(model_admin, request, asked(request.GET, actor_of(request)), here=request.GET)
    here = QueryDict(request.POST.get("here", ""))
    ids = [one for one in request.POST.get("ids", "").split(",") if one.isascii() and one.isdecimal() and len(one) < 19]
    query = replace(asked(QueryDict(), actor_of(request)), ids=tuple(map(int, ids))) if ids else asked(here, actor)
    try:
        until = moment(request.POST.get("asked_at", ""))
    except IncorrectLookupParameters:
        raise InvalidInput("Open the page again: it does not say any more when you were asked.") from None
    query = replace(query, until=min(query.until or until, until), order="time")
    gone = log_deleting.delete(query, actor=actor, most=AT_ONCE)
    messages.success(request, f"{_calls(gone)} deleted, with their texts.")
    if gone >= AT_ONCE and not ids:
        return _confirm(model_admin, request, query, here=here)
    return redirect(f"{reverse(LIST)}?{here.urlencode() or 'view=0'}")


def _confirm(
    model_admin: Any, request: HttpRequest, query: LogQuery, *, here: QueryDict, ids: tuple[int, ...] | None = None
) -> HttpResponse:
    count, all_of_them = log_pages.count_upto(query, COUNTED)
    newest = log_pages.loaded(log_pages.page(replace(query, order="time"), size=5).ids, *("prompt", "workflow"))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": "Delete calls",
        "count": _calls(count) if all_of_them else f"At least {_calls(count)}",
        "any": bool(count),
        "some": newest,
        "here": here.urlencode(),
        "filtered": bool(kept(here)),
        "ids": ",".join(map(str, ids or ())),
        "asked_at": timezone.now().isoformat(),
        "back": f"{reverse(LIST)}?{here.urlencode()}",
    }
    return TemplateResponse(request, "llm_admin/logs/delete.html", context)


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count:,} calls"
