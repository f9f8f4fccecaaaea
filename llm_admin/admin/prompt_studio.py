"""The prompt studio: one page that adds and changes a prompt. Whatever is refused comes back with nothing lost."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET

from llm_admin.admin import playground
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.prompt_saving import EMPTY, Draft, is_uuid, posted, save
from llm_admin.choices import RUN_OPEN
from llm_admin.exceptions import Conflict, InvalidInput
from llm_admin.models import LIVE, LanguageModel, Prompt, PromptVersion, Run, label_title
from llm_admin.services import documents, runs
from llm_admin.services.actors import Actor

if TYPE_CHECKING:
    from llm_admin.admin.prompts import PromptAdmin

VERSIONS_SHOWN = 30
RUNS_SHOWN = 8


def page(model_admin: PromptAdmin, request: HttpRequest, object_id: str | None) -> HttpResponse:
    prompt = _prompt(model_admin, request, object_id)
    actor = actor_of(request)
    opened = _opened(request, prompt) if prompt else None
    if request.method != "POST":
        return _render(model_admin, request, prompt, opened, _stored(prompt, opened))
    actor.require("change_prompt" if prompt else "add_prompt")
    draft = posted(request)
    try:
        saved = save(request, actor, prompt, draft)
    except InvalidInput as error:
        draft.problems = error.problems
    except Conflict as error:
        draft.conflict = str(error)
    else:
        return saved
    return _render(model_admin, request, prompt, opened, draft)


def _prompt(model_admin: PromptAdmin, request: HttpRequest, object_id: str | None) -> Prompt | None:
    if object_id is None:
        if not model_admin.has_add_permission(request):
            raise PermissionDenied
        return None
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    prompt = model_admin.get_object(request, object_id)
    if prompt is None:
        raise Http404
    return prompt


def _opened(request: HttpRequest, prompt: Prompt) -> PromptVersion:
    """`?version=N`, else the newest."""
    number = playground.whole(request.GET.get("version", "")) or prompt.last_number
    return documents.version_of(prompt, number=number)


def _stored(prompt: Prompt | None, opened: PromptVersion | None) -> Draft:
    if prompt is None or opened is None:
        return Draft()
    return Draft(
        name=prompt.name,
        description=prompt.description,
        spec=documents.spec_of(opened).model_dump(mode="json"),
        based_on=prompt.last_number,
    )


@require_GET
def recent_runs(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    actor.require("view_run")
    prompt = find_or_404(request, Prompt, pk)
    rows = runs.visible(actor=actor).filter(prompt=prompt).select_related("owner", "prompt_version")
    rows = rows.defer("spec", "inputs", "output")[:RUNS_SHOWN]
    context = {"runs": rows, "everyones": actor.may("view_all_runs"), "may_run": actor.may("run_prompt")}
    return render(request, "llm_admin/runs/_recent.html", context)


def _render(
    model_admin: PromptAdmin, request: HttpRequest, prompt: Prompt | None, opened: PromptVersion | None, draft: Draft
) -> HttpResponse:
    actor = actor_of(request)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "original": prompt,
        "title": prompt.name if prompt else "New prompt",
        "prompt": prompt,
        "draft": draft,
        "opened": opened,
        "next_number": draft.based_on + 1,
        "summary": [playground.worded(problem) for problem in draft.problems],
        "may_save": actor.may("change_prompt" if prompt else "add_prompt"),
        "may_publish": actor.may("publish_prompt"),
        "may_run": actor.may("run_prompt"),
        "may_delete": prompt is not None and actor.may("delete_prompt"),
        **_versions(prompt),
        **_try_it(request, actor, prompt, opened, draft),
    }
    return TemplateResponse(request, "llm_admin/prompts/studio.html", context, status=draft.status)


def _versions(prompt: Prompt | None) -> dict[str, Any]:
    if prompt is None:
        return {"versions": [], "live": None}
    rows = prompt.versions.select_related("created_by").prefetch_related("labels").defer("spec")[:VERSIONS_SHOWN]
    versions = [{"row": row, "labels": [label_title(label.name) for label in row.labels.all()]} for row in rows]
    return {"versions": versions, "live": prompt.versions.filter(labels__name=LIVE).defer("spec").first()}


def _try_it(
    request: HttpRequest, actor: Actor, prompt: Prompt | None, opened: PromptVersion | None, draft: Draft
) -> dict[str, Any]:
    run = _shown_run(request, actor, prompt)
    shown = [{"location": p.location, "message": p.message} for p in draft.problems]
    state = {
        "spec": draft.spec,
        "saved": documents.spec_of(opened).model_dump(mode="json") if opened else EMPTY,
        "version": opened.number if opened else None,
        "prompt": prompt.pk if prompt else None,
        "problems": shown,
        "clientKey": uuid.uuid4().hex,
        "values": run.inputs if run else {},
        "maySave": actor.may("change_prompt" if prompt else "add_prompt"),
    }
    models = list(LanguageModel.objects.filter(enabled=True).values_list("alias", "name"))
    names = dict(models)
    own = opened.spec.get("model") if opened else None
    default = actor.workspace.default_model
    context = {"state": state, "models": models, "own_model": names.get(own, own), "default_model": default}
    return context | (playground.panel_context(request, run) if run else {"run": None})


def _shown_run(request: HttpRequest, actor: Actor, prompt: Prompt | None) -> Run | None:
    """`?run=` (the page puts the id of what it started into its address), else a run of theirs still going on."""
    rows = runs.visible(actor=actor).filter(kind="prompt")
    asked = request.GET.get("run", "")
    if is_uuid(asked):
        return rows.filter(Q(prompt=prompt) | Q(prompt=None), pk=asked).first()
    return rows.filter(prompt=prompt, owner=actor.user, status__in=RUN_OPEN).first() if prompt else None
