"""The workflow studio: one page that adds and changes a workflow. Whatever is refused comes back with nothing lost."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django_jsonform.widgets import JSONFormWidget

from llm_admin.admin import playground, workflow_cards, workflow_saving
from llm_admin.admin.base import actor_of
from llm_admin.admin.prompt_saving import Draft, is_uuid
from llm_admin.admin.workflow_running import fields
from llm_admin.choices import RUN_OPEN
from llm_admin.exceptions import Conflict, InvalidInput
from llm_admin.models import LIVE, Run, Workflow, WorkflowVersion, label_title
from llm_admin.services import documents, runs
from llm_admin.services.actors import Actor

if TYPE_CHECKING:
    from llm_admin.admin.workflows import WorkflowAdmin

VERSIONS_SHOWN = 30


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
    except Conflict:
        _take_over(workflow, draft)
    return _render(model_admin, request, workflow, opened, draft)


def _take_over(workflow: Workflow | None, draft: Draft) -> None:
    """Cards cannot be copied and pasted, so saving once more, knowingly, puts them on top of the other version."""
    workflow.refresh_from_db()  # type: ignore[union-attr]
    newest = documents.newest(workflow)
    who = newest.created_by or "Somebody"
    draft.based_on = newest.number
    draft.conflict = (
        f"{who} saved {newest} since you opened this page. Nothing of yours is lost: it is all still here. "
        f"Look at {newest} first; if yours should replace it, save again, and it becomes v{newest.number + 1}."
    )


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
