"""Prompts in an imported syntax: their variables while they are edited, and the change to our own syntax."""

from __future__ import annotations

from typing import Any, get_args

from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST

from llm_admin.admin import playground
from llm_admin.admin.base import actor_of
from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.schemas.diffs import changes
from llm_admin.schemas.prompts import MAX_TEXT, converted
from llm_admin.schemas.syntaxes import Syntax, syntax_of


def urls(wrap: Any) -> list[URLPattern]:
    return [
        path("names/", wrap(names), name="llm_admin_prompt_names"),
        path("convert/", wrap(convert), name="llm_admin_prompt_convert"),
    ]


def panel(page: Any) -> dict[str, Any]:
    return {}


@require_POST
def names(request: HttpRequest) -> JsonResponse:
    """The variables that the posted texts name, and what is wrong in which text (`null` is none). Keeps nothing."""
    actor_of(request).require("run_prompt")
    syntax = request.POST.get("syntax", "")
    texts = playground.posted_json(request.POST.get("texts", ""))
    if syntax not in get_args(Syntax) or not _are_texts(texts):
        raise InvalidInput(playground.NOT_WHOLE)
    module = syntax_of(syntax)  # type: ignore[arg-type]
    found = dict.fromkeys(name for text in texts if text for name in module.names(text))
    wrong = [(at, module.problem(text)) for at, text in enumerate(texts) if text]
    problems = [Problem(("messages", at), problem) for at, problem in wrong if problem]
    shown = [{"location": problem.location, "message": problem.message} for problem in problems]
    return JsonResponse({"names": list(found), "problems": shown})


def _are_texts(texts: Any) -> bool:
    few = isinstance(texts, list) and len(texts) <= 200
    return few and all(text is None or (isinstance(text, str) and len(text) <= MAX_TEXT) for text in texts)


@require_POST
def convert(request: HttpRequest) -> JsonResponse:
    """The same prompt in our own syntax, with what would differ; or why not. Saves nothing."""
    actor_of(request).require("change_prompt")
    try:
        spec = playground.spec_of(playground.posted_json(request.POST.get("spec", "")))
        made = converted(spec)
    except InvalidInput as error:
        worded = [playground.worded(problem) for problem in error.problems]
        return JsonResponse({"sentences": worded}, status=422)
    html = render_to_string("llm_admin/prompts/_converted.html", {"changes": changes(spec, made)}, request)
    return JsonResponse({"spec": made.model_dump(mode="json"), "html": html})
