"""What came out of a batch, as a table: the file's own columns, then the results, then how each row ended.

Rows are read a page at a time, so a download takes no more memory for 100,000 rows than for a hundred. It goes on
after the request's workspace is closed, so it reads by the batch's id, which whoever calls this has checked.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from llm_admin.choices import RowStatus
from llm_admin.models import Batch, BatchRow
from llm_admin.schemas.values import as_text

AT_A_TIME = 500
MOST_KEYS = 100  # of results that are objects; what is beyond them is in the result as a whole
RESULT = "Result"
NANO = 1_000_000_000
BOM = "\ufeff"  # Excel takes a file without it for Windows-1252
LONGEST = 32_767  # characters of a cell in Excel
_FORMULA = re.compile(r"^[=+\-@\t\r]")
_NUMBER = re.compile(r"^[+-]?\d+([.,]\d+)*%?$")
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def head(batch: Batch) -> tuple[list[str], list[str], list[str]]:
    """(the file's columns, the results' keys, all names, each once)"""
    columns = [str(column) for column in batch.columns] or [name for name, _ in inputs_of(batch)]
    keys = output_keys(batch)
    return columns, keys, _unique([*columns, *keys, "Status", "Problem", "Cost in USD", "Run"])


def inputs_of(batch: Batch) -> list[tuple[str, str]]:
    """Name and title of each input, in the workflow's order: PostgreSQL keeps none for the keys of a row."""
    declared = batch.spec.get("workflow", {}).get("inputs", [])
    return [(one["name"], one.get("label") or one["name"].replace("_", " ").capitalize()) for one in declared]


def _declared_keys(batch: Batch) -> list[str]:
    """What the workflow says that its results hold."""
    workflow = batch.spec.get("workflow", {})
    last = (workflow.get("steps") or [{}])[-1]
    return [one["name"] for one in workflow.get("outputs") or last.get("keys") or [] if "name" in one]


def output_keys(batch: Batch) -> list[str]:
    outputs = BatchRow._base_manager.filter(batch=batch, output__isnull=False).order_by("number")
    return keys_of(batch, outputs.values_list("output", flat=True).iterator(AT_A_TIME))


def keys_of(batch: Batch, outputs: Iterable[Any], *, most: int = MOST_KEYS) -> list[str]:
    """A column for each key of results that are objects, the declared ones first; else, or also, the result itself."""
    keys: dict[str, None] = {}
    whole = False
    for output in outputs:
        if isinstance(output, dict) and output and len(keys.keys() | output.keys()) <= most:
            keys.update(dict.fromkeys(output))
        else:
            whole = whole or output is not None
    declared = [key for key in _declared_keys(batch) if key in keys]
    found = [*declared, *(key for key in keys if key not in declared)]
    return [*found, RESULT] if whole or not found else found


def _unique(names: Sequence[str]) -> list[str]:
    made: list[str] = []
    for name in names:
        number, unique = 2, name
        while unique in made:
            unique, number = f"{name} ({number})", number + 1
        made.append(unique)
    return made


def pages(batch: Batch) -> Iterator[list[BatchRow]]:
    """Whole queries, so that each may be made in another thread."""
    last = 0
    while True:
        rows = BatchRow._base_manager.filter(batch=batch, number__gt=last).order_by("number")
        found = list(rows[:AT_A_TIME])
        if not found:
            return
        last = found[-1].number
        yield found


def cells(row: BatchRow, columns: Sequence[str], keys: Sequence[str]) -> list[Any]:
    """Texts, numbers, True, False; what is nested as JSON."""
    given = row.original or row.inputs
    return [
        *(plain(given.get(column)) for column in columns),
        *(plain(value_of(row.output, key, keys)) for key in keys),
        RowStatus(row.status).label,
        row.problem,
        None if row.cost_nano is None or not row.calls else row.cost_nano / NANO,
        str(row.run_id or ""),
    ]


def value_of(output: Any, key: str, keys: Sequence[str]) -> Any:
    """Of an object its value there; anything else stands under "Result"."""
    if isinstance(output, dict) and output and all(one in keys for one in output):
        return output.get(key)
    return output if key == RESULT else None


def plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list) and not any(isinstance(one, list | dict) for one in value):
        return as_text(value)
    return json.dumps(value, ensure_ascii=False)


def csv_parts(batch: Batch) -> Iterator[bytes]:
    """UTF-8 with the mark that Excel wants; a part for the head, and one for each page of rows."""
    columns, keys, names = head(batch)
    yield BOM.encode() + _csv([[harmless(name) for name in names]])
    for page in pages(batch):
        yield _csv([[harmless(_word(cell)) for cell in cells(row, columns, keys)] for row in page])


def _csv(lines: list[list[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(lines)
    return text.getvalue().encode("utf-8", errors="replace")


def _word(cell: Any) -> Any:
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return f"{cell:.9f}".rstrip("0").rstrip(".") if isinstance(cell, float) and abs(cell) < 1e-4 else cell


def harmless(cell: Any) -> Any:
    """A spreadsheet would run a text that begins like a formula. A number's sign is no formula."""
    if isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.match(cell):
        return f"'{cell}"
    return cell


def write_xlsx(batch: Batch, target: BinaryIO) -> None:
    from openpyxl import Workbook  # type: ignore[import-untyped]

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Results")
    sheet.freeze_panes = "A2"
    columns, keys, names = head(batch)
    sheet.append([_xlsx_cell(sheet, name, bold=True) for name in names])
    for page in pages(batch):
        for row in page:
            sheet.append([_xlsx_cell(sheet, cell) for cell in cells(row, columns, keys)])
    book.save(target)


def _xlsx_cell(sheet: Any, value: Any, *, bold: bool = False) -> Any:
    """A text stays a text, whatever it begins with. Most need no cell of their own, which takes time."""
    if not isinstance(value, str):
        return value
    text = _UNSTORABLE.sub("\ufffd", value)[:LONGEST]
    if not bold and not _FORMULA.match(text) and text[:1] != "#":  # "#N/A" would be an error
        return text
    from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped]
    from openpyxl.styles import Font  # type: ignore[import-untyped]

    cell = WriteOnlyCell(sheet)
    cell.value, cell.data_type, cell.quotePrefix = text, "s", bool(_FORMULA.match(text))
    if bold:
        cell.font = Font(bold=True)
    return cell


def template_csv(lines: Sequence[Sequence[str]]) -> bytes:
    return BOM.encode() + _csv([[harmless(cell) for cell in line] for line in lines])


def template_xlsx(lines: Sequence[Sequence[str]], target: BinaryIO) -> None:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Rows")
    for line in lines:
        sheet.append([_xlsx_cell(sheet, cell) for cell in line])
    book.save(target)
