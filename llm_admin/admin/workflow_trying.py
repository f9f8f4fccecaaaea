"""“Try this step”: the form with a value for each name that the step uses, and the run of that step alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from llm_admin.admin import playground
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.document_saving import is_uuid
from llm_admin.admin.input_forms import form_text
from llm_admin.admin.workflow_cards import every
from llm_admin.admin.workflow_forms import slots_of, to_form, type_of
from llm_admin.admin.workflow_pickers import NOTHING, PromptFacts, Reference, facts_of, reference
from llm_admin.admin.workflow_running import problems_answer
from llm_admin.admin.workflow_saving import FORM
from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.models import Run, Workflow
from llm_admin.schemas.steps import StepSpec
from llm_admin.schemas.values import PARSERS
from llm_admin.schemas.variables import VariableSpec
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.selectors.step_values import last_values
from llm_admin.services import answers, repeating, runs

KINDS = {"long_text": "Text", "list": "List", "number": "Number", "boolean": "Yes or no", "json": "JSON"}
FORMATS = {"json": "json", "list": "list", "number": "number", "yes_no": "boolean"}
MADE = {"prompt": "json", "for_each": "list", "retrieve": "json"}


@dataclass(frozen=True)
class Tried:
    """What was posted. `spec` says what the prompts take by name, so that it is asked for too."""

    workflow: Workflow | None
    spec: WorkflowSpec
    location: tuple[str | int, ...]
    steps: list[Any]

    @classmethod
    def posted(cls, request: HttpRequest) -> Tried:
        workflow = find_or_404(request, Workflow, request.POST["workflow"]) if request.POST.get("workflow") else None
        data = FORM.data(request)
        location = playground.posted_json(request.POST.get("location", ""))
        place = tuple(one for one in location if isinstance(one, str | int)) if isinstance(location, list) else ()
        FORM.spec_of(data)  # problems are those of what was typed
        names = {one["name"] for one in data.get("inputs") or []}
        facts = facts_of(filter(None, map(reference, every(data["steps"]))))
        explicit = data | {"steps": _explicit(data["steps"], names, facts)}
        return cls(workflow, FORM.spec_of(explicit), place, data["steps"])

    def step(self) -> StepSpec | None:
        return next((found.step for found in self.spec.walk() if found.location == self.location), None)


def _explicit(
    steps: list[dict[str, Any]], known: set[str], facts: Mapping[Reference, PromptFacts]
) -> list[dict[str, Any]]:
    """Every variable of a prompt that takes the value of the same name says so."""
    known, found = set(known), []
    for raw in steps:
        step = to_form(raw) if type_of(raw) else raw
        named = reference(step)
        if named and isinstance(step.get("inputs"), dict):
            variables = facts.get(named, NOTHING).variables
            same = {name: "{{" + name + "}}" for name in variables if name in known}
            step["inputs"] = same | {name: text for name, text in step["inputs"].items() if text}
        entry = {step["item"]} if isinstance(step.get("item"), str) else set()
        step |= {name: _explicit(step[name], known | entry, facts) for name in slots_of(step)}
        found.append(step)
        if step.get("disabled") is not True:
            known.add(step["id"])
    return found


@require_POST
def try_fields(request: HttpRequest) -> HttpResponse:
    """The form, filled with what the step was given the last time. Changes nothing."""
    actor_of(request).require("run_workflow")
    try:
        tried = Tried.posted(request)
    except InvalidInput as error:
        return _refused(request, error.problems)
    names = repeating.names_for_step(tried.spec, tried.location)
    step = tried.step()
    values, run = last_values(_runs(request, tried.workflow), step.id if step else "")
    context: dict[str, Any] = {
        "fields": [_field(tried.spec, name, values) for name in names],
        "last": run,
        "kinds": KINDS,
    }
    context |= {"may_cache": bool(answers.applies(actor_of(request).workspace))}
    return render(request, "llm_admin/workflows/_try_form.html", context)


@require_POST
def try_step(request: HttpRequest) -> HttpResponse:
    """Runs the step as it stands in the studio, alone, and answers with the panel that follows the run."""
    actor = actor_of(request)
    actor.require("run_workflow")
    try:
        tried = Tried.posted(request)
    except InvalidInput as error:
        return _refused(request, error.problems)
    try:
        run = repeating.try_step(
            actor=actor,
            workflow=tried.workflow,
            spec=tried.spec,
            location=tried.location,
            values=_values(request, tried),
            model=request.POST.get("model") or None,
            client_key=playground.client_key(request),
            cache=playground.uses_cache(request),
        )
    except InvalidInput as error:
        return _refused(request, [_moved(problem, tried.location) for problem in error.problems])
    return playground.panel_answer(request, run.pk)


def _runs(request: HttpRequest, workflow: Workflow | None) -> Any:
    """Of this workflow; before it is saved, what its page shows."""
    rows = runs.visible(actor=actor_of(request))
    shown = request.POST.get("run", "")
    if workflow is None:
        return rows.filter(pk=shown, workflow=None) if is_uuid(shown) else Run.objects.none()
    return rows.filter(workflow=workflow)


def _field(spec: WorkflowSpec, name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    variable = next((one for one in spec.inputs if one.name == name), None)
    known = name in values
    if variable:
        text = form_text(values[name], variable) if known else variable.default
        return {"name": name, "title": variable.title, "variable": variable, "value": text, "known": known}
    value = values.get(name)
    kind = _kind_of(value) if known else _kind_made(spec, name)
    shown = VariableSpec(name=name, type=kind)
    text = form_text(value, shown) if known else ""
    return {"name": name, "title": name, "kind": kind, "value": text, "known": known}


def _kind_of(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case list() if not any(isinstance(one, list | dict) for one in value):
            return "list"
        case list() | dict():
            return "json"
    return "long_text"


def _kind_made(spec: WorkflowSpec, name: str) -> str:
    """What a step's result usually is."""
    step = next((one for one in spec.all_steps() if one.id == name), None)
    if step is None:
        return "long_text"
    return (
        FORMATS.get(getattr(step, "format", ""), "long_text")
        if step.type == "parser"
        else MADE.get(step.type, "long_text")
    )


def _values(request: HttpRequest, tried: Tried) -> dict[str, Any]:
    """Raises InvalidInput at ("values", name)."""
    declared = {one.name: one for one in tried.spec.inputs}
    values: dict[str, Any] = {}
    problems = []
    for name in repeating.names_for_step(tried.spec, tried.location):
        text = request.POST.get(f"value-{name}", "").replace("\r\n", "\n")
        kind = declared[name].type if name in declared else request.POST.get(f"kind-{name}", "")
        try:
            values[name] = PARSERS[kind if kind in PARSERS else "long_text"](text) if text else ""
        except ValueError as error:
            problems.append(Problem(("values", name), f"“{name}” {error}."))
    if problems:
        raise InvalidInput(problems)
    return values


def _refused(request: HttpRequest, problems: list[Problem]) -> HttpResponse:
    data = playground.posted_json(request.POST.get("spec", ""))
    return problems_answer(request, problems, data.get("steps") if isinstance(data, dict) else [])


def _moved(problem: Problem, location: tuple[str | int, ...]) -> Problem:
    """The step was alone when this was found; here it stands where it stands, and its inputs are values."""
    match problem.location:
        case ("steps", 0, *rest):
            return Problem((*location, *rest), problem.message)
        case ("inputs", str(name), *_):
            return Problem(("values", name), problem.message)
    return problem
