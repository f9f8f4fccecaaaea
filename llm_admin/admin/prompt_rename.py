"""A variable gets another name: choose, look at everything that would change, apply."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.prompt_pages import answer, place_of
from llm_admin.exceptions import Conflict, InvalidInput
from llm_admin.models import Prompt
from llm_admin.services import documents, variable_rename
from llm_admin.services.actors import Actor


@require_http_methods(["GET", "POST"])
def rename_variable(request: HttpRequest, pk: int) -> HttpResponse:
    """GET with `name` and `new` shows the plan; POST carries out the plan that was shown."""
    prompt: Prompt = find_or_404(request, Prompt, pk)
    actor = actor_of(request)
    actor.require("change_prompt")
    sent = request.POST if request.method == "POST" else request.GET
    given = {"old": sent.get("name", ""), "new": sent.get("new", "").strip()}
    conflict = ""
    if request.method == "POST":
        try:
            done = variable_rename.apply(prompt, actor=actor, fingerprint=sent.get("fingerprint", ""), **given)
        except InvalidInput as error:
            return _page(request, prompt, given, problems=place_of(error, "new"))
        except Conflict as error:
            conflict = str(error)
        else:
            messages.success(request, _done(done))
            return redirect("admin:llm_admin_prompt_change", prompt.pk)
    if conflict or "new" in sent:
        return _planned(request, find_or_404(request, Prompt, pk), actor, given, conflict)
    return _page(request, prompt, given)


def _planned(request: HttpRequest, prompt: Prompt, actor: Actor, given: dict[str, str], conflict: str) -> HttpResponse:
    try:
        plan = variable_rename.plan(prompt, actor=actor, **given)
    except InvalidInput as error:
        return _page(request, prompt, given, problems=place_of(error, "new"), conflict=conflict)
    return _page(request, prompt, given, plan=plan, conflict=conflict)


def _page(request: HttpRequest, prompt: Prompt, given: dict[str, str], **more: Any) -> HttpResponse:
    variables = documents.spec_of(documents.newest(prompt)).variables
    context = {"title": "Rename a variable", "given": given, "variables": variables, **more}
    return answer(request, prompt, "rename_variable", context, status=409 if more.get("conflict") else 0)


def _done(plan: variable_rename.RenamePlan) -> str:
    parts = [f"{len(plan.versions)} new version{'s' if len(plan.versions) != 1 else ''}"]
    if plan.workflows:
        names = ", ".join(f"“{workflow}”" for workflow in plan.workflows)
        parts.append(f"also of {names}")
    return f"“{plan.old}” is “{plan.new}” now: {', '.join(parts)}."
