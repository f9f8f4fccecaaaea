"""A new batch, second page: which column fills which input, what it will cost, and Start. Nothing is saved before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from llm_admin.admin import batch_upload, playground
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.batch_upload import Upload
from llm_admin.admin.batch_words import estimate_words
from llm_admin.choices import StoreTexts
from llm_admin.exceptions import Conflict, InvalidInput, NotFound
from llm_admin.models import Batch, LanguageModel, Workflow
from llm_admin.schemas.variables import VariableSpec
from llm_admin.selectors.workflow_estimates import estimate
from llm_admin.services import answers, batch_mapping, batches, documents
from llm_admin.services.actors import Actor
from llm_admin.services.batch_mapping import Source

PREVIEWED = 6
AT_ONCE = 5
FIXED = "fixed"


@dataclass
class Plan:
    """What stands in the form: guessed when the page is opened, then as posted."""

    actor: Actor
    key: str
    upload: Upload
    workflow: Workflow
    version: Any
    versions: list[tuple[int, str]]
    sources: dict[str, Source]
    concurrency: str = str(AT_ONCE)
    model: str = ""
    most: str = ""
    cache: bool = True
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def variables(self) -> list[VariableSpec]:
        return self.spec.inputs

    @property
    def spec(self) -> Any:
        return documents.spec_of(self.version)

    @property
    def at_once(self) -> int:
        return playground.whole(self.concurrency)

    @property
    def count(self) -> int:
        """How many rows will run."""
        rows = len(self.upload.table.rows)
        return min(playground.whole(self.most) or rows, rows) if self.most else rows


def prepare(request: HttpRequest, key: str) -> HttpResponse:
    """Raises Conflict when the upload is gone and no batch was started from it."""
    actor = actor_of(request)
    actor.require("run_batch")
    if started := _started(actor, key):
        return redirect("admin:llm_admin_batch_change", started.pk)
    try:
        plan = _plan(request, actor, key)
    except Conflict:
        if started := _started(actor, key):  # by the other click, since
            return redirect("admin:llm_admin_batch_change", started.pk)
        raise
    if request.method != "POST":
        return _page(request, plan)
    return _start(request, plan)


@require_POST
def check(request: HttpRequest, key: str) -> HttpResponse:
    """The preview, the problems and the estimate for what stands in the form; with `whole`, the form too."""
    actor = actor_of(request)
    actor.require("run_batch")
    plan = _plan(request, actor, key)
    template = "_prepare.html" if request.POST.get("whole") or request.GET.get("whole") else "_check.html"
    return render(request, f"llm_admin/batches/{template}", _context(plan))


def _started(actor: Actor, key: str) -> Batch | None:
    return batches.visible(actor=actor).filter(client_key=batch_upload.client_key(key)).first()


def _plan(request: HttpRequest, actor: Actor, key: str) -> Plan:
    upload = batch_upload.find(actor, key)
    workflow = find_or_404(request, Workflow, upload.workflow)
    posted = request.POST if request.method == "POST" else None
    number = playground.whole((posted or request.GET).get("version", ""))
    version, versions = _versions(workflow, number)
    variables = documents.spec_of(version).inputs
    sources = batch_mapping.guess(variables, upload.table.columns)
    plan = Plan(actor, key, upload, workflow, version, versions, sources)
    if posted is not None:
        plan.sources = {variable.name: _source(posted, variable, plan) for variable in variables}
        plan.concurrency = posted.get("concurrency", plan.concurrency).strip()
        plan.model = posted.get("model", "")
        plan.most = posted.get("most", "").strip()
        plan.cache = playground.uses_cache(request)
    plan.problems = _problems(plan)
    return plan


def _versions(workflow: Workflow, number: int) -> tuple[Any, list[tuple[int, str]]]:
    """The asked one, and what is offered: Live, and the newest when that is a draft."""
    newest = documents.newest(workflow)
    offered = [(newest.number, f"v{newest.number}, a draft")]
    try:
        live = documents.version_of(workflow)
    except NotFound:
        live = None
    if live is not None:
        offered = [(live.number, f"Live: v{live.number}"), *(offered if newest.number != live.number else [])]
    chosen = documents.version_of(workflow, number=number) if number else (live or newest)
    if chosen.number not in dict(offered):
        offered.append((chosen.number, f"v{chosen.number}"))
    return chosen, offered


def _source(posted: QueryDict, variable: VariableSpec, plan: Plan) -> Source:
    """What is not posted (an input of the version that was just chosen) keeps the guess."""
    chosen = posted.get(f"from-{variable.name}")
    if chosen is None:
        return plan.sources[variable.name]
    if chosen == FIXED:
        return Source(fixed=posted.get(f"fixed-{variable.name}", "").replace("\r\n", "\n"))
    if chosen.isdecimal() and len(chosen) < 5 and int(chosen) < len(plan.upload.table.columns):
        return Source(int(chosen))
    return Source()


def _problems(plan: Plan) -> dict[str, str]:
    problems = {
        f"input-{name}": text for name, text in batch_mapping.field_problems(plan.variables, plan.sources).items()
    }
    if not 1 <= plan.at_once <= batches.MOST_AT_ONCE:
        problems["concurrency"] = f"Choose between 1 and {batches.MOST_AT_ONCE} at the same time."
    if plan.most and not playground.whole(plan.most):
        problems["most"] = "Give a number of rows, or nothing for all of them."
    return problems


def _context(plan: Plan, *, refused: list[str] | None = None) -> dict[str, Any]:
    """`problems` by field; `row_problems` only when no field is wrong, which every row would repeat."""
    table, shown = plan.upload.table, batch_mapping.preview
    wrong = [] if plan.problems else _row_problems(plan)
    model = plan.model or None
    found = estimate(workflow_id=plan.workflow.pk, version_id=plan.version.pk, model=model)
    words: dict[str, Any] = {"rows": plan.count, "concurrency": plan.at_once or 1, "workspace": plan.actor.workspace}
    return {
        "plan": plan,
        "fields": [_field(plan, variable) for variable in plan.variables],
        "columns": list(enumerate(table.columns)),
        "preview": shown(table, plan.variables, plan.sources, count=min(PREVIEWED, plan.count)),
        "row_problems": wrong,
        "unused": bool(plan.sources) and all(source.column is None for source in plan.sources.values()),
        "many_problems": len(wrong) >= batches.MOST_PROBLEMS,
        "refused": refused or [],
        "estimate": estimate_words(found, version=plan.version, **words),
        "models": list(LanguageModel.objects.filter(enabled=True)),
        "default_model": plan.actor.workspace.default_model,
        "keeps_nothing": plan.actor.workspace.store_texts == StoreTexts.NOTHING,
        "most_at_once": batches.MOST_AT_ONCE,
        "may_cache": answers.may_apply(plan.actor.workspace, plan.spec),
        "no_cache": not plan.cache,
        "urls": {
            "check": reverse("admin:llm_admin_batch_check", args=[plan.key]),
            "again": f"{reverse('admin:llm_admin_batch_add')}?workflow={plan.workflow.pk}",
            "workflow": reverse("admin:llm_admin_workflow_change", args=[plan.workflow.pk]),
        },
    }


def _row_problems(plan: Plan) -> list[batch_mapping.RowProblem]:
    return batch_mapping.row_problems(plan.upload.table, plan.variables, plan.sources, most=plan.count)


def _field(plan: Plan, variable: VariableSpec) -> dict[str, Any]:
    source = plan.sources[variable.name]
    return {
        "variable": variable,
        "column": source.column,
        "fixed": source.fixed,
        "is_fixed": source.fixed is not None,
        "problem": plan.problems.get(f"input-{variable.name}", ""),
    }


def _page(request: HttpRequest, plan: Plan, *, refused: list[str] | None = None, status: int = 200) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "opts": Batch._meta,
        "title": f"Run “{plan.workflow}” on many rows",
        **_context(plan, refused=refused),
    }
    return TemplateResponse(request, "llm_admin/batches/prepare.html", context, status=status)


def _start(request: HttpRequest, plan: Plan) -> HttpResponse:
    if plan.problems or _row_problems(plan):
        return _page(request, plan, status=422)
    table = plan.upload.table
    try:
        batch = batches.start(
            actor=plan.actor,
            workflow=plan.workflow,
            version=plan.version,
            rows=batch_mapping.rows(table, plan.variables, plan.sources, most=plan.count),
            mapping=batch_mapping.names_of(table, plan.sources),
            columns=table.columns,
            file_name=plan.upload.file_name,
            concurrency=plan.at_once,
            model=plan.model or None,
            cache=plan.cache,
            client_key=batch_upload.client_key(plan.key),
        )
    except InvalidInput as error:
        return _page(request, plan, refused=[problem.message for problem in error.problems], status=422)
    batch_upload.forget(plan.key)
    return redirect("admin:llm_admin_batch_change", batch.pk)
