"""Which workflow, which field for which input, which result for which field: the page before a run on rows."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from llm_admin.admin import playground
from llm_admin.admin.base import actor_of
from llm_admin.admin.batch_words import estimate_words
from llm_admin.admin.host_actions import address, host_of, may_run
from llm_admin.admin.input_forms import form_text
from llm_admin.exceptions import InvalidInput, PermissionRefused, Problem
from llm_admin.models import LanguageModel, Workflow
from llm_admin.selectors.workflow_estimates import estimate
from llm_admin.services import answers, documents, host_maps, host_rows
from llm_admin.services.host_fields import FIXED, sources, title_of
from llm_admin.services.host_maps import FieldMap
from llm_admin.services.hosts import Host, objects

PREVIEWED = 3
AT_ONCE = 5
NOBODY = "You may not run workflows on these rows: that takes the right to change them, and a role that runs workflows."


def first(model_admin: Any, request: HttpRequest, ids: list[str]) -> HttpResponse:
    _require(model_admin, request)
    if len(ids) > host_rows.MOST_ROWS:
        raise InvalidInput(f"At most {host_rows.MOST_ROWS:,} rows at once. Select fewer.")
    return _Page(model_admin, request, ids).answer()


def page(request: HttpRequest, model_admin: Any) -> HttpResponse:
    """`do`: "show" (another workflow was chosen), "preview" (another field), "start"."""
    if request.method != "POST":
        return redirect(address(model_admin, "changelist"))
    _require(model_admin, request)
    made = _Page(model_admin, request, _ids(request.POST.get("ids", "")))
    match request.POST.get("do"):
        case "start":
            return made.start()
        case "preview":
            return made.preview()
        case _:
            return made.answer()


def _require(model_admin: Any, request: HttpRequest) -> None:
    actor_of(request).require("run_batch")
    if not may_run(model_admin, request):
        raise PermissionRefused(NOBODY)


def _ids(text: str) -> list[str]:
    found = playground.posted_json(text or "[]")
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise InvalidInput(playground.NOT_WHOLE)
    return found


class _Page:
    """One request's state: the chosen workflow, and the mapping as posted, remembered, or guessed."""

    def __init__(self, model_admin: Any, request: HttpRequest, ids: list[str]) -> None:
        self.admin, self.request, self.ids = model_admin, request, ids
        self.actor = actor_of(request)
        sample = objects(host_of(model_admin, request), ids[:1])
        self.host: Host = host_of(model_admin, request, *sample)
        self.workflows = host_rows.workflows(actor=self.actor)
        self.workflow = self._chosen()
        if self.workflow is not None:
            self.version = host_rows.live_version(self.workflow)
            self.spec = documents.spec_of(self.version)

    def _chosen(self) -> Workflow | None:
        """Only one workflow: that. Nothing posted yet: the one used last."""
        wanted = playground.whole(self.request.POST.get("workflow", ""))
        if not wanted and "workflow" not in self.request.POST:
            wanted = host_maps.last_used(self.host, actor=self.actor)
        found = next((one for one in self.workflows if one.pk == wanted), None)
        return found or (self.workflows[0] if len(self.workflows) == 1 else None)

    def posted(self) -> tuple[FieldMap, list[Problem]]:
        given, fixed = self.request.POST, playground.posted_inputs(self.request.POST)
        inputs = {variable.name: str(given.get(f"in-{variable.name}", "")) for variable in self.spec.inputs}
        inputs = {name: FIXED + str(fixed.get(name, "")) if key == FIXED else key for name, key in inputs.items()}
        titles = {field.name: title_of(field) for field in self.host.targets()}
        outputs: dict[str, str] = {}
        problems = []
        for one in host_maps.outcomes(self.spec):
            name = str(given.get(f"out-{one.name}", ""))
            if name in outputs:
                sentence = f"“{titles.get(name, name)}” gets two results. Choose one."
                problems.append(Problem(("outputs", one.name), sentence))
            elif name:
                outputs[name] = one.name
        return FieldMap({name: key for name, key in inputs.items() if key}, outputs), problems

    def start(self) -> HttpResponse:
        if self.workflow is None:
            return self.answer(problems=[Problem(("workflow",), "Choose a workflow.")])
        given = self.request.POST
        mapping, problems = self.posted()
        if problems:
            return self.answer(mapping, problems)
        try:
            batch = host_rows.start(
                actor=self.actor,
                host=self.host,
                workflow=self.workflow,
                mapping=mapping,
                ids=self.ids,
                leave_out=bool(given.get("leave_out")),
                model=given.get("model") or None,
                concurrency=playground.whole(given.get("concurrency", "")),
                client_key=playground.client_key(self.request),
                cache=playground.uses_cache(self.request),
            )
        except InvalidInput as error:
            return self.answer(mapping, error.problems)
        return redirect(address(self.admin, "workflow_review", batch.pk))

    def preview(self) -> HttpResponse:
        if self.workflow is None:
            return HttpResponse()
        mapping, _ = self.posted()
        return TemplateResponse(self.request, "llm_admin/host_rows/_preview.html", self._preview(mapping))

    def _preview(self, mapping: FieldMap) -> dict[str, Any]:
        prepared = host_rows.prepare(self.host, self.spec, mapping, self.ids[:PREVIEWED])
        names = {variable.name: variable for variable in self.spec.inputs}
        rows = [
            (name, [(names[n].title, form_text(value, names[n])) for n, value in row.inputs.items()])
            for name, row in zip(prepared.names, prepared.rows, strict=True)
        ]
        return {"preview": rows, "wrong": list(prepared.wrong.values()), "count": len(self.ids)}

    def answer(self, mapping: FieldMap | None = None, problems: Iterable[Problem] = ()) -> HttpResponse:
        problems = list(problems)
        context = {
            "opts": self.admin.opts,
            "noun": str(self.admin.opts.verbose_name if len(self.ids) == 1 else self.admin.opts.verbose_name_plural),
            "count": len(self.ids),
            "ids": json.dumps(self.ids),
            "action": address(self.admin, "workflow"),
            "back": address(self.admin, "changelist"),
            "workflows_url": reverse("admin:llm_admin_workflow_changelist"),
            "workflows": self.workflows,
            "workflow": self.workflow,
            "client_key": self.request.POST.get("client_key") or uuid.uuid4().hex,
            "problems": [p.message for p in problems if p.location[:1] not in (("inputs",), ("rows",)) and not _out(p)],
            "wrong_rows": [p.message for p in problems if p.location[:1] == ("rows",)],
        }
        if self.workflow is not None:
            mapping = mapping or host_maps.mapping_for(self.host, self.workflow, self.spec, actor=self.actor)
            context |= self._chosen_context(self.workflow, mapping, problems) | self._preview(mapping)
        return self._render(context, 422 if problems else 200)

    def _render(self, context: dict[str, Any], status: int) -> HttpResponse:
        if self.request.headers.get("HX-Request"):
            return TemplateResponse(self.request, "llm_admin/host_rows/_form.html", context, status=status)
        context |= self.admin.admin_site.each_context(self.request)
        context["title"] = f"Run a workflow on {context['count']:,} {context['noun']}"
        return TemplateResponse(self.request, "llm_admin/host_rows/mapping.html", context, status=status)

    def _chosen_context(self, workflow: Workflow, mapping: FieldMap, problems: Sequence[Problem]) -> dict[str, Any]:
        told = {p.location[:2]: p.message for p in problems}
        by_field = {out: name for name, out in mapping.outputs.items()}
        return {
            "version": self.version,
            "workflow_url": reverse("admin:llm_admin_workflow_change", args=[workflow.pk]),
            "sources": sources(self.host.model, self.host.readable()),
            "inputs": [_input(variable, mapping, told) for variable in self.spec.inputs],
            "targets": [(field.name, title_of(field)) for field in self.host.targets()],
            "outcomes": [
                {"name": one.name, "title": one.title, "field": by_field.get(one.name, ""),
                 "problem": told.get(("outputs", one.name), "")}
                for one in host_maps.outcomes(self.spec)
            ],
            "models": list(LanguageModel.objects.filter(enabled=True)),
            "model": self.request.POST.get("model", ""),
            "estimate": self._estimate(workflow),
            "default_model": self.actor.workspace.default_model,
            "concurrency": playground.whole(self.request.POST.get("concurrency", "")) or AT_ONCE,
            "may_cache": answers.may_apply(self.actor.workspace, self.spec),
            "no_cache": not playground.uses_cache(self.request),
        }  # fmt: skip

    def _estimate(self, workflow: Workflow) -> dict[str, str]:
        model, at_once = self.request.POST.get("model") or None, self.request.POST.get("concurrency", "")
        return estimate_words(
            estimate(workflow_id=workflow.pk, version_id=self.version.pk, model=model),
            rows=len(self.ids),
            concurrency=playground.whole(at_once) or AT_ONCE,
            workspace=self.actor.workspace,
            version=self.version,
        )


def _out(problem: Problem) -> bool:
    return problem.location[:1] == ("outputs",) and len(problem.location) > 1


def _input(variable: Any, mapping: FieldMap, told: dict[Any, str]) -> dict[str, Any]:
    key = mapping.inputs.get(variable.name, "")
    fixed = key.startswith(FIXED)
    return {
        "variable": variable,
        "source": FIXED if fixed else key,
        "value": key.removeprefix(FIXED) if fixed else "",
        "problem": told.get(("inputs", variable.name), ""),
    }
