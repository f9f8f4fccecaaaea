"""Rows with named columns (CSV, Excel, a JSON list) as entries, and CSV itself."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.schemas.base import parse
from llm_admin.schemas.library import SLUG
from llm_admin.schemas.prompts import PromptSpec, declare, text_spec
from llm_admin.services.documents import PROMPTS
from llm_admin.services.library.entries import MAX_BYTES, MAX_NAME, Entry, EntryVersion, Place, Reading, unstorable

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
    "version": ("version",),  # our own export tells it; it changes nothing
}
COLUMNS = {alias: column for column, aliases in ALIASES.items() for alias in aliases}
LIMITS = {"name": MAX_NAME, "description": 500, "note": 500}
# What spreadsheets would take for a formula. Our export puts ' before such a cell, and one ' is taken off again here.
DANGEROUS = re.compile(r"^'*[=+\-@\t\r\n＝＋－＠]")
DELIMITERS = ",;\t"


@dataclass(frozen=True)
class Row:
    place: str
    cells: dict[str, Any]


def escape(cell: str) -> str:
    return f"'{cell}" if DANGEROUS.match(cell) else cell


def unescape(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and DANGEROUS.match(cell) else cell


def column_of(header: Any) -> str | None:
    return COLUMNS.get("_".join(str(header).strip().casefold().split()))


def read_csv(data: bytes, reading: Reading) -> None:
    text = _decoded(data)
    lines = _lines(text, reading)
    if not lines:
        raise InvalidInput("This file is empty.")
    if not any(map(column_of, lines[0])) and any(map(unstorable, lines[0])):
        raise InvalidInput("This is not a text file. CSV, Excel (.xlsx) and JSON files can be imported.")
    read_grid(lines, reading)


def _decoded(data: bytes) -> str:
    """Bytes that are not UTF-8 become lone surrogates, so that the cell that holds them can be named."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace").replace("\ufffd", "\udcff")
    return data.decode("utf-8-sig", errors="surrogateescape")


def _lines(text: str, reading: Reading) -> list[list[str]]:
    csv.field_size_limit(MAX_BYTES)  # the default stops at 128 KB
    first = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=lambda one: sum(1 for cell in first.split(one) if column_of(cell.strip('" \r\ufeff'))))
    lines: list[list[str]] = []
    try:
        lines.extend(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        hint = "a quotation mark is opened and not closed, or stands in the middle of a cell"
        reading.problems.append(Problem((f"Row {len(lines) + 1}",), f"This row cannot be read: {hint} ({error})."))
    return lines


def read_grid(lines: Sequence[Sequence[Any]], reading: Reading) -> None:
    """The first line names the columns; rows are counted as a spreadsheet does."""
    columns = [column_of(header) for header in lines[0]]
    _check_header(lines[0], columns, reading)
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        place = f"Row {number}"
        if extra := [cell for cell in line[len(columns) :] if str(cell or "").strip()]:
            message = f"There are {len(extra)} cells more than the first row names. Put texts into quotation marks."
            reading.problems.append(Problem((place,), message))
        elif any(str(cell or "").strip() for cell in line):
            rows.append(Row(place, {c: cell for c, cell in zip(columns, line, strict=False) if c}))
    read_rows(rows, reading, named=set(filter(None, columns)))


def _check_header(header: Sequence[Any], columns: list[str | None], reading: Reading) -> None:
    known = [column for column in columns if column]
    if twice := {column for column in known if known.count(column) > 1}:
        message = f"Two columns say the same: {', '.join(sorted(twice))}. Keep one of each."
        reading.problems.append(Problem(("Row 1",), message))
    unknown = [str(name).strip() for name, column in zip(header, columns, strict=True) if name and not column]
    reading.ignored += [f"Column “{name[:60]}”" for name in unknown if name]


def read_rows(rows: Iterable[Row], reading: Reading, *, named: set[str]) -> None:
    """`named`: the columns that the file has at all."""
    missing = [one for one in ("name", "text") if one not in named and not (one == "text" and "messages" in named)]
    for column in missing:
        others = " or ".join(f"“{alias}”" for alias in ALIASES[column])
        reading.problems.append(Problem(("Row 1",), f"The column “{column}” is missing (it may be called {others})."))
    if missing:
        return
    for row in rows:
        try:
            reading.entries.append(entry(row))
        except InvalidInput as error:
            reading.problems += error.problems


def entry(row: Row) -> Entry:
    cells, problems = _texts(row)
    problems += _check(row, cells)
    if problems:
        raise InvalidInput(problems)
    bare = not any(cells.get(column) for column in ("messages", "variables", "model", "settings"))
    spec = _at(row, "text", text_spec, cells["text"]) if bare else _full_spec(row, cells)
    return Entry(
        family=PROMPTS,
        place=(row.place,),
        name=cells["name"],
        slug=cells.get("slug", ""),
        description=cells.get("description", ""),
        versions=(EntryVersion(spec=spec, note=cells.get("note", ""), place=(row.place,)),),
        bare=bare,
    )


def _texts(row: Row) -> tuple[dict[str, Any], list[Problem]]:
    """Cells as texts (a JSON file's lists stay as they are), and what is wrong with the characters."""
    cells: dict[str, Any] = {}
    problems = []
    for column, cell in row.cells.items():
        if isinstance(cell, dict | list) and column in ("messages", "variables", "settings"):
            cells[column] = cell
        elif isinstance(cell, dict | list | bool):
            problems.append(_problem(row, column, "This must be text."))
        else:
            text = "" if cell is None else unescape(str(cell))
            cells[column] = text if column == "text" else text.strip()
            if reason := unstorable(text):
                problems.append(_problem(row, column, reason))
    return cells, problems


def _check(row: Row, cells: dict[str, Any]) -> list[Problem]:
    problems = []
    if not cells.get("name"):
        problems.append(_problem(row, "name", "This is empty; every prompt needs a name."))
    if not cells.get("messages") and not str(cells.get("text", "")).strip():
        problems.append(_problem(row, "text", "This is empty; every prompt needs a text."))
    if cells.get("messages") and str(cells.get("text", "")).strip():
        problems.append(_problem(row, "text", "There are “messages” too; give one of them."))
    for column, limit in LIMITS.items():
        if len(cells.get(column, "")) > limit:
            message = f"This has {len(cells[column]):,} characters; at most {limit} are possible."
            problems.append(_problem(row, column, message))
    if cells.get("slug") and not SLUG.match(cells["slug"]):
        problems.append(_problem(row, "slug", "A short name has up to 100 letters, digits, hyphens and underscores."))
    return problems


def _full_spec(row: Row, cells: dict[str, Any]) -> PromptSpec:
    """Variables as given, exactly; without any, those that the texts use."""
    data: dict[str, Any] = {"kind": "text", "messages": [{"role": "user", "text": cells.get("text", "")}]}
    if cells.get("messages"):
        data = {"kind": "chat", "messages": _json(row, "messages", cells["messages"], list)}
    if cells.get("variables"):
        data["variables"] = _json(row, "variables", cells["variables"], list)
    if cells.get("settings"):
        data["parameters"] = _json(row, "settings", cells["settings"], dict)
    data["model"] = cells.get("model") or None
    spec = _at(row, "text" if data["kind"] == "text" else "messages", lambda one: parse(PromptSpec, one), data)
    return spec if cells.get("variables") else _at(row, "text", declare, spec)


def _json(row: Row, column: str, cell: Any, kind: type) -> Any:
    try:
        value = json.loads(cell) if isinstance(cell, str) else cell
    except ValueError as error:
        raise InvalidInput([_problem(row, column, f"This is not JSON: {error}.")]) from None
    except RecursionError:
        raise InvalidInput([_problem(row, column, "This JSON is nested too deeply.")]) from None
    if not isinstance(value, kind):
        raise InvalidInput([_problem(row, column, f"This must be a JSON {'list' if kind is list else 'object'}.")])
    return value


_FIELDS = {"messages": "messages", "variables": "variables", "parameters": "settings", "model": "model"}


def _at(row: Row, column: str, make: Callable[[Any], PromptSpec], value: Any) -> PromptSpec:
    """What the spec finds wrong, at the column that says it."""
    try:
        return make(value)
    except InvalidInput as error:
        raise InvalidInput([_placed(row, column, one) for one in error.problems]) from None


def _placed(row: Row, column: str, problem: Problem) -> Problem:
    first, *rest = problem.location or (column,)
    of_text = column == "text" and first in ("messages", "variables")
    place: Place = (row.place, f"column “{column if of_text else _FIELDS.get(str(first), column)}”")
    return Problem(place if of_text else (*place, *rest), problem.message)


def _problem(row: Row, column: str, message: str) -> Problem:
    return Problem((row.place, f"column “{column}”"), message)
