"""Excel (.xlsx): the first sheet's values. Such a file is a zip of XML, so it is looked at before it is unpacked."""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import Any
from xml.etree.ElementTree import ParseError

from llm_admin.exceptions import InvalidInput
from llm_admin.services.library.entries import MAX_ENTRIES, Reading
from llm_admin.services.library.tables import filled, read_grid

MAX_PARTS = 500
MAX_UNPACKED = 10 * 1024 * 1024  # reading takes about a second for each MB of the worst
MAX_COLUMNS = 60
DAMAGED = "This Excel file is damaged, or no .xlsx file. Save it again from Excel (or as “CSV UTF-8”), and try again."
# openpyxl lets through whatever its parsing of a broken part happens to raise.
BROKEN = (
    *(zipfile.BadZipFile, zlib.error, ParseError, EOFError, OSError, RuntimeError, NotImplementedError),
    *(LookupError, ValueError, TypeError, AttributeError, ArithmeticError, AssertionError),
)


def read_xlsx(data: bytes, reading: Reading) -> None:
    try:
        inspect(data)
        lines = _first_sheet(data)
    except BROKEN:
        raise InvalidInput(DAMAGED) from None
    if not lines:
        raise InvalidInput("The first sheet of this file is empty.")
    read_grid(lines, reading)


def inspect(data: bytes, *, most: int = MAX_UNPACKED) -> None:
    """Refuses zip bombs and XML that declares entities, before anything else unpacks or parses it."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > most:
            raise InvalidInput("This Excel file is too large when unpacked. Save its sheet as “CSV UTF-8”.")
        for part in parts:
            content = archive.read(part) if part.filename.endswith((".xml", ".rels")) else b""
            # NUL: in UTF-16 the words would look different. Excel writes neither.
            if any(word in content for word in (b"<!DOCTYPE", b"<!ENTITY", b"\x00")):
                raise InvalidInput(DAMAGED)


def _first_sheet(data: bytes) -> list[list[Any]]:
    """Values, not formulas. Bounded, because a single cell in the last corner makes a sheet of 17 billion."""
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    book = load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    sheet = book.worksheets[0]
    lines = [list(line) for line in sheet.iter_rows(max_row=MAX_ENTRIES + 2, max_col=MAX_COLUMNS, values_only=True)]
    while lines and not any(map(filled, lines[-1])):
        lines.pop()
    if lines:
        width = max((place + 1 for line in lines for place, cell in enumerate(line) if filled(cell)), default=0)
        lines = [line[:width] for line in lines]
    return lines
