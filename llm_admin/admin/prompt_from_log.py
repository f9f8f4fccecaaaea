"""“Open in studio” on a log: its messages, variables, values, model and settings stand in the editor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from llm_admin.admin import playground
from llm_admin.admin.base import actor_of, find
from llm_admin.admin.input_forms import form_values
from llm_admin.models import InteractionLog
from llm_admin.selectors import log_prompts, logs
from llm_admin.services.actors import Actor

if TYPE_CHECKING:
    from llm_admin.admin.document_studio import Page

UNKEPT = "The texts of this call were not kept, so there is nothing to fill in."
NO_VALUES = "The values of this call's variables were not kept. Fill them in under “Try it”."


def address(actor: Actor, log: InteractionLog, *, has_text: bool) -> str:
    """Of the studio with this call in it, or "" where this person may not, or nothing is left to open."""
    if log.prompt_id and log.prompt is not None:
        if not actor.may("view_prompt"):
            return ""
        given = {"version": log.prompt_version.number} if log.prompt_version else {}
        change = reverse("admin:llm_admin_prompt_change", args=[log.prompt_id])
        return f"{change}?{urlencode({**given, 'from_log': log.pk})}"
    if not actor.may("add_prompt") or not has_text:
        return ""
    return f"{reverse('admin:llm_admin_prompt_add')}?{urlencode({'from_log': log.pk})}"


def state(page: Page) -> dict[str, Any]:
    """What the page's script begins with instead: `spec`, and `fromLog` (values and model, which win over older)."""
    if page.request.method != "GET" or "from_log" not in page.request.GET:
        return {}
    log = _log(page.request)
    found = log_prompts.opened(log, prompt=page.document, call=logs.call(log))
    if found is None:
        messages.warning(page.request, UNKEPT)
        return {}
    if found.values is None:
        messages.warning(page.request, NO_VALUES)
    filled = form_values(found.spec.variables, found.values or {})
    return {"spec": found.spec.model_dump(mode="json"), "fromLog": {**filled, "model": found.model}}


def _log(request: HttpRequest) -> InteractionLog:
    """As the log's own page finds it: one of somebody else is not found."""
    actor = actor_of(request)
    actor.require("view_interactionlog")
    number = playground.whole(request.GET.get("from_log", ""))
    log = find(request, InteractionLog, number) if number else None
    if log is None or not (actor.may("view_all_runs") or log.user_id == request.user.pk):
        raise Http404
    return InteractionLog.objects.select_related(*logs.DETAILED).get(pk=log.pk)
