"""The workflow studio: one page that adds and changes a workflow, the fragments it asks for, and its run panel."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event
from django_jsonform.widgets import JSONFormWidget

from llm_admin.admin import playground, workflow_cards, workflow_saving
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.prompt_saving import Draft, is_uuid
from llm_admin.choices import RUN_OPEN
from llm_admin.exceptions import Conflict, InvalidInput, NotFound, Problem
from llm_admin.models import LIVE, Run, Workflow, WorkflowVersion, label_title
from llm_admin.schemas.base import parse
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.schemas.variables import VariableSpec
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import documents, runs
from llm_admin.services.actors import Actor

if TYPE_CHECKING:
    from llm_admin.admin.workflows import WorkflowAdmin

VERSIONS_SHOWN = 30
RUNS_SHOWN = 8


def page(model_admin: WorkflowAdmin, request: HttpRequest, object_id: str | None) -> HttpResponse:
    workflow = _workflow(model_admin, request, object_id)
    actor = actor_of(request)
    opened = _opened(request, workflow) if workflow else None
    if request.method != "POST":
        return _render(model_admin, request, workflow, opened, _stored(workflow, opened))
    actor.require("change_workflow" if workflow else "add_workflow")
    draft = workflow_saving.posted(request)
    try:
        return workflow_saving.save(request, actor, workflow, draft)
    except InvalidInput as error:
        draft.problems = error.problems
    except Conflict as error:
        draft.conflict = str(error)
    return _render(model_admin, request, workflow, opened, draft)


def _workflow(model_admin: WorkflowAdmin, request: HttpRequest, object_id: str | None) -> Workflow | None:
    if object_id is None:
        if not model_admin.has_add_permission(request):
            raise PermissionDenied
        return None
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    workflow = model_admin.get_object(request, object_id)
    if workflow is None:
        raise Http404
    return workflow


def _opened(request: HttpRequest, workflow: Workflow) -> WorkflowVersion:
    """`?version=N`, else the newest."""
    number = playground.whole(request.GET.get("version", "")) or workflow.last_number
    return documents.version_of(workflow, number=number)


def _stored(workflow: Workflow | None, opened: WorkflowVersion | None) -> Draft:
    if workflow is None or opened is None:
        return Draft(spec=workflow_saving.EMPTY)
    return Draft(
        name=workflow.name,
        description=workflow.description,
        spec=documents.spec_of(opened).model_dump(mode="json"),
        based_on=workflow.last_number,
    )


def _render(
    model_admin: WorkflowAdmin,
    request: HttpRequest,
    workflow: Workflow | None,
    opened: WorkflowVersion | None,
    draft: Draft,
) -> HttpResponse:
    actor = actor_of(request)
    may_save = actor.may("change_workflow" if workflow else "add_workflow")
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.model._meta,
        "original": workflow,
        "title": workflow.name if workflow else "New workflow",
        "workflow": workflow,
        "draft": draft,
        "opened": opened,
        "next_number": draft.based_on + 1,
        "media": JSONFormWidget(schema={}).media + Media(js=["llm_admin/js/jsonform.js"]),
        "may_save": may_save,
        "may_publish": actor.may("publish_workflow"),
        "may_run": actor.may("run_workflow"),
        "may_delete": workflow is not None and actor.may("delete_workflow"),
        **_versions(workflow),
        **_editor(draft, opened, editable=may_save),
        **_run_it(request, actor, workflow, draft),
    }
    return TemplateResponse(request, "llm_admin/workflows/studio.html", context, status=draft.status)


def _editor(draft: Draft, opened: WorkflowVersion | None, *, editable: bool) -> dict[str, Any]:
    pickers = workflow_cards.Pickers.load()
    steps = draft.spec["steps"]
    return {
        "cards": workflow_cards.cards(steps, pickers, editable=editable),
        "types": workflow_cards.types(),
        "inputs_form": workflow_cards.inputs_form(draft.spec.get("inputs"), editable=editable),
        "models": pickers.models,
        "summary": [workflow_cards.worded(problem, steps) for problem in draft.problems],
        "state": {
            "output": draft.spec.get("output", ""),
            "version": opened.number if opened else None,
            "problems": [{"location": p.location, "message": p.message} for p in draft.problems],
            "unsaved": bool(draft.problems or draft.conflict),
            "clientKey": uuid.uuid4().hex,
        },
    }


def _versions(workflow: Workflow | None) -> dict[str, Any]:
    if workflow is None:
        return {"versions": [], "live": None}
    rows = workflow.versions.select_related("created_by").prefetch_related("labels").defer("spec")[:VERSIONS_SHOWN]
    versions = [{"row": row, "labels": [label_title(label.name) for label in row.labels.all()]} for row in rows]
    return {"versions": versions, "live": workflow.versions.filter(labels__name=LIVE).defer("spec").first()}


def _run_it(request: HttpRequest, actor: Actor, workflow: Workflow | None, draft: Draft) -> dict[str, Any]:
    run = _shown_run(request, actor, workflow)
    context = {
        "fields": fields(draft.spec.get("inputs"), run.inputs if run else {}),
        "default_model": actor.workspace.default_model,
    }
    return context | (playground.panel_context(request, run) if run else {"run": None})


def _shown_run(request: HttpRequest, actor: Actor, workflow: Workflow | None) -> Run | None:
    """`?run=` (the page puts the id of what it started into its address), else a run of theirs still going on."""
    rows = runs.visible(actor=actor).filter(kind="workflow")
    asked = request.GET.get("run", "")
    if is_uuid(asked):
        return rows.filter(Q(workflow=workflow) | Q(workflow=None), pk=asked).first()
    return rows.filter(workflow=workflow, owner=actor.user, status__in=RUN_OPEN).first() if workflow else None


def fields(variables: Any, values: dict[str, Any]) -> list[dict[str, Any]]:
    """The run form, also of a list that is still being typed: what is no variable yet has no field yet."""
    found: dict[str, dict[str, Any]] = {}
    for one in variables if isinstance(variables, list) else ():
        try:
            variable = parse(VariableSpec, one)
        except InvalidInput:
            continue
        found.setdefault(variable.name, {"variable": variable, "value": values.get(variable.name, variable.default)})
    return list(found.values())


@require_POST
def run_fields(request: HttpRequest) -> HttpResponse:
    """The run form for the inputs as they stand in the studio, with what is typed in it so far. Changes nothing."""
    actor_of(request).require("run_workflow")
    variables = playground.posted_json(request.POST.get("inputs", ""))
    context = {"fields": fields(variables, playground.posted_inputs(request.POST))}
    return render(request, "llm_admin/workflows/_fields.html", context)


@require_GET
def new_card(request: HttpRequest) -> HttpResponse:
    actor_of(request).require("change_workflow")
    kind = request.GET.get("type", "")
    if kind not in STEP_SPECS:
        raise NotFound(f"There is no step type “{kind}”.")
    data = workflow_cards.to_form(workflow_cards.new_step(kind, request.GET.getlist("taken")))
    card = workflow_cards.card(data, workflow_cards.Pickers.load(), [], editable=True)
    return render(request, "llm_admin/workflows/_card.html", {"card": card, "may_save": True})


@require_GET
def prompt_variables(request: HttpRequest) -> JsonResponse:
    """What the chosen prompt's variables are called, for the card's mapping."""
    actor_of(request).require("view_prompt")
    wanted = workflow_cards.reference({"prompt": request.GET.get("prompt"), "prompt_label": request.GET.get("label")})
    found = workflow_cards.variables_of([wanted]) if wanted else {}
    return JsonResponse({"variables": found.get(wanted, [])})


@require_POST
def run_workflow(request: HttpRequest) -> HttpResponse:
    """Runs the steps as they stand in the studio, saved or not, and answers with the panel that follows the run."""
    actor = actor_of(request)
    actor.require("run_workflow")
    workflow = find_or_404(request, Workflow, request.POST["workflow"]) if request.POST.get("workflow") else None
    data = workflow_saving.posted_data(request)
    try:
        spec = workflow_saving.spec_of(data)
        run = runs.start_workflow(
            actor=actor,
            workflow=workflow,
            spec=spec,
            version=_unchanged(workflow, spec, request.POST.get("version", "")),
            inputs=playground.posted_inputs(request.POST),
            model=request.POST.get("model") or None,
            client_key=playground.client_key(request),
        )
    except InvalidInput as error:
        return _problems_answer(request, error.problems, data["steps"])
    return playground.panel_answer(request, run.pk)


def _unchanged(workflow: Workflow | None, spec: WorkflowSpec, number: str) -> WorkflowVersion | None:
    """The version that this is, if it is one."""
    if workflow is None or not playground.whole(number):
        return None
    try:
        version = documents.version_of(workflow, number=playground.whole(number))
    except NotFound:
        return None
    return version if documents.spec_of(version) == spec else None


def _problems_answer(request: HttpRequest, problems: list[Problem], steps: Any) -> HttpResponse:
    shown = [{"location": p.location, "message": p.message} for p in problems[:20]]
    context = {"problems": [workflow_cards.worded(problem, steps) for problem in problems]}
    response = render(request, "llm_admin/errors/_problems.html", context, status=422)
    return trigger_client_event(response, "llm:problems", {"problems": shown})


@require_GET
def recent_runs(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    actor.require("view_run")
    workflow = find_or_404(request, Workflow, pk)
    rows = runs.visible(actor=actor).filter(workflow=workflow).select_related("owner", "workflow_version")
    rows = rows.defer("spec", "inputs", "output")[:RUNS_SHOWN]
    context = {"runs": rows, "everyones": actor.may("view_all_runs")}
    return render(request, "llm_admin/workflows/_recent.html", context)
