"""What the workflow studio asks the server for while somebody works in it: new cards, the run form, a run."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import trigger_client_event

from llm_admin.admin import playground, workflow_cards, workflow_problems
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.input_forms import form_text
from llm_admin.admin.workflow_forms import type_of
from llm_admin.admin.workflow_pickers import NOTHING, Pickers, facts_of, reference
from llm_admin.admin.workflow_saving import FORM
from llm_admin.exceptions import InvalidInput, NotFound, Problem
from llm_admin.models import Workflow, WorkflowVersion
from llm_admin.schemas.base import parse
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.schemas.variables import VariableSpec
from llm_admin.services import documents, runs
from llm_admin.services.actors import Actor


def fields(variables: Any, values: dict[str, Any], *, typed: bool = False) -> list[dict[str, Any]]:
    """The run form, also of a list that is still being typed: what is no variable yet has no field yet.

    `values` are texts, or (`typed`) an earlier run's.
    """
    found: dict[str, dict[str, Any]] = {}
    for one in variables if isinstance(variables, list) else ():
        try:
            variable = parse(VariableSpec, one)
        except InvalidInput:
            continue
        value = values.get(variable.name, variable.default)
        shown = form_text(value, variable) if typed and variable.name in values else value
        found.setdefault(variable.name, {"variable": variable, "value": shown})
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
    actor = actor_of(request)
    actor.require("change_workflow")
    kind = request.GET.get("type", "")
    if kind not in STEP_SPECS:
        raise NotFound(f"There is no step type “{kind}”.")
    card = workflow_cards.new_card(kind, request.GET.getlist("taken"), Pickers.load())
    return _card_answer(request, actor, card)


@require_POST
def copied_card(request: HttpRequest) -> HttpResponse:
    """A step as it stands in the studio, with all that is in it, as a second card. Changes nothing."""
    actor = actor_of(request)
    actor.require("change_workflow")
    step = FORM.data_of({"steps": [playground.posted_json(request.POST.get("step", ""))]})["steps"][0]
    if not type_of(step):
        raise NotFound("There is no such step to copy.")
    copy = workflow_cards.copied(step, set(request.POST.getlist("taken")))
    (card,) = workflow_cards.cards([copy], Pickers.load(), editable=True)
    return _card_answer(request, actor, card)


def _card_answer(request: HttpRequest, actor: Actor, card: workflow_cards.Card) -> HttpResponse:
    context = {"card": card, "may_save": True, "may_run": actor.may("run_workflow")}
    return render(request, "llm_admin/workflows/_card.html", context)


@require_GET
def prompt_variables(request: HttpRequest) -> JsonResponse:
    """What the chosen prompt's variables are called, for the card's mapping, and the keys of its answer."""
    actor_of(request).require("view_prompt")
    wanted = reference({"prompt": request.GET.get("prompt"), "prompt_label": request.GET.get("label")})
    found = facts_of([wanted]).get(wanted, NOTHING) if wanted else NOTHING
    return JsonResponse({"variables": found.variables, "keys": found.keys})


@require_POST
def run_workflow(request: HttpRequest) -> HttpResponse:
    """Runs the steps as they stand in the studio, saved or not, and answers with the panel that follows the run."""
    actor = actor_of(request)
    actor.require("run_workflow")
    workflow = find_or_404(request, Workflow, request.POST["workflow"]) if request.POST.get("workflow") else None
    data = FORM.data(request)
    try:
        spec = FORM.spec_of(data)
        run = runs.start_workflow(
            actor=actor,
            workflow=workflow,
            spec=spec,
            version=_opened_version(workflow, request.POST.get("version", "")),
            inputs=playground.posted_inputs(request.POST),
            model=request.POST.get("model") or None,
            client_key=playground.client_key(request),
            cache=playground.uses_cache(request),
        )
    except InvalidInput as error:
        return problems_answer(request, error.problems, data["steps"])
    return playground.panel_answer(request, run.pk)


def _opened_version(workflow: Workflow | None, number: str) -> WorkflowVersion | None:
    """What the page was opened with; whether the steps are still those, the service finds out."""
    if workflow is None or not playground.whole(number):
        return None
    try:
        return documents.version_of(workflow, number=playground.whole(number))
    except NotFound:
        return None


def problems_answer(request: HttpRequest, problems: list[Problem], steps: Any) -> HttpResponse:
    shown = [{"location": p.location, "message": p.message} for p in problems[:20]]
    context = {"problems": [workflow_problems.worded(problem, steps) for problem in problems]}
    response = render(request, "llm_admin/errors/_problems.html", context, status=422)
    return trigger_client_event(response, "llm:problems", {"problems": shown})
