"""One row with named cells (of a CSV, an Excel sheet, a JSON list) as an entry."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.schemas.base import parse
from llm_admin.schemas.library import SLUG
from llm_admin.schemas.prompts import MAX_TEXT, PromptSpec, declare
from llm_admin.schemas.storable import texts_in
from llm_admin.services.families import PROMPTS
from llm_admin.services.library.entries import MAX_NAME, Entry, EntryVersion, unstorable
from llm_admin.services.shelf import clean_tags

ALIASES = {
    "name": ("name", "act", "title"),
    "text": ("text", "prompt", "content"),
    "slug": ("slug", "short_name"),
    "description": ("description",),
    "note": ("note", "version_note"),
    "messages": ("messages",),
    "variables": ("variables",),
    "model": ("model",),
    "settings": ("settings", "parameters"),
    "syntax": ("syntax", "template_format"),
    "answer": ("answer", "output"),
    "folder": ("folder",),
    "tags": ("tags",),
    "version": ("version",),  # our own export tells it; it changes nothing
}
COLUMNS = {alias: column for column, aliases in ALIASES.items() for alias in aliases}
JSON_COLUMNS = ("messages", "variables", "settings", "answer")
OBJECTS = ("settings", "answer")
LIMITS = {"name": MAX_NAME, "text": MAX_TEXT, "description": 500, "note": 500, "folder": 200}
# What spreadsheets would take for a formula. Our export puts ' before such a cell, and one ' is taken off again here.
FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def escape(cell: str) -> str:
    return f"'{cell}" if FORMULA.match(cell) else cell


def unescape(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def column_of(header: str) -> str | None:
    return COLUMNS.get("_".join(str(header).strip().casefold().split()))


@dataclass(frozen=True)
class Row:
    """`given`: what the file calls a column -> its cell."""

    place: str
    given: dict[str, Any]

    def gives(self, column: str) -> bool:
        return any(cell not in (None, "", []) for name, cell in self.given.items() if column_of(name) == column)

    def problem(self, column: str, message: str, *within: str | int) -> Problem:
        name = next((name for name in self.given if column_of(name) == column), column)
        return Problem((self.place, f"column “{name}”", *within), message)


Cells = dict[str, Any]


def entry_of(row: Row) -> Entry:
    cells, problems = _cells(row)
    if problems or (problems := list(_missing(row, cells)) + list(_too_long(row, cells))):
        raise InvalidInput(problems)
    bare = all(cells.get(column) in (None, "") for column in (*JSON_COLUMNS, "model", "syntax"))
    spec = _spec(row, cells)
    place = row.problem("text", "").location if bare else (row.place,)
    return Entry(
        family=PROMPTS,
        place=(row.place,),
        name=" ".join(cells["name"].split()),
        slug=cells.get("slug", ""),
        description=cells.get("description", ""),
        folder=cells.get("folder", ""),
        tags=_tags(row, cells.get("tags", "")),
        versions=(EntryVersion(spec=spec, note=cells.get("note", ""), place=place),),
        bare=bare,
    )


def _tags(row: Row, cell: str) -> tuple[str, ...]:
    try:
        return tuple(clean_tags(cell))
    except InvalidInput as error:
        raise InvalidInput([row.problem("tags", error.problems[0].message)]) from None


def _cells(row: Row) -> tuple[Cells, list[Problem]]:
    """Column -> text, or for JSON columns what the JSON says."""
    cells: Cells = {}
    problems = []
    for name, cell in row.given.items():
        column = column_of(name) or name
        try:
            cells[column] = _json(row, column, cell) if column in JSON_COLUMNS else _text(row, column, cell)
        except InvalidInput as error:
            problems += error.problems
    return cells, problems


def _text(row: Row, column: str, cell: Any) -> str:
    if isinstance(cell, dict | list | bool):
        raise InvalidInput([row.problem(column, "This must be text.")])
    text = "" if cell is None else unescape(str(cell))
    if reason := unstorable(text):
        raise InvalidInput([row.problem(column, reason)])
    return text if column == "text" else text.strip()


def _json(row: Row, column: str, cell: Any) -> Any:
    kind = dict if column in OBJECTS else list
    try:
        value = json.loads(unescape(cell)) if isinstance(cell, str) and cell.strip() else cell or None
    except ValueError as error:
        raise InvalidInput([row.problem(column, f"This is not JSON: {error}.")]) from None
    except RecursionError:
        raise InvalidInput([row.problem(column, "This JSON is nested too deeply.")]) from None
    if value is not None and not isinstance(value, kind):
        raise InvalidInput([row.problem(column, f"This must be a JSON {'object' if kind is dict else 'list'}.")])
    if reasons := [reason for _, text in texts_in(value) if (reason := unstorable(text))]:
        raise InvalidInput([row.problem(column, reasons[0])])
    return value


def _missing(row: Row, cells: Cells) -> list[Problem]:
    text = cells.get("text", "").strip()
    problems = []
    if not cells.get("name"):
        problems.append(row.problem("name", "This is empty; every prompt needs a name."))
    if not cells.get("messages") and not text:
        problems.append(row.problem("text", "This is empty; every prompt needs a text."))
    if cells.get("messages") and text:
        problems.append(row.problem("text", "There are “messages” in this row too; give one of the two."))
    return problems


def _too_long(row: Row, cells: Cells) -> list[Problem]:
    problems = [
        row.problem(column, f"This has {len(cells[column]):,} characters; at most {limit:,} are possible.")
        for column, limit in LIMITS.items()
        if len(cells.get(column, "")) > limit
    ]
    if cells.get("slug") and not SLUG.match(cells["slug"]):
        message = "A short name has up to 100 letters, digits, hyphens and underscores."
        problems.append(row.problem("slug", message))
    return problems


def _spec(row: Row, cells: Cells) -> PromptSpec:
    """Variables exactly as given; when the cell is empty, those that the texts use."""
    if cells.get("messages"):
        column, data = "messages", {"kind": "chat", "messages": cells["messages"]}
    else:
        column, data = "text", {"kind": "text", "messages": [{"role": "user", "text": cells["text"]}]}
    data |= {"parameters": cells.get("settings") or {}, "model": cells.get("model") or None}
    data |= {"syntax": cells.get("syntax") or "console", "output": cells.get("answer") or {}}
    given = cells.get("variables")
    spec = _at(row, column, lambda one: parse(PromptSpec, one), data | {"variables": given or []})
    return spec if given is not None else _at(row, column, declare, spec)


_FIELDS = {
    "messages": "messages",
    "variables": "variables",
    "parameters": "settings",
    "model": "model",
    "syntax": "syntax",
    "output": "answer",
}


def _at(row: Row, column: str, make: Callable[[Any], PromptSpec], value: Any) -> PromptSpec:
    """What the spec finds wrong, at the column that says it."""
    try:
        return make(value)
    except InvalidInput as error:
        raise InvalidInput([_placed(row, column, one) for one in error.problems]) from None


def _placed(row: Row, column: str, problem: Problem) -> Problem:
    first, *within = problem.location or (column,)
    of_text = first == "messages" and column == "text"
    if of_text or (first == "variables" and not row.gives("variables")):
        return row.problem(column, problem.message)
    return row.problem(_FIELDS.get(str(first), column), problem.message, *within)
