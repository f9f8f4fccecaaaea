"""A file of rows (CSV, Excel, or pasted from a spreadsheet) as a table: names of columns, and cells that JSON can hold.

Formulas are never evaluated: of an Excel file, the values count that Excel stored; in CSV a formula is a text.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.services.batches import MOST_ROWS
from llm_admin.services.library import spreadsheets

MAX_BYTES = 10 * 1024 * 1024
MAX_UNPACKED = 80 * 1024 * 1024
MAX_COLUMNS = 200
MAX_NAME = 200
MOST_PROBLEMS = 20
DELIMITERS = ",;\t"
NO_DELIMITER = "\x1f"  # a line is one cell
SAMPLE = 40
TOO_LARGE = f"This file is larger than {MAX_BYTES // 1024 // 1024} MB. Split it into several."
TOO_MANY = f"There are more than {MOST_ROWS:,} rows in this file. Split it into several."
NOT_TEXT = "This is no table. Choose a CSV file or an Excel file (.xlsx)."
_SEPARATOR = re.compile(r"^sep=(.)\r?\n", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """`numbers`: where each row stands in the file, as a spreadsheet counts: the names of the columns are row 1."""

    columns: list[str]
    rows: list[list[Any]]
    numbers: list[int]
    notices: list[str] = field(default_factory=list)

    def original(self, row: Sequence[Any]) -> dict[str, Any]:
        return dict(zip(self.columns, row, strict=False))


def read(data: bytes) -> Table:
    """What kind of file it is, its content tells. Raises InvalidInput."""
    if len(data) > MAX_BYTES:
        raise InvalidInput(TOO_LARGE)
    if data[:4] == b"\xd0\xcf\x11\xe0":
        raise InvalidInput("This is a file of an old Excel (.xls). Save it as .xlsx or as “CSV UTF-8”.")
    lines, notices = _excel(data) if data[:4] == b"PK\x03\x04" else _csv(data)
    return _table(lines, notices)


def read_text(text: str) -> Table:
    """What somebody pasted."""
    return read(text.encode("utf-8", errors="replace"))


def _table(lines: list[list[Any]], notices: list[str]) -> Table:
    start = next((at for at, line in enumerate(lines) if any(map(filled, line))), None)
    if start is None:
        raise InvalidInput("There is nothing in this file.")
    body = [(number, line) for number, line in enumerate(lines[start + 1 :], start=start + 2) if any(map(filled, line))]
    if not body:
        raise InvalidInput("There are no rows below the names of the columns.")
    if len(body) > MOST_ROWS:
        raise InvalidInput(TOO_MANY)
    names, kept = _columns(lines[start], [line for _, line in body])
    _refuse_longer(body, len(lines[start]))
    rows = [[line[at] if at < len(line) else None for at in kept] for _, line in body]
    return Table(names, rows, [number for number, _ in body], notices)


def _columns(head: Sequence[Any], rows: Iterable[Sequence[Any]]) -> tuple[list[str], list[int]]:
    """Names, each once, and their places. A column without a name and without a value is left out."""
    width = len(head)
    used = {at for line in rows for at, cell in enumerate(line[:width]) if filled(cell)}
    kept = [at for at in range(width) if filled(head[at]) or at in used]
    if len(kept) > MAX_COLUMNS:
        raise InvalidInput(f"This file has more than {MAX_COLUMNS} columns. Leave out those that are not needed.")
    names: list[str] = []
    for at in kept:
        name = " ".join(str(head[at]).split())[:MAX_NAME] if filled(head[at]) else f"Column {_letter(at)}"
        number, unique = 2, name
        while unique in names:
            unique, number = f"{name} ({number})", number + 1
        names.append(unique)
    return names, kept


def _letter(at: int) -> str:
    return (_letter(at // 26 - 1) if at >= 26 else "") + chr(ord("A") + at % 26)


def _refuse_longer(body: Iterable[tuple[int, Sequence[Any]]], width: int) -> None:
    problems = []
    for number, line in body:
        if any(map(filled, line[width:])):
            message = f"Row {number} of the file has more cells than there are columns. Put texts into quotation marks."
            problems.append(Problem((), message))
        if len(problems) == MOST_PROBLEMS:
            break
    if problems:
        raise InvalidInput(problems)


def filled(cell: Any) -> bool:
    return cell is not None and (not isinstance(cell, str) or bool(cell.strip()))


# ---- CSV ----


def _csv(data: bytes) -> tuple[list[list[Any]], list[str]]:
    text, notices = _decoded(data)
    if "\x00" in text or text.startswith("%PDF"):
        raise InvalidInput(NOT_TEXT)
    delimiter = ""
    if said := _SEPARATOR.match(text):  # Excel's own first line
        delimiter, text = said.group(1), text[said.end() :]
    return _lines(text, delimiter or delimiter_of(text)), notices


def _decoded(data: bytes) -> tuple[str, list[str]]:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace"), []
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        notice = "This file is not UTF-8, so it was read as Western European (Windows). Check letters such as é."
        return data.decode("cp1252", errors="replace"), [notice]


def _lines(text: str, delimiter: str) -> list[list[Any]]:
    csv.field_size_limit(MAX_BYTES)  # the default stops at 128 KB
    lines: list[list[Any]] = []
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        lines.extend(islice(reader, MOST_ROWS * 2))  # with the empty ones
    except csv.Error:
        hint = "a quotation mark is opened and not closed, or stands in the middle of a cell"
        raise InvalidInput(f"Row {len(lines) + 1} of the file cannot be read: {hint}.") from None
    return lines


def delimiter_of(text: str) -> str:
    """The one by which most of the first rows are as wide as the names of the columns; by none, a line is a cell.

    Where no row is, the names decide, unless they read like a sentence: “Question, if any” is one name.
    """
    scores = {one: _fit(text, one) for one in DELIMITERS}
    best = max(DELIMITERS, key=lambda one: scores[one])
    return best if scores[best][1] else NO_DELIMITER


def _fit(text: str, delimiter: str) -> tuple[float, int]:
    """(share of the rows that are as wide as the head, its width); (0, 0) when it does not fit."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        lines = [line for line in islice(reader, SAMPLE) if any(map(filled, line))]
    except csv.Error:
        return 0.0, 0
    if not lines or len(lines[0]) < 2:
        return 0.0, 0
    head, body = lines[0], lines[1:]
    share = sum(len(line) == len(head) for line in body) / len(body) if body else 1.0
    if share <= 0.5 and any(name.startswith(" ") for name in head):
        return 0.0, 0
    return share, len(head)


# ---- Excel ----


def _excel(data: bytes) -> tuple[list[list[Any]], list[str]]:
    try:
        spreadsheets.inspect(data, most=MAX_UNPACKED)
        return _first_sheet(data)
    except spreadsheets.BROKEN:
        raise InvalidInput(spreadsheets.DAMAGED) from None


def _first_sheet(data: bytes) -> tuple[list[list[Any]], list[str]]:
    """Bounded, because a single cell in the last corner makes a sheet of 17 billion."""
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    if not book.worksheets:
        raise InvalidInput(spreadsheets.DAMAGED)
    sheet = book.worksheets[0]
    lines: list[list[Any]] = []
    empty = 0
    for line in sheet.iter_rows(max_row=MOST_ROWS * 2, max_col=MAX_COLUMNS + 1, values_only=True):
        cells = _cells(line)
        empty = 0 if cells else empty + 1
        lines.append(cells)
        if len(lines) - empty > MOST_ROWS + 1:
            raise InvalidInput(TOO_MANY)
    lines = lines[: len(lines) - empty]
    width = max(map(len, lines), default=0)
    notices = [f"Only the first sheet, “{sheet.title}”, is read."] if len(book.worksheets) > 1 else []
    head = next((line for line in lines if line), [])
    head += [None] * (width - len(head))
    return lines, notices


def _cells(line: Sequence[Any]) -> list[Any]:
    """Up to the last one that holds something. Most rows of a sheet with one far cell are empty: told at once."""
    if line.count(None) == len(line):
        return []
    last = max((at for at, cell in enumerate(line) if filled(cell)), default=-1)
    return [_cell(cell) for cell in line[: last + 1]]


def _cell(value: Any) -> Any:
    """As JSON can hold it, and as a person reads it in Excel."""
    if isinstance(value, datetime.datetime):
        return value.date().isoformat() if value.time() == datetime.time() else value.isoformat(" ", "seconds")
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, float):
        return _number(value)
    if value is None or isinstance(value, bool | int):
        return value
    from openpyxl.utils.escape import unescape  # type: ignore[import-untyped]

    return unescape(str(value)).replace("\r\n", "\n").replace("\x00", "")


def _number(value: float) -> int | float | str:
    """Excel shows 15 digits: 0.1 + 0.2 is 0.3 there."""
    if value != value or value in (float("inf"), float("-inf")):
        return str(value)
    short = float(f"{value:.15g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short
