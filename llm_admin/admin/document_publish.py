"""The card before a label is moved: what it replaces, what differs, how the test inputs went, who uses it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods

from llm_admin.admin import playground
from llm_admin.admin.document_pages import DocumentPages, links, parts, say_moved
from llm_admin.models import LIVE, Prompt, PromptTest, label_title
from llm_admin.schemas.diffs import changes
from llm_admin.selectors import feedback, label_history, test_results, uses, version_numbers
from llm_admin.services import documents, label_moves, labels
from llm_admin.services.actors import Actor


class PublishPages(DocumentPages):
    def urls(self, wrap: Any) -> list[URLPattern]:
        return [path("<int:pk>/publish/", wrap(self.publish), name=f"llm_admin_{self.noun}_publish")]

    @method_decorator(require_http_methods(["GET", "POST"]))
    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """`?number=5&label=production`; `&part=tests` gives the test inputs' results alone."""
        actor, document = self._found(request, pk, "publish")
        given = request.POST if request.method == "POST" else request.GET
        label = labels.clean_name(given.get("label") or LIVE)
        number = playground.whole(given.get("number", "")) or document.last_number
        version = documents.version_of(document, number=number)
        held = document.labels.filter(name=label).select_related("version").first()
        if given.get("part") == "tests":
            context = {"document": document, "noun": self.noun, "version": version} | tests_of(document, version, actor)
            return render(request, "llm_admin/versions/_publish_tests.html", context)
        if request.method != "POST":
            return self._card(request, actor, document, label, version, held)
        if given.get("replaces", "") != str(held.version.number if held else ""):
            moved = f"{label_title(label)} was moved since you opened this page. Look at what it replaces now."
            return self._card(request, actor, document, label, version, held, conflict=moved)
        return self._move(request, actor, document, label, version)

    def _move(self, request: HttpRequest, actor: Actor, document: Any, label: str, version: Any) -> HttpResponse:
        reason = request.POST.get("reason", "")
        event = labels.move(document, actor=actor, label=label, number=version.number, reason=reason)
        if event is None:
            messages.info(request, f"{label_title(label)} is {version} already.")
        else:
            say_moved(request, document, label, f"{version} is {label_title(label)} now.")
        return redirect(links(document)["change"])

    def _card(
        self, request: HttpRequest, actor: Actor, document: Any, label: str, version: Any, held: Any, conflict: str = ""
    ) -> HttpResponse:
        before = held.version if held else None
        spec_before = documents.spec_of(before) if before else None
        title = label_title(label)
        context = {
            "title": f"{document}: {'publish' if label == LIVE else 'move ' + title + ' to'} {version}",
            "label": label,
            "label_title": title,
            "version": version,
            "before": before,
            "event": label_history.newest_event(document, label),
            "parts": parts(changes(spec_before, documents.spec_of(version))) if before != version else [],
            "columns": _columns(document, before, version),
            "feedback": feedback.said(document, before, version),
            "uses": uses.workflows_using(document) if isinstance(document, Prompt) else [],
            "may_move": label_moves.may_move(actor, self.noun, label),
            "conflict": conflict,
            "reason": request.POST.get("reason", "") or version.note,
        }
        context |= tests_of(document, version, actor)
        return self._page(request, "publish.html", document, context, 409 if conflict else 200)


def _columns(document: Any, *versions: Any) -> list[tuple[Any, version_numbers.Numbers]]:
    different = dict.fromkeys(version for version in versions if version)
    return [(version, version_numbers.of_version(document, version)) for version in different]


def tests_of(document: Any, version: Any, actor: Actor) -> dict[str, Any]:
    if not isinstance(document, Prompt):
        return {"tests": None}
    results = test_results.results_on(version, PromptTest.objects.filter(prompt=document))
    states = [result.state for result in results]
    return {
        "tests": results,
        "failed": states.count("failed"),
        "passed": states.count("passed"),
        "running": states.count("running"),
        "missing": len(states) - states.count("passed") - states.count("failed") - states.count("running"),
        "run_tests": _run_tests(document) if results and actor.may("run_prompt") else "",
        "tests_url": f"{links(document)['publish']}?number={version.number}&part=tests",
    }


def _run_tests(document: Prompt) -> str:
    try:
        return reverse("admin:llm_admin_prompt_tests_run", args=[document.pk])
    except NoReverseMatch:
        return ""
