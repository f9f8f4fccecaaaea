"""Columns side by side: versions, drafts and models on the same inputs."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_POST

from llm_admin.admin import compare_grid, playground
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.value_fields import fields_of, refused
from llm_admin.exceptions import InvalidInput, NotFound
from llm_admin.models import LIVE, LanguageModel, Prompt, PromptTest, PromptVersion
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.selectors import feedback
from llm_admin.services import answers, comparisons, documents, drafts
from llm_admin.services.comparisons import Choice

if TYPE_CHECKING:
    from llm_admin.admin.document_studio import Page

VERSIONS_OFFERED = 100
DRAFT = "draft"


@dataclass(frozen=True)
class Pick:
    """What one column's two lists say."""

    what: str  # a version's number, or DRAFT
    model: str = ""


def urls(wrap: Any) -> list[URLPattern]:
    """`wrap` is the site's `admin_view`."""
    return [
        path("<int:pk>/compare/", wrap(page), name="llm_admin_prompt_compare"),
        path("<int:pk>/compare/fields/", wrap(fields), name="llm_admin_prompt_compare_fields"),
        path("<int:pk>/compare/run/", wrap(run), name="llm_admin_prompt_compare_run"),
        path("<int:pk>/compare/part/", wrap(part), name="llm_admin_prompt_compare_part"),
        path("<int:pk>/compare/stop/", wrap(stop), name="llm_admin_prompt_compare_stop"),
    ]


def panel(page: Page) -> dict[str, Any]:
    return {}


@require_GET
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """`c` (once a column): a version's number or "draft", with ":model" or without; `set`: a comparison's key."""
    actor = actor_of(request)
    actor.require("view_prompt")
    prompt = find_or_404(request, Prompt, pk)
    draft = _stored_draft(request, prompt)
    picks = _asked(request, prompt)
    specs = _specs(prompt, picks, draft)
    default = actor.workspace.default_model
    context = {
        **admin.site.each_context(request),
        "opts": Prompt._meta,
        "original": prompt,
        "title": f"Compare: {prompt}",
        "prompt": prompt,
        "versions": _versions(prompt),
        "models": list(LanguageModel.objects.filter(enabled=True).values_list("alias", "name")),
        "default_model": default.name if default else "",
        "picks": picks,
        "draft": draft,
        "tests": PromptTest.objects.filter(prompt=prompt).count(),
        "by_tests": request.GET.get("by") == "tests",
        "times": min(max(playground.whole(request.GET.get("times", "1")), 1), comparisons.MOST_TIMES),
        "may_run": actor.may("run_prompt") and not prompt.archived_at,
        "client_key": uuid.uuid4().hex,
        "grid": compare_grid.build(prompt, actor=actor, key=request.GET.get("set", "")),
        "most_times": comparisons.MOST_TIMES,
        "may_cache": any(answers.may_apply(actor.workspace, spec) for spec in specs),
        **fields_of(specs, _last_inputs(request, prompt)),
    }
    context |= _grid_context(request, prompt, context["grid"])
    return TemplateResponse(request, "llm_admin/compare/page.html", context)


def _grid_context(request: HttpRequest, prompt: Prompt, grid: compare_grid.Grid | None) -> dict[str, Any]:
    actor = actor_of(request)
    may = {"may_keep": actor.may("change_prompt"), "may_stop": actor.may("run_prompt")}
    return {"prompt": prompt, "feedback_given": feedback.given(request.user, logs=grid.logs if grid else ()), **may}


def _versions(prompt: Prompt) -> list[tuple[str, str]]:
    rows = prompt.versions.prefetch_related("labels").defer("spec")[:VERSIONS_OFFERED]
    titles = {row.number: compare_grid.labelled(label.name for label in row.labels.all()) for row in rows}
    notes = {row.number: row.note for row in rows}
    return [
        (str(number), " · ".join(part for part in (f"v{number}", labels, notes[number][:40]) if part))
        for number, labels in titles.items()
    ]


def _asked(request: HttpRequest, prompt: Prompt) -> list[Pick]:
    """By default Live against the newest."""
    asked = [Pick(*text.partition(":")[::2]) for text in request.GET.getlist("c")[: comparisons.MOST_COLUMNS]]
    asked = [pick for pick in asked if pick.what == DRAFT or playground.whole(pick.what)]
    live = prompt.versions.filter(labels__name=LIVE).values_list("number", flat=True).first()
    newest = prompt.last_number
    if live == newest and newest > 1:
        live = newest - 1
    if not asked:
        asked = [Pick(str(live or newest))]
    return asked if len(asked) > 1 else [*asked, Pick(str(newest))]


def _stored_draft(request: HttpRequest, prompt: Prompt) -> dict[str, Any] | None:
    """What this person has not saved, as the studio keeps it."""
    kept = drafts.mine(prompt, actor=actor_of(request))
    spec = kept.content.get("spec") if kept and isinstance(kept.content, dict) else None
    return spec if isinstance(spec, dict) else None


def _specs(prompt: Prompt, picks: list[Pick], draft: Any) -> list[PromptSpec]:
    """For the fields: a column that cannot be read asks for nothing yet."""
    found = []
    for pick in picks:
        try:
            found.append(_read(prompt, pick, draft)[1])
        except (InvalidInput, NotFound):
            continue
    return found


def _read(prompt: Prompt, pick: Pick, draft: Any) -> tuple[PromptVersion | None, PromptSpec]:
    if pick.what != DRAFT:
        version = documents.version_of(prompt, number=playground.whole(pick.what))
        return version, documents.spec_of(version)
    if draft is None:
        raise InvalidInput("There is no unsaved text. Open “Compare” from the studio, or choose a version.")
    return None, playground.spec_of(draft)


def _last_inputs(request: HttpRequest, prompt: Prompt) -> dict[str, Any]:
    """What was filled in last, here or in the studio."""
    found = comparisons.runs_of(prompt, actor=actor_of(request), key=request.GET.get("set", ""))
    typed = next((one.inputs for _, row, _, one in found if row == 0), None)
    return typed or {}


def _posted(request: HttpRequest) -> tuple[list[Pick], Any]:
    whats, models = request.POST.getlist("column-what"), request.POST.getlist("column-model")
    picks = [Pick(what, model) for what, model in zip(whats, models, strict=False)]
    draft = playground.posted_json(request.POST["draft"]) if request.POST.get("draft") else None
    return picks, draft


@require_POST
def fields(request: HttpRequest, pk: int) -> HttpResponse:
    """What the chosen columns ask for, with the values that stand there."""
    actor_of(request).require("view_prompt")
    prompt = find_or_404(request, Prompt, pk)
    picks, draft = _posted(request)
    specs = _specs(prompt, picks[: comparisons.MOST_COLUMNS], draft)
    return render(request, "llm_admin/compare/_fields.html", fields_of(specs, playground.posted_inputs(request.POST)))


@require_POST
def run(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    actor.require("run_prompt")
    prompt = find_or_404(request, Prompt, pk)
    picks, draft = _posted(request)
    by_tests = request.POST.get("by") == "tests"
    times, key = playground.whole(request.POST.get("times", "1")), request.POST.get("client_key", "")
    try:
        choices = _choices(prompt, picks, draft)
        inputs = None if by_tests else playground.posted_inputs(request.POST)
        cache = playground.uses_cache(request)
        comparisons.start(prompt, actor=actor, choices=choices, key=key, inputs=inputs, times=times, cache=cache)
    except InvalidInput as error:
        return refused(request, error)
    response = _shown(request, prompt, key)
    query = [("c", f"{pick.what}:{pick.model}" if pick.model else pick.what) for pick in picks]
    query += [("set", key), *([("by", "tests")] if by_tests else []), *([("times", str(times))] if times > 1 else [])]
    response["HX-Replace-Url"] = f"{reverse('admin:llm_admin_prompt_compare', args=[pk])}?{urlencode(query)}"
    return response


def _choices(prompt: Prompt, picks: list[Pick], draft: Any) -> list[Choice]:
    names = dict(LanguageModel.objects.values_list("alias", "name"))
    choices = []
    for pick in picks[: comparisons.MOST_COLUMNS + 1]:  # one more is refused by the service
        version, spec = _read(prompt, pick, draft)
        title = str(version) if version else "Unsaved text"
        if pick.model:
            title += f" with {names.get(pick.model, pick.model)}"
        choices.append(Choice(title, spec, version, pick.model or None))
    return choices


def _shown(request: HttpRequest, prompt: Prompt, key: str) -> HttpResponse:
    grid = compare_grid.build(prompt, actor=actor_of(request), key=key)
    return render(request, "llm_admin/compare/_grid.html", {"grid": grid, **_grid_context(request, prompt, grid)})


@require_GET
def part(request: HttpRequest, pk: int) -> HttpResponse:
    """`set` and: `row` (that row), `run` (that one answer), or neither (the heads with their sums)."""
    actor = actor_of(request)
    actor.require("view_run")
    prompt = find_or_404(request, Prompt, pk)
    asked = request.GET.get("row", "")
    row = playground.whole(asked) if asked.isdecimal() else None
    grid = compare_grid.build(prompt, actor=actor, key=request.GET.get("set", ""), only_row=row)
    if grid is None:
        raise Http404
    context = {"grid": grid, **_grid_context(request, prompt, grid)}
    if "run" in request.GET:
        parts = ((r, c, one) for r in grid.rows for c in r.cells for one in c.answers)
        found = next((part for part in parts if str(part[2].run.pk) == request.GET["run"]), None)
        if found is None:
            raise Http404
        context |= dict(zip(("row", "cell", "answer"), found, strict=True))
        return render(request, "llm_admin/compare/_answer.html", context)
    if row is None:
        return render(request, "llm_admin/compare/_heads.html", context)
    if not grid.rows:
        raise Http404
    return render(request, "llm_admin/compare/_row.html", context | {"row": grid.rows[0]})


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    actor.require("run_prompt")
    prompt = find_or_404(request, Prompt, pk)
    key = request.POST.get("set", "")
    comparisons.stop(prompt, actor=actor, key=key)
    return _shown(request, prompt, key)
