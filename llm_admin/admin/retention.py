"""On the settings page: what would be removed, what was, and the button that does it now."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST, require_safe

from llm_admin.admin.base import actor_of
from llm_admin.choices import PruneStatus
from llm_admin.exceptions import Conflict, InvalidInput
from llm_admin.models import PruneRecord
from llm_admin.services import retention, retention_preview
from llm_admin.services.workspace_settings import MOST_DAYS

SHOWN = 10
SETTINGS = "admin:llm_admin_workspace_settings"


def urls(wrap: Any) -> list[URLPattern]:
    return [
        path("retention/", wrap(history), name="llm_admin_retention"),
        path("retention/preview/", wrap(preview), name="llm_admin_retention_preview"),
        path("retention/remove/", wrap(remove), name="llm_admin_retention_remove"),
    ]


@require_safe
def preview(request: HttpRequest) -> HttpResponse:
    """Of what stands in the form, saved or not: ?keep_texts_days=30&keep_logs_days="""
    actor = actor_of(request)
    actor.require("change_workspace")
    given = {name: request.GET.get(name, "").strip() for name in ("keep_texts_days", "keep_logs_days")}
    context: dict[str, Any] = {"saved": _saved(actor.workspace) == given, "most": f"{MOST_DAYS:,}"}
    if not any(given.values()):
        context["keeps_all"] = True
    elif all(_is_days(text) for text in given.values() if text):
        days = [int(text) if text else None for text in given.values()]
        context["found"] = retention_preview.preview(actor=actor, texts_days=days[0], logs_days=days[1])
    return render(request, "llm_admin/retention/_preview.html", context)


def _is_days(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 8 and 1 <= int(text) <= MOST_DAYS


def _saved(workspace: Any) -> dict[str, str]:
    days = {"keep_texts_days": workspace.keep_texts_days, "keep_logs_days": workspace.keep_logs_days}
    return {name: "" if number is None else str(number) for name, number in days.items()}


@require_safe
def history(request: HttpRequest) -> HttpResponse:
    actor_of(request).require("change_workspace")
    records = list(PruneRecord.objects.select_related("user")[:SHOWN])
    rows = [(record, retention.sentence(record)) for record in records]
    running = any(record.status == PruneStatus.RUNNING for record in records)
    return render(request, "llm_admin/retention/_history.html", {"rows": rows, "running": running})


@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    try:
        retention.start(actor=actor_of(request))
    except (Conflict, InvalidInput) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Old texts and rows are being removed. What was done stands below the settings.")
    return redirect(SETTINGS)
