"""What the workflow studio's form posts, and saving it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from llm_admin.admin import playground, workflow_cards
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.prompt_saving import Draft, is_uuid
from llm_admin.exceptions import InvalidInput
from llm_admin.models import LIVE, Workflow
from llm_admin.schemas.base import parse
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import documents, workflows
from llm_admin.services.actors import Actor

EMPTY: dict[str, Any] = {"inputs": [], "steps": [], "output": ""}


def posted(request: HttpRequest) -> Draft:
    draft = Draft(
        name=request.POST.get("name", ""),
        description=request.POST.get("description", ""),
        note=request.POST.get("note", ""),
        based_on=playground.whole(request.POST.get("based_on", "")),
        spec=EMPTY,
    )
    try:
        draft.spec = posted_data(request)
    except InvalidInput as error:
        draft.problems = error.problems
    return draft


def posted_data(request: HttpRequest) -> dict[str, Any]:
    """The form's own shape; not checked yet, but a workflow by its outline."""
    data = playground.posted_json(request.POST.get("spec", ""))
    if not isinstance(data, dict) or not isinstance(data.get("steps"), list):
        raise InvalidInput(playground.NOT_WHOLE)
    return data


def spec_of(data: dict[str, Any]) -> WorkflowSpec:
    """Raises InvalidInput with each problem where the form shows it."""
    steps = data["steps"]
    try:
        return parse(WorkflowSpec, data | {"steps": [workflow_cards.from_form(step) for step in steps]})
    except InvalidInput as error:
        raise InvalidInput([workflow_cards.placed(problem, steps) for problem in error.problems]) from None


def save(request: HttpRequest, actor: Actor, workflow: Workflow | None, draft: Draft) -> HttpResponseRedirect:
    if draft.problems:
        raise InvalidInput(draft.problems)
    spec = spec_of(draft.spec)
    if workflow is None:
        workflow = workflows.create(
            actor=actor, name=draft.name, spec=spec, note=draft.note, description=draft.description
        )
        messages.success(request, f"“{workflow}” is saved. Its first version is Live.")
    else:
        with transaction.atomic():
            workflows.change(workflow, actor=actor, name=draft.name, description=draft.description)
            text = _save_text(actor, workflow, draft, spec, publish="_publish" in request.POST)
        messages.success(request, text)
    return _back(request, workflow)


def _save_text(actor: Actor, workflow: Workflow, draft: Draft, spec: WorkflowSpec, *, publish: bool) -> str:
    """What is the newest version already makes no new one."""
    newest = documents.newest(workflow)
    if newest.number == draft.based_on and documents.spec_of(newest) == spec:
        if not publish:
            return f"Saved. The steps are as in {newest}, so there is no new version."
        documents.move_label(workflow, actor=actor, label=LIVE, number=newest.number, reason=draft.note)
        return f"{newest} is Live now."
    version = workflows.save_version(
        workflow, actor=actor, spec=spec, note=draft.note, publish=publish, based_on=draft.based_on
    )
    if publish:
        return f"{version} is saved, and Live now."
    return f"Saved as draft {version}. Live is still {documents.version_of(workflow)}."


def _back(request: HttpRequest, workflow: Workflow) -> HttpResponseRedirect:
    """To the newest version, with the run that was shown."""
    address = reverse("admin:llm_admin_workflow_change", args=[workflow.pk])
    run = request.GET.get("run", "")
    return redirect(f"{address}?run={run}" if is_uuid(run) else address)


@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    workflow = find_or_404(request, Workflow, pk)
    number = playground.whole(request.POST.get("number", ""))
    version = documents.restore(workflow, actor=actor_of(request), number=number)
    messages.success(request, f"v{number} is restored as {version}. Live has not moved.")
    return _back(request, workflow)
