"""The thumbs and the note below an answer, wherever one is shown."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from llm_admin.admin.base import actor_of
from llm_admin.models import InteractionLog
from llm_admin.selectors import feedback as selected
from llm_admin.services import feedback


def urls(wrap: Any) -> list[URLPattern]:
    return [path("feedback/", wrap(give), name="llm_admin_feedback")]


@require_POST
def give(request: HttpRequest) -> HttpResponse:
    """`log` or `run`; `value` up, down, or nothing (takes it back); `note` is left as it is when it is not sent."""
    actor = actor_of(request)
    actor.require("view_interactionlog")
    subject = feedback.find(actor=actor, log_id=request.POST.get("log"), run_id=request.POST.get("run"))
    if value := request.POST.get("value", ""):
        feedback.give(actor=actor, subject=subject, value=value, note=request.POST.get("note"))
    else:
        feedback.remove(actor=actor, subject=subject)
    return render(request, "llm_admin/feedback/_box.html", box(request, subject) | {"fresh": True})


def box(request: HttpRequest, subject: feedback.Subject) -> dict[str, Any]:
    """What the template needs; see also templatetags/llm_feedback.py."""
    is_log = isinstance(subject, InteractionLog)
    which: dict[str, Any] = {"logs": [subject.pk]} if is_log else {"runs": [subject.pk]}
    given = selected.given(request.user, **which).get(selected.key_of(subject), selected.Given())
    return {"given": given, "name": "log" if is_log else "run", "subject": subject}
