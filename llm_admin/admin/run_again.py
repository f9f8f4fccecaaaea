"""Running again what ran before, as it was or changed, and showing a run to colleagues."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_http_methods, require_POST
from pydantic import ValidationError

from llm_admin.admin import playground
from llm_admin.admin.base import ConsoleAdmin, actor_of
from llm_admin.admin.value_fields import fields_of
from llm_admin.exceptions import InvalidInput, NotFound, Problem
from llm_admin.models import Run
from llm_admin.schemas.plans import RunPlan
from llm_admin.services import answers, documents, repeating, runs


@dataclass(frozen=True)
class Versions:
    """`then` and `now`: what asks for inputs, in words. `not_now`: why it cannot run as it is now."""

    then: Any
    then_words: str
    now: Any = None
    now_words: str = ""
    not_now: str = ""


def urls(model_admin: ConsoleAdmin, wrap: Any) -> list[URLPattern]:
    @require_http_methods(["GET", "HEAD", "POST"])
    def page(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        return again(model_admin, request, pk)

    return [
        path("<uuid:pk>/again/", wrap(page), name="llm_admin_run_again"),
        path("<uuid:pk>/again-from/", wrap(again_from), name="llm_admin_run_again_from"),
        path("<uuid:pk>/share/", wrap(share), name="llm_admin_run_share"),
    ]


def again(model_admin: ConsoleAdmin, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """The form, filled with what went in then; a POST makes the new run and leads to its page."""
    run, actor = playground.run_or_404(request, pk), actor_of(request)
    actor.require(f"run_{run.kind}")
    versions = _versions(run)
    given = request.POST if request.method == "POST" else request.GET
    now = bool(given.get("now")) and versions.now is not None
    if request.method != "POST":
        typed = playground.posted_inputs(request.GET)
        return _form(model_admin, request, run, versions, now=now, inputs=run.inputs | typed)
    inputs = playground.posted_inputs(request.POST)
    try:
        key, cache = playground.client_key(request), playground.uses_cache(request)
        made = repeating.again(run, actor=actor, inputs=inputs, now=now, client_key=key, cache=cache)
    except (InvalidInput, NotFound) as error:
        problems = error.problems if isinstance(error, InvalidInput) else [Problem((), str(error))]
        return _form(model_admin, request, run, versions, now=now, inputs=inputs, problems=problems)
    return redirect("admin:llm_admin_run_change", made.pk)


def _form(
    model_admin: ConsoleAdmin,
    request: HttpRequest,
    run: Run,
    versions: Versions,
    *,
    now: bool,
    inputs: dict[str, Any],
    problems: Iterable[Problem] = (),
) -> HttpResponse:
    problems = list(problems)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "original": run,
        "title": "Run again",
        "run": run,
        "now": now,
        "then_words": versions.then_words,
        "now_words": versions.now_words,
        "not_now": versions.not_now,
        "client_key": request.POST.get("client_key") or uuid.uuid4().hex,
        "may_cache": bool(answers.applies(actor_of(request).workspace)),
        "problems": list(dict.fromkeys(playground.worded(problem) for problem in problems)),
        **fields_of([versions.now if now else versions.then], inputs, problems),
    }
    return TemplateResponse(request, "llm_admin/runs/again.html", context, status=422 if problems else 200)


def _versions(run: Run) -> Versions:
    """Raises InvalidInput when what ran was not kept."""
    try:
        plan = RunPlan.model_validate(run.spec) if run.spec else None
    except ValidationError:
        raise InvalidInput("What this run executed cannot be read any more: a type of step is not installed.") from None
    asks = plan and (plan.workflow or (plan.prompt and plan.prompt.spec))
    if not asks:
        raise InvalidInput(repeating.NOT_KEPT)
    version = run.prompt_version or run.workflow_version
    words = f"v{version.number}" if version else "unsaved text" if run.kind == "prompt" else "unsaved steps"
    document = run.prompt if run.kind == "prompt" else run.workflow
    if document is None:
        return Versions(_asking(asks), words, not_now=f"The {run.kind} itself is not saved, or deleted since.")
    try:
        live = documents.version_of(document)
    except NotFound:
        return Versions(_asking(asks), words, not_now=f"“{document}” has no Live version now.")
    return Versions(_asking(asks), words, _asking(documents.spec_of(live)), f"Live, v{live.number}")


def _asking(spec: Any) -> Any:
    """What `fields_of` wants to know, of a prompt or a workflow."""
    variables = spec.inputs if hasattr(spec, "steps") else spec.variables
    return SimpleNamespace(variables=variables, placeholders=getattr(spec, "placeholders", []))


@require_POST
def again_from(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    """From a step on: what stands before it is kept."""
    run = playground.run_or_404(request, pk)
    start, key = request.POST.get("start", ""), playground.client_key(request)
    if not start:
        raise InvalidInput("Say from which step on.")
    key = f"{key[:40]}:{start}"[:64] if key else None
    made = repeating.again(run, actor=actor_of(request), start=start, client_key=key)
    return redirect("admin:llm_admin_run_change", made.pk)


@require_POST
def share(request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
    run = playground.run_or_404(request, pk)
    runs.share(run, actor=actor_of(request), shared=bool(request.POST.get("shared")))
    return redirect("admin:llm_admin_run_change", run.pk)
