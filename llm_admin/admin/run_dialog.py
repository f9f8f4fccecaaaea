"""*Run...* from a list: one prompt or workflow, or several at once, as they are Live.

Opening the dialog changes nothing; it is a page of its own where there is no script.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from unfold.decorators import display

from llm_admin.admin import playground
from llm_admin.admin.base import ConsoleAdmin, actor_of
from llm_admin.choices import RunSource
from llm_admin.exceptions import InvalidInput, NotFound, Problem
from llm_admin.models import LIVE, LanguageModel, Run, Workflow
from llm_admin.schemas.variables import VariableSpec
from llm_admin.services import answers, documents, planning, runs
from llm_admin.services.actors import Actor
from llm_admin.services.families import family_of

MOST_AT_ONCE = 20
TOO_MANY = f"At most {MOST_AT_ONCE} can run at once from here. Select fewer."


@dataclass(frozen=True)
class Job:
    """A document as it is Live."""

    document: Any
    version: Any
    spec: Any

    @property
    def variables(self) -> list[VariableSpec]:
        return self.spec.inputs if isinstance(self.document, Workflow) else self.spec.variables

    def start(self, actor: Actor, inputs: dict[str, Any], *, model: str | None, key: str, cache: bool) -> Run:
        names = {variable.name for variable in self.variables}
        given = {name: value for name, value in inputs.items() if name in names}
        common = {"actor": actor, "spec": self.spec, "version": self.version, "inputs": given, "model": model}
        common |= {"source": RunSource.ADMIN, "cache": cache, "client_key": f"{key[:50]}:{self.document.pk}"}
        if isinstance(self.document, Workflow):
            return runs.start_workflow(workflow=self.document, **common)
        return runs.start_prompt(prompt=self.document, **common)


class RunActionsMixin(ConsoleAdmin):
    """For the admins of prompts and workflows. Put "run_link" at the end of `list_display`."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.run_dialog)
        return [path("run-dialog/", view, name=f"llm_admin_{self.opts.model_name}_run_dialog"), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> Any:
        actions: dict[str, Any] = super().get_actions(request)
        if self.has_run_permission(request):
            actions["run_selected"] = (_run_selected, "run_selected", "Run…")
        return actions

    def get_list_display(self, request: HttpRequest) -> Any:
        shown = super().get_list_display(request)
        return shown if self.has_run_permission(request) else [name for name in shown if name != "run_link"]

    def has_run_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"llm_admin.run_{self.opts.model_name}")

    @display(description="")
    def run_link(self, document: models.Model) -> SafeString:
        return format_html(
            '<a class="llm-button llm-button-small" href="{}" data-llm-run>Run…<span class="llm-sr"> {}</span></a>',
            self.run_dialog_url([document.pk]),
            document,
        )

    def run_dialog_url(self, ids: Iterable[Any]) -> str:
        address = reverse(f"admin:llm_admin_{self.opts.model_name}_run_dialog")
        return f"{address}?{urlencode([('pk', pk) for pk in ids])}"

    def run_dialog(self, request: HttpRequest) -> HttpResponse:
        actor = actor_of(request)
        actor.require(f"run_{self.opts.model_name}")
        jobs = _jobs(self.model, _ids(request))
        if request.method != "POST":
            return self._answer(request, _form(actor, jobs))
        inputs = playground.posted_inputs(request.POST)
        model = request.POST.get("model") or None
        try:
            with transaction.atomic():
                key = playground.client_key(request) or uuid.uuid4().hex
                cache = playground.uses_cache(request)
                started = [job.start(actor, inputs, model=model, key=key, cache=cache) for job in jobs]
        except InvalidInput as error:
            form = _form(actor, jobs, inputs=inputs, model=model, problems=error.problems)
            return self._answer(request, form | {"client_key": request.POST.get("client_key", "")}, status=422)
        panels = [playground.panel_context(request, Run.objects.get(pk=run.pk)) for run in started]
        return self._answer(request, {"panels": panels, "title": _title(jobs)})

    def _answer(self, request: HttpRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
        context |= {"opts": self.opts, "back": reverse(f"admin:llm_admin_{self.opts.model_name}_changelist")}
        if request.htmx:  # type: ignore[attr-defined]
            return TemplateResponse(request, "llm_admin/run_dialog/_dialog.html", context, status=status)
        context |= self.admin_site.each_context(request)
        return TemplateResponse(request, "llm_admin/run_dialog/page.html", context, status=status)


def _run_selected(model_admin: Any, request: HttpRequest, queryset: models.QuerySet[Any]) -> HttpResponse | None:
    ids = list(queryset.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
    if len(ids) > MOST_AT_ONCE:
        messages.error(request, TOO_MANY)
        return None
    return redirect(model_admin.run_dialog_url(ids))


def _ids(request: HttpRequest) -> list[int]:
    given = request.POST if request.method == "POST" else request.GET
    ids = list(dict.fromkeys(filter(None, map(playground.whole, given.getlist("pk")))))
    if len(ids) > MOST_AT_ONCE:
        raise InvalidInput(TOO_MANY)
    return ids


def _jobs(model: type[Any], ids: list[int]) -> list[Job]:
    """One query for the documents and one for their Live versions, in the order of their names."""
    noun = model._meta.model_name
    found = list(model.objects.filter(pk__in=ids).select_related("workspace"))
    if not found or len(found) < len(ids):
        raise NotFound(f"There is no such {noun}. Perhaps it was deleted in the meantime; reload the list.")
    for one in found:
        planning.refuse_archived(one)
    family = family_of(found[0])
    rows = family.version.objects.filter(**{f"{noun}__in": found}, labels__name=LIVE)
    live = {getattr(version, f"{noun}_id"): version for version in rows}
    if missing := [str(one) for one in found if one.pk not in live]:
        raise InvalidInput(f"“{missing[0]}” has no Live version yet. Open it and press “Save and publish”.")
    return [Job(one, live[one.pk], documents.spec_of(live[one.pk])) for one in found]


def _form(
    actor: Actor,
    jobs: list[Job],
    *,
    inputs: dict[str, Any] | None = None,
    model: str | None = None,
    problems: Iterable[Problem] = (),
) -> dict[str, Any]:
    """The union of the inputs: what has the same name in several is asked for once."""
    variables: dict[str, VariableSpec] = {}
    for variable in (variable for job in jobs for variable in job.variables):
        variables.setdefault(variable.name, variable)
    at_fields = {p.location[1]: p.message for p in problems if p.location[:1] == ("inputs",) and len(p.location) > 1}
    given = inputs or {}
    return {
        "title": _title(jobs),
        "jobs": jobs,
        "client_key": uuid.uuid4().hex,
        "fields": [
            {"variable": v, "value": given.get(v.name, v.default), "problem": at_fields.get(v.name, "")}
            for v in variables.values()
        ],
        "problems": [p.message for p in problems if p.location[:1] != ("inputs",)],
        "model": model,
        "models": list(LanguageModel.objects.filter(enabled=True)),
        "default_model": actor.workspace.default_model,
        "may_cache": any(answers.may_apply(actor.workspace, job.spec) for job in jobs),
    }


def _title(jobs: list[Job]) -> str:
    if len(jobs) == 1:
        return f"Run “{jobs[0].document}”"
    return f"Run {len(jobs)} {jobs[0].document._meta.verbose_name_plural}"
