"""One call as people read it: its messages as they were meant, or exactly as they were."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.safestring import SafeString

from llm_admin.admin import prompt_from_log
from llm_admin.admin.base import actor_of
from llm_admin.admin.log_params import read
from llm_admin.models import InteractionLog
from llm_admin.selectors import log_pages, logs
from llm_admin.selectors.traces import Call
from llm_admin.templatetags.llm_markdown import as_html

ROLES = {"human": "User", "ai": "Assistant"}  # as LangChain calls them
MOST = 2**63
PAGE = "admin:llm_admin_interactionlog_change"


@dataclass(frozen=True)
class Shown:
    """One message, or the answer. `data`: it is JSON, which is folded; otherwise it is read as Markdown."""

    role: str
    text: str

    @property
    def title(self) -> str:
        return ROLES.get(self.role, self.role.capitalize() or "Message")

    @cached_property
    def data(self) -> Any:
        text = self.text.strip()
        if text[:1] not in "{[" or not text:
            return None
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return None
        return json.dumps(found, ensure_ascii=False, indent=2) if found else None

    @property
    def html(self) -> SafeString | str:
        return as_html(self.text)


def shown(call: Call) -> list[Shown]:
    given = call.text.messages if call.text else []
    found = []
    for one in given if isinstance(given, list) else []:
        role, content = (str(one.get("role", "")), one.get("content")) if isinstance(one, dict) else ("", one)
        found.append(Shown(role, content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)))
    return found


def page(model_admin: Any, request: HttpRequest, object_id: str) -> HttpResponse:
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET"])
    actor = actor_of(request)
    actor.require("view_interactionlog")
    log = model_admin.get_object(request, object_id)
    if log is None:
        return model_admin._get_obj_does_not_exist_redirect(request, model_admin.opts, object_id)
    call = logs.call(log)
    raw = request.GET.get("view") == "raw"
    here = request.GET.get("_changelist_filters", "")
    context = {
        **model_admin.admin_site.each_context(request),
        "title": logs.name_of(log),
        "opts": model_admin.opts,
        "original": log,
        "log": log,
        "call": call,
        "messages_shown": shown(call),
        "answer": Shown("assistant", call.text.answer) if call.text and call.text.answer else None,
        "raw": raw,
        "record": _record(log, call) if raw else "",
        "parameters": logs.parameters_of(call.text),
        "detail": logs.detail_of(log),
        "advice": logs.advice_of(log),
        "studio_url": prompt_from_log.address(actor, log, has_text=call.text is not None),
        "list_query": here,
    }
    return TemplateResponse(request, "llm_admin/logs/detail.html", context)


def _record(log: InteractionLog, call: Call) -> str:
    """Everything that is stored, as it is."""
    fields = {field.attname: getattr(log, field.attname) for field in log._meta.concrete_fields}
    text = call.text
    texts = (
        {"messages": text.messages, "answer": text.answer, "error": text.error, "parameters": text.parameters}
        if text
        else None
    )
    return json.dumps({**fields, "texts": texts}, ensure_ascii=False, indent=2, default=str)


def urls(model_admin: Any, wrap: Any) -> list[Any]:
    def beside(request: HttpRequest, pk: int, side: str) -> HttpResponse:
        actor_of(request).require("view_interactionlog")
        log = model_admin.get_queryset(request).filter(pk=pk).first() if pk < MOST else None
        if log is None:
            raise Http404
        return neighbour(request, log, newer=side == "newer")

    return [
        path(f"<int:pk>/{side}/", wrap(beside), {"side": side}, name=f"llm_admin_log_{side}")
        for side in ("newer", "older")
    ]


def neighbour(request: HttpRequest, log: InteractionLog, *, newer: bool) -> HttpResponse:
    """To the next call of the list that somebody came from; looked for only when asked for."""
    actor = actor_of(request)
    actor.require("view_interactionlog")
    here = request.GET.get("_changelist_filters", "")
    try:
        query = replace(read(QueryDict(here), actor), order="time")
    except IncorrectLookupParameters:
        query, here = read(QueryDict(), actor), ""
    found = log_pages.page(query, size=1, begin=(log.created_at, log.pk), newer=newer).keys
    if found:
        more = f"?{urlencode({'_changelist_filters': here})}" if here else ""
        return redirect(reverse(PAGE, args=[found[0][1]]) + more)
    messages.info(request, f"There is no {'newer' if newer else 'older'} call in this list.")
    return redirect(f"{reverse('admin:llm_admin_interactionlog_changelist')}?{here or 'view=0'}")
