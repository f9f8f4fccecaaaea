"""The fields in which people give values for a prompt's variables, made on the server (test inputs, compare)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from llm_admin.admin import playground
from llm_admin.admin.input_forms import form_text
from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.schemas.variables import VariableSpec

MOST_TOLD = 10
EMPTY: tuple[Any, ...] = (None, "", [])


def fields_of(
    specs: Sequence[PromptSpec], given: Mapping[str, Any], problems: Iterable[Problem] = ()
) -> dict[str, Any]:
    """Context of `llm_admin/tests/_values.html`: what several texts ask for under one name is asked for once."""
    variables: dict[str, VariableSpec] = {}
    for variable in (variable for spec in specs for variable in spec.variables):
        variables.setdefault(variable.name, variable)
    lists = dict.fromkeys(name for spec in specs for name in spec.placeholders)
    told = {p.location[1]: p.message for p in problems if len(p.location) > 1 and p.location[0] == "inputs"}
    return {
        "fields": [_field(variable, given.get(variable.name), told) for variable in variables.values()],
        "lists": [
            {"name": n, "title": n.replace("_", " "), "value": _messages(given.get(n)), "problem": told.get(n)}
            for n in lists
            if n not in variables
        ],
    }


def refused(request: HttpRequest, error: InvalidInput) -> HttpResponse:
    """Sentences for the place above the answers: of several runs, each names its own."""
    sentences = list(dict.fromkeys(playground.worded(problem) for problem in error.problems))
    return render(request, "llm_admin/errors/_problems.html", {"problems": sentences[:MOST_TOLD]}, status=422)


def _field(variable: VariableSpec, given: Any, told: Mapping[Any, str]) -> dict[str, Any]:
    value = form_text(given, variable) if given not in EMPTY else variable.default
    if variable.type == "boolean" and value and not variable.problem(value):
        value = form_text(variable.value(value))
    return {"variable": variable, "value": value, "problem": told.get(variable.name, "")}


def _messages(given: Any) -> list[dict[str, str]]:
    found = given if isinstance(given, list) else []
    return [{"role": str(one.get("role")), "text": str(one.get("text"))} for one in found if isinstance(one, dict)]
