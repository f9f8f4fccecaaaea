"""CSV, and grids of cells whose first line names the columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.services.library.entries import MAX_BYTES, MAX_ENTRIES, TOO_MANY, Reading, unstorable
from llm_admin.services.library.rows import ALIASES, Row, column_of, entry_of

DELIMITERS = ",;\t"
MAX_LINES = 20_000  # with the empty ones


def read_csv(data: bytes, reading: Reading) -> None:
    lines = _lines(_decoded(data), reading)
    if not lines:
        if not reading.problems:
            raise InvalidInput("This file is empty.")
        return
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
    lines: list[list[str]] = []
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
        lines.extend(islice(reader, MAX_LINES + 1))
    except csv.Error as error:
        hint = "a quotation mark is opened and not closed, or stands in the middle of a cell"
        reading.problems.append(Problem((f"Row {len(lines) + 1}",), f"This row cannot be read: {hint} ({error})."))
    if len(lines) > MAX_LINES:
        raise InvalidInput(TOO_MANY)
    return lines


def _delimiter(text: str) -> str:
    """The one that makes most sense of the first line. Excel writes semicolons where a comma is the decimal point."""
    first = text.split("\n", 1)[0][:10_000]
    return max(DELIMITERS, key=lambda one: sum(1 for cell in first.split(one) if column_of(cell.strip('" \r'))))


def read_grid(lines: Sequence[Sequence[Any]], reading: Reading) -> None:
    """Rows are counted as a spreadsheet does: the header is row 1. Empty ones are passed over."""
    columns = _columns(lines[0], reading)
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        place = f"Row {number}"
        if extra := [cell for cell in line[len(columns) :] if filled(cell)]:
            message = f"This row has cells beyond the named columns ({len(extra)}). Put texts into quotation marks."
            reading.problems.append(Problem((place,), message))
        elif any(map(filled, line)):
            cells = [*line, *[None] * len(columns)]
            rows.append(Row(place, {name: cell for name, cell in zip(columns, cells, strict=False) if name}))
    if len(rows) > MAX_ENTRIES:
        raise InvalidInput(TOO_MANY)
    read_rows(rows, reading, named=set(filter(None, columns)))
    reading.problems.sort(key=lambda problem: int(str(problem.location[0]).removeprefix("Row ")))


def filled(cell: Any) -> bool:
    return cell is not None and bool(str(cell).strip())


def _columns(header: Sequence[Any], reading: Reading) -> list[str]:
    """What the file calls each column that we know, "" for others."""
    names = [str(name).strip() if name is not None else "" for name in header]
    known = [column_of(name) for name in names]
    if twice := sorted({column for column in known if column and known.count(column) > 1}):
        reading.problems.append(Problem(("Row 1",), f"Two columns say the same ({', '.join(twice)}). Keep one."))
    unknown = [name for name, column in zip(names, known, strict=True) if name and not column]
    reading.ignored += [f"column “{name[:60]}”" for name in unknown]
    return [name if column else "" for name, column in zip(names, known, strict=True)]


def read_rows(rows: Iterable[Row], reading: Reading, *, named: set[str]) -> None:
    """`named`: the columns that the file has at all, as it calls them."""
    known = {column_of(name) for name in named}
    missing = [one for one in ("name", "text") if one not in known and not (one == "text" and "messages" in known)]
    for column in missing:
        others = " or ".join(f"“{alias}”" for alias in ALIASES[column][1:])
        message = f"The column “{column}” is missing (it may also be called {others})."
        reading.problems.append(Problem(("Row 1",), message))
    if missing:
        return
    for row in rows:
        try:
            reading.entries.append(entry_of(row))
        except InvalidInput as error:
            reading.problems += error.problems
