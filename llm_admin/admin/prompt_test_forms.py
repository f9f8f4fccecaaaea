"""The form of one test input: what it shows, and what it posts."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.http import QueryDict

from llm_admin.admin import playground
from llm_admin.admin.value_fields import fields_of
from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.models import PromptTest
from llm_admin.schemas.checks import CHECK_TITLES
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.schemas.values import load_json


def posted(fields: QueryDict) -> dict[str, Any]:
    """As the form has it: a check's schema is still text, and rows left empty are none."""
    kinds, texts, schemas = (fields.getlist(f"check-{name}") for name in ("kind", "text", "schema"))
    checks = [
        {"kind": kind, "text": text.replace("\r\n", "\n"), "json_schema": schema}
        for kind, text, schema in zip(kinds, texts, schemas, strict=False)
        if kind == "json" or text
    ]
    inputs = playground.posted_inputs(fields)
    return {"name": fields.get("name", "").strip(), "inputs": inputs, "checks": checks}


def parsed(given: dict[str, Any]) -> dict[str, Any]:
    """With the schemas read. Raises InvalidInput at the check that holds none."""
    checks = []
    for position, check in enumerate(given["checks"]):
        is_json = check["kind"] == "json"
        schema = _schema(check["json_schema"], position) if is_json else None
        checks.append({"kind": check["kind"], "text": "" if is_json else check["text"], "json_schema": schema})
    return {**given, "checks": checks}


def _schema(text: str, position: int) -> dict[str, Any] | None:
    if not text.strip():
        return None
    try:
        schema = load_json(text)
    except ValueError as error:
        raise InvalidInput([Problem(("checks", position), f"The schema {error}.")]) from None
    if not isinstance(schema, dict):
        raise InvalidInput([Problem(("checks", position), "A schema is an object: { … }.")])
    return schema


def context(
    spec: PromptSpec, given: dict[str, Any], *, test: PromptTest | None = None, problems: Iterable[Problem] = ()
) -> dict[str, Any]:
    problems = list(problems)
    checks = [_row(check, position, problems) for position, check in enumerate(given.get("checks") or [])]
    inputs = given.get("inputs")
    placed = ("inputs", "name", "checks")
    return {
        "test": test,
        "name": given.get("name", ""),
        "name_problem": " ".join(p.message for p in problems if p.location[:1] == ("name",)),
        "checks": checks or [{"kind": "contains"}],
        "kinds": CHECK_TITLES,
        "spec_text": json.dumps(spec.model_dump(mode="json")),
        "problems": [p.message for p in problems if not p.location or p.location[0] not in placed],
        **fields_of([spec], inputs if isinstance(inputs, dict) else {}, problems),
    }


def _row(check: dict[str, Any], position: int, problems: list[Problem]) -> dict[str, Any]:
    schema = check.get("json_schema")
    told = [p.message for p in problems if p.location[:2] == ("checks", position)]
    return {
        "kind": check.get("kind", "contains"),
        "text": check.get("text", ""),
        "schema": json.dumps(schema, ensure_ascii=False, indent=2) if isinstance(schema, dict) else schema or "",
        "problem": " ".join(told),
    }
