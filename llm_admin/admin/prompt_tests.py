"""Test inputs: editing them, and running them all on what stands in the editor or on a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_GET, require_POST

from llm_admin.admin import playground, prompt_test_forms
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.admin.value_fields import refused
from llm_admin.exceptions import InvalidInput, NotFound, Problem
from llm_admin.models import Prompt, PromptTest, PromptVersion, Run
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.selectors.test_results import TestResult, result_of, results_on
from llm_admin.services import documents, follow, prompt_tests

if TYPE_CHECKING:
    from llm_admin.admin.document_studio import Page

CARD = "llm_admin/tests/_card.html"
UNSAVED = "the text in the editor"


def urls(wrap: Any) -> list[URLPattern]:
    """`wrap` is the site's `admin_view`."""
    return [
        path("<int:pk>/tests/", wrap(card), name="llm_admin_prompt_tests"),
        path("<int:pk>/tests/form/", wrap(form), name="llm_admin_prompt_tests_form"),
        path("<int:pk>/tests/save/", wrap(save), name="llm_admin_prompt_tests_save"),
        path("<int:pk>/tests/run/", wrap(run), name="llm_admin_prompt_tests_run"),
        path("<int:pk>/tests/<int:test>/delete/", wrap(delete), name="llm_admin_prompt_tests_delete"),
        path("<int:pk>/tests/<int:test>/result/", wrap(result), name="llm_admin_prompt_tests_result"),
    ]


def panel(page: Page) -> dict[str, Any]:
    """The card itself is loaded after the page: its results are checked anew each time."""
    if page.document is None:
        return {}
    address = reverse("admin:llm_admin_prompt_tests", args=[page.document.pk])
    number = page.opened.number if page.opened else page.document.last_number
    return {"tests_url": f"{address}?version={number}"}


@require_GET
def card(request: HttpRequest, pk: int) -> HttpResponse:
    """`version`: the one whose results are shown, by default the newest."""
    actor_of(request).require("view_prompt")
    prompt = find_or_404(request, Prompt, pk)
    return render(request, CARD, _card(request, prompt, playground.whole(request.GET.get("version", ""))))


def _card(request: HttpRequest, prompt: Prompt, number: int) -> dict[str, Any]:
    version = documents.version_of(prompt, number=number or prompt.last_number)
    results = results_on(version, PromptTest.objects.filter(prompt=prompt))
    return {**_common(request, prompt), "version": version, "on": str(version), "rows": _rows(request, results)}


def _common(request: HttpRequest, prompt: Prompt) -> dict[str, Any]:
    actor = actor_of(request)
    return {
        "prompt": prompt,
        "may_change": actor.may("change_prompt"),
        "may_run": actor.may("run_prompt") and not prompt.archived_at,
    }


def _rows(request: HttpRequest, results: list[TestResult]) -> list[dict[str, Any]]:
    """Others' answers are not for everybody: their result is, as the test input is everyone's."""
    everyone, me = actor_of(request).may("view_all_runs"), request.user.pk
    return [_row(one, seen=everyone or (one.run is not None and one.run.owner_id == me)) for one in results]


def _row(one: TestResult, *, seen: bool) -> dict[str, Any]:
    checks = prompt_tests.as_spec(one.test).checks
    row = {"test": one.test, "result": one, "checks": [check.words for check in checks], "seen": seen}
    if one.state == "running" and one.run is not None and seen:
        snapshot = follow.snapshot(one.run)
        row |= {"position": snapshot.position, "streamed": snapshot.texts.get("", "")}
    return row


@require_POST
def form(request: HttpRequest, pk: int) -> HttpResponse:
    """`spec`: the editor's text, whose variables are asked for; `test`: to change it; `values`: to begin with."""
    actor_of(request).require("change_prompt")
    prompt = find_or_404(request, Prompt, pk)
    test = _test(prompt, request.POST["test"]) if request.POST.get("test") else None
    given: Any = {"name": test.name, "inputs": test.inputs, "checks": test.checks} if test else {}
    if request.POST.get("values"):
        given = {"inputs": playground.posted_json(request.POST["values"])}
    context = prompt_test_forms.context(_spec(prompt, request.POST), given, test=test)
    return render(request, "llm_admin/tests/_form.html", {**_common(request, prompt), **context})


@require_POST
def save(request: HttpRequest, pk: int) -> HttpResponse:
    actor = actor_of(request)
    actor.require("change_prompt")
    prompt = find_or_404(request, Prompt, pk)
    test = _test(prompt, request.POST["test"]) if request.POST.get("test") else None
    given = prompt_test_forms.posted(request.POST)
    try:
        prompt_tests.save(prompt, actor=actor, data=prompt_test_forms.parsed(given), test=test)
    except InvalidInput as error:
        context = prompt_test_forms.context(_spec(prompt, request.POST), given, test=test, problems=error.problems)
        return render(request, "llm_admin/tests/_form.html", {**_common(request, prompt), **context}, status=422)
    return render(request, CARD, _card(request, prompt, playground.whole(request.POST.get("version", ""))))


@require_POST
def delete(request: HttpRequest, pk: int, test: int) -> HttpResponse:
    actor = actor_of(request)
    actor.require("change_prompt")
    prompt = find_or_404(request, Prompt, pk)
    prompt_tests.delete(_test(prompt, test), actor=actor)
    return render(request, CARD, _card(request, prompt, playground.whole(request.POST.get("version", ""))))


@require_POST
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """On `spec` (the text in the editor) or on `version`; `test`: that one alone. Answers with the list, or its row."""
    actor = actor_of(request)
    actor.require("run_prompt")
    prompt = find_or_404(request, Prompt, pk)
    tests = [_test(prompt, request.POST["test"])] if request.POST.get("test") else None
    try:
        version, spec = _what(prompt, request.POST)
        started = prompt_tests.start_all(
            prompt,
            actor=actor,
            spec=spec,
            version=version,
            model=request.POST.get("model") or None,
            tests=tests,
            client_key=playground.client_key(request),
            cache=playground.uses_cache(request),
        )
    except InvalidInput as error:
        return refused(request, error)
    fresh = Run.objects.filter(pk__in=[one.pk for one in started]).select_related("test").in_bulk()
    results = [result_of(run.test, run) for one in started if (run := fresh[one.pk]).test]
    same = version is not None and started[0].prompt_version_id == version.pk
    context = {**_common(request, prompt), "on": str(version) if same else UNSAVED}
    rows = _rows(request, results)
    if tests is not None and not rows:
        raise NotFound("This test input was deleted meanwhile.")
    if tests is not None:
        return render(request, "llm_admin/tests/_row.html", context | {"row": rows[0]})
    return render(request, "llm_admin/tests/_list.html", context | {"rows": rows})


@require_GET
def result(request: HttpRequest, pk: int, test: int) -> HttpResponse:
    """One row, after its run: `?run=`."""
    actor_of(request).require("view_prompt")
    prompt = find_or_404(request, Prompt, pk)
    found = _test(prompt, test)
    shown = playground.run_or_404(request, request.GET.get("run", ""))
    if shown.test_id != found.pk:
        raise Http404
    context = {
        **_common(request, prompt),
        "row": _row(result_of(found, shown), seen=True),
        "on": str(shown.prompt_version or UNSAVED),
    }
    return render(request, "llm_admin/tests/_row.html", context)


def _test(prompt: Prompt, pk: Any) -> PromptTest:
    test = PromptTest.objects.filter(prompt=prompt, pk=playground.whole(str(pk))).first()
    if test is None:
        raise NotFound("There is no such test input. Perhaps it was deleted in the meantime; reload the page.")
    return test


def _what(prompt: Prompt, fields: QueryDict) -> tuple[PromptVersion | None, PromptSpec]:
    """Text that is the version's is that version, so that the result counts as one of it."""
    number = playground.whole(fields.get("version", ""))
    version = documents.version_of(prompt, number=number) if number else None
    if fields.get("spec"):
        return version, playground.spec_of(playground.posted_json(str(fields["spec"])))
    if version is None:
        raise InvalidInput([Problem((), "Say which version to run the test inputs on.")])
    return version, documents.spec_of(version)


def _spec(prompt: Prompt, fields: QueryDict) -> PromptSpec:
    """Whatever is wrong with the text in the editor, its saved variables can be filled in."""
    try:
        if fields.get("spec"):
            return playground.spec_of(playground.posted_json(str(fields["spec"])))
    except InvalidInput:
        pass
    return documents.spec_of(documents.newest(prompt))
