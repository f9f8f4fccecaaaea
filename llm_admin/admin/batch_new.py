"""A new batch, first page: which workflow, and the file with its rows. Nothing runs from here."""

from __future__ import annotations

import io
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from llm_admin.admin import batch_upload, playground
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.batch_upload import Upload
from llm_admin.exceptions import InvalidInput, NotFound
from llm_admin.models import Batch, Workflow
from llm_admin.schemas.variable_forms import table_head
from llm_admin.schemas.variables import KIND_TITLES
from llm_admin.services import batch_files, batch_results, documents
from llm_admin.services.batches import MOST_ROWS

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def new_batch(request: HttpRequest) -> HttpResponse:
    """GET with `?workflow=`; POST with a file or pasted rows leads to the page that maps its columns."""
    actor = actor_of(request)
    actor.require("run_batch")
    asked = (request.POST if request.method == "POST" else request.GET).get("workflow", "")
    workflow = _workflow(request, asked)
    if request.method != "POST":
        return _page(request, workflow)
    problems: dict[str, list[str]] = {}
    pasted = request.POST.get("pasted", "")
    if workflow is None:
        problems["workflow"] = ["Choose the workflow that every row goes through."]
    try:
        name, table = batch_upload.table_of(request.FILES.get("file"), pasted)
    except InvalidInput as error:
        problems["rows"] = [problem.message for problem in error.problems]
    if workflow is None or problems:
        return _page(request, workflow, problems=problems, pasted=pasted, status=422)
    key = batch_upload.keep(actor, Upload(workflow.pk, name, table))
    return redirect("admin:llm_admin_batch_prepare", key)


def _workflow(request: HttpRequest, asked: str) -> Workflow | None:
    return find_or_404(request, Workflow, asked) if asked else None


def _page(
    request: HttpRequest,
    workflow: Workflow | None,
    *,
    problems: dict[str, list[str]] | None = None,
    pasted: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        **admin.site.each_context(request),
        "opts": Batch._meta,
        "title": "Run on many rows",
        "workflows": Workflow.objects.filter(archived_at=None).order_by("name"),
        "problems": problems or {},
        "pasted": pasted,
        "most_rows": MOST_ROWS,
        "most_mb": batch_files.MAX_BYTES // 1024 // 1024,
        "back": reverse("admin:llm_admin_batch_changelist"),
        **about(workflow),
    }
    return TemplateResponse(request, "llm_admin/batches/new.html", context, status=status)


def about(workflow: Workflow | None) -> dict[str, Any]:
    if workflow is None:
        return {"workflow": None}
    version = _offered(workflow)
    inputs = documents.spec_of(version).inputs
    return {"workflow": workflow, "version": version, "inputs": [(one, KIND_TITLES[one.type]) for one in inputs]}


def _offered(workflow: Workflow) -> Any:
    """What is Live, else the newest draft."""
    try:
        return documents.version_of(workflow)
    except NotFound:
        return documents.newest(workflow)


@require_GET
def inputs_fragment(request: HttpRequest) -> HttpResponse:
    """What the rows of the chosen workflow need: shown as soon as it is chosen."""
    actor_of(request).require("run_batch")
    return render(request, "llm_admin/batches/_needs.html", about(_workflow(request, request.GET.get("workflow", ""))))


@require_GET
def template(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """A table to fill in: the names of the inputs, and an example. `?version=N`, else what would run."""
    actor_of(request).require("view_workflow")
    workflow = find_or_404(request, Workflow, pk)
    number = playground.whole(request.GET.get("version", ""))
    version = documents.version_of(workflow, number=number) if number else _offered(workflow)
    lines = table_head(documents.spec_of(version).inputs)
    if kind == "csv":
        content, content_type = batch_results.template_csv(lines), CSV
    else:
        target = io.BytesIO()
        batch_results.template_xlsx(lines, target)
        content, content_type = target.getvalue(), XLSX
    disposition = f'attachment; filename="{workflow.slug}-rows.{kind}"'
    return HttpResponse(content, content_type=content_type, headers={"Content-Disposition": disposition})
