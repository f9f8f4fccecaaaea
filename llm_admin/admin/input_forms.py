"""Values of variables in forms: as texts, those used before, and a table to fill in."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET

from llm_admin.admin import playground
from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.models import Prompt
from llm_admin.schemas.values import as_text
from llm_admin.schemas.variable_forms import table_head
from llm_admin.schemas.variables import VariableSpec
from llm_admin.services import documents, runs

MOST_REMEMBERED = 10
LOOKED_THROUGH = 60  # runs; values can be large
TITLE_LENGTH = 90
PART_LENGTH = 28


def form_text(value: Any, variable: VariableSpec | None = None) -> str:
    """What a person would type for this value: it gives the same value again."""
    if variable is not None and variable.type == "json" and value != "":
        return json.dumps(value, ensure_ascii=False, indent=2)
    text = as_text(value)
    if isinstance(value, list) and (variable is None or variable.problem(value) or variable.value(text or []) != value):
        return json.dumps(value, ensure_ascii=False)
    return text


def form_values(variables: Iterable[VariableSpec], inputs: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """`values` (texts) for the variables, `lists` for the places of messages, as the studio's script wants them."""
    known = {variable.name: variable for variable in variables}
    lists = {name: value for name, value in inputs.items() if name not in known and _is_messages(value)}
    return {
        "values": {name: form_text(v, known.get(name)) for name, v in inputs.items() if name not in lists},
        "lists": lists,
    }


def _is_messages(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, dict) and set(one) == {"role", "text"} for one in value)


def urls(wrap: Any) -> list[URLPattern]:
    return [
        path("<int:pk>/values/", wrap(last_values), name="llm_admin_prompt_values"),
        path("<int:pk>/template.csv", wrap(table), name="llm_admin_prompt_template"),
    ]


def panel(page: Any) -> dict[str, Any]:
    return {}


@require_GET
def last_values(request: HttpRequest, pk: int) -> JsonResponse:
    """What this person filled in lately, each set once, the newest first."""
    actor = actor_of(request)
    actor.require("view_run")
    prompt = find_or_404(request, Prompt, pk)
    variables = documents.spec_of(documents.newest(prompt)).variables
    rows = runs.visible(actor=actor).filter(prompt=prompt, owner=actor.user).order_by("-created_at")
    found: dict[str, dict[str, Any]] = {}
    for created_at, inputs in rows.values_list("created_at", "inputs")[:LOOKED_THROUGH]:
        texts = form_values(variables, inputs or {})
        if any(texts["values"].values()) or any(texts["lists"].values()):
            entry = {"title": _title(texts["values"]), "when": created_at.isoformat(), **texts}
            found.setdefault(json.dumps(texts, sort_keys=True), entry)
        if len(found) == MOST_REMEMBERED:
            break
    return JsonResponse({"entries": list(found.values())})


def _title(values: dict[str, str]) -> str:
    """A little of each: long texts often begin alike."""
    return _short(" · ".join(_short(text, PART_LENGTH) for text in values.values() if text.strip()), TITLE_LENGTH)


def _short(text: str, length: int) -> str:
    words = " ".join(text[: length * 2].split())
    return words if len(words) <= length and len(text) <= length * 2 else f"{words[: length - 1]}…"


@require_GET
def table(request: HttpRequest, pk: int) -> HttpResponse:
    """The first two rows of a table of values: `?version=N`, else of the newest version."""
    actor_of(request).require("view_prompt")
    prompt = find_or_404(request, Prompt, pk)
    number = playground.whole(request.GET.get("version", "")) or prompt.last_number
    spec = documents.spec_of(documents.version_of(prompt, number=number))
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{prompt.slug}.csv"'
    csv.writer(response).writerows(table_head(spec.variables))
    return response
