"""Prompts as a file: JSON with everything (versions, notes, labels), or CSV with what is Live, for a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection
from importlib import metadata
from typing import Any

from django.utils import timezone

from llm_admin.models import LIVE
from llm_admin.schemas.library import FORMAT, VERSION
from llm_admin.services.actors import Actor
from llm_admin.services.families import PROMPTS, WORKFLOWS, Family
from llm_admin.services.library.rows import escape
from llm_admin.services.secrets import redactor
from llm_admin.tenancy import workspace_scope

CSV_COLUMNS = (
    *("name", "text", "description", "folder", "tags", "slug", "messages", "variables", "model", "settings", "answer"),
    *("syntax", "note", "version"),
)
Library = dict[str, Any]


def export(*, actor: Actor, prompts: Collection[int] = (), workflows: Collection[int] = ()) -> Library:
    """The envelope, of these rows as far as they are in the actor's workspace. Constant in queries.

    Texts are refused when they hold a key, but a key may have been configured since: what is found is masked.
    """
    actor.require("export_prompt")
    with workspace_scope(actor.workspace):
        library = {
            "format": FORMAT,
            "version": VERSION,
            "exported_at": timezone.now().isoformat(timespec="seconds"),
            "app_version": _app_version(),
            "prompts": _documents(PROMPTS, prompts),
            "workflows": _documents(WORKFLOWS, workflows),
        }
    return redactor().value(library)


def _app_version() -> str:
    try:
        return metadata.version("llm-console")
    except metadata.PackageNotFoundError:  # a checkout
        return ""


def _documents(family: Family, ids: Collection[int]) -> list[dict[str, Any]]:
    if not ids:
        return []
    rows = family.document.objects.filter(pk__in=ids).order_by("name", "pk")
    also = ("tests",) if family is PROMPTS else ()
    return [_document(one) for one in rows.prefetch_related("versions", "labels", "tags", *also)]


def _document(document: Any) -> dict[str, Any]:
    versions = sorted(document.versions.all(), key=lambda one: one.number)
    numbers = {version.pk: version.number for version in versions}
    tests = list(document.tests.all()) if isinstance(document, PROMPTS.document) else []
    return {
        "name": document.name,
        "slug": document.slug,
        "description": document.description,
        "folder": document.folder,
        "tags": [tag.name for tag in document.tags.all()],
        **({"tests": [{"name": t.name, "inputs": t.inputs, "checks": t.checks} for t in tests]} if tests else {}),
        "labels": {label.name: numbers[label.version_id] for label in document.labels.all()},
        "versions": [{"number": one.number, "note": one.note, "spec": one.spec} for one in versions],
    }


def to_json(library: Library) -> str:
    return json.dumps(library, indent=2, ensure_ascii=False) + "\n"


def to_csv(library: Library) -> str:
    """One row a prompt. With a byte-order mark, without which Excel misreads everything but ASCII."""
    out = io.StringIO(newline="")
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(CSV_COLUMNS)
    for document in library["prompts"]:
        writer.writerow([escape(cell) for cell in _csv_row(document)])
    return out.getvalue()


def _csv_row(document: dict[str, Any]) -> list[str]:
    number = document["labels"].get(LIVE, document["versions"][-1]["number"])
    version = next(one for one in document["versions"] if one["number"] == number)
    spec = version["spec"]
    plain = spec.get("kind") == "text"
    settings = {name: value for name, value in (spec.get("parameters") or {}).items() if value not in (None, [], {})}
    output = spec.get("output") or {}
    cells = {
        "name": document["name"],
        "text": spec["messages"][0]["text"] if plain else "",
        "description": document["description"],
        "slug": document["slug"],
        "messages": "" if plain else _json([_lean(message) for message in spec["messages"]]),
        "variables": _json([_lean(variable) for variable in spec.get("variables", [])]),
        "model": spec.get("model") or "",
        "settings": _json(settings) if settings else "",
        "answer": _json(output) if output.get("format") == "json" else "",
        "syntax": "" if spec.get("syntax", "console") == "console" else spec["syntax"],
        "folder": document["folder"],
        "tags": ", ".join(document["tags"]),
        "note": version["note"],
        "version": f"v{number}",
    }
    return [cells[column] for column in CSV_COLUMNS]


def _lean(values: dict[str, Any]) -> dict[str, Any]:
    """Without what is empty: a person may look at this in a spreadsheet."""
    return {name: value for name, value in values.items() if value not in ("", None, [])}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
