"""Excel files: values are read, and a hostile file is refused in a sentence before it costs anything."""

from __future__ import annotations

import io
import random
import zipfile

import pytest

from llm_admin.exceptions import InvalidInput
from llm_admin.services import library
from tests.library.files import problems, read_texts, replaced, xlsx_file

SHEET = "xl/worksheets/sheet1.xml"
HEAD = b'<?xml version="1.0"?>'
ROWS = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>%s</sheetData></worksheet>'


def refusal(data: bytes) -> str:
    with pytest.raises(InvalidInput) as refused:
        library.read(data)
    return str(refused.value)


def test_values_are_read():
    data = xlsx_file(("Poet", "Line one\nLine two"), ("Year", 2025), (None, None))
    assert read_texts(data) == {"Poet": "Line one\nLine two", "Year": "2025"}


def test_problems_name_row_and_column():
    assert problems(xlsx_file(("A", "a"), (None, "b"), ("C", None), header=("act", "prompt"))) == [
        "Row 3 › column “act”: This is empty; every prompt needs a name.",
        "Row 4 › column “prompt”: This is empty; every prompt needs a text.",
    ]


def test_empty_columns_beside_the_list_do_not_matter():
    assert read_texts(xlsx_file(("A", "a", None, " "), header=("name", "text", None, None))) == {"A": "a"}


def test_an_empty_sheet():
    assert refusal(xlsx_file(header=())) == "The first sheet of this file is empty."


@pytest.mark.parametrize(
    "declaration",
    [
        b'<!DOCTYPE x [<!ENTITY a "b"><!ENTITY c "&a;&a;&a;&a;">]>',
        b'<!DOCTYPE x SYSTEM "file:///etc/passwd">',
    ],
)
def test_xml_that_declares_entities_is_refused(declaration):
    data = replaced(xlsx_file(("A", "a")), SHEET, HEAD + declaration + ROWS % b"")
    assert "damaged" in refusal(data)


def test_also_in_another_encoding():
    bomb = ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY a "b">]>' + (ROWS % b"").decode()).encode(
        "utf-16"
    )
    assert "damaged" in refusal(replaced(xlsx_file(("A", "a")), SHEET, bomb))


def test_a_zip_bomb_is_not_unpacked():
    data = replaced(xlsx_file(("A", "a")), SHEET, HEAD + b" " * 60_000_000)
    assert len(data) < library.MAX_BYTES
    assert "too large when unpacked" in refusal(data)


def test_a_cell_in_the_last_corner_does_not_make_a_sheet_of_billions():
    cell = b'<c r="%s" t="inlineStr"><is><t>%s</t></is></c>'
    first = b'<row r="1">' + cell % (b"A1", b"name") + cell % (b"B1", b"text") + b"</row>"
    corner = b'<row r="1048576">' + cell % (b"XFD1048576", b"x") + b"</row>"
    data = replaced(xlsx_file(("A", "a")), SHEET, HEAD + ROWS % (first + corner))
    assert refusal(data) == "There is no prompt in this file."


def test_a_zip_that_is_no_spreadsheet():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("name.txt", "text")
    assert "damaged" in refusal(out.getvalue())


@pytest.mark.parametrize("seed", range(30))
def test_damaged_files_are_refused_and_never_crash(seed):
    chance, data = random.Random(seed), bytearray(xlsx_file(("A", "a"), ("B", 2)))
    for _ in range(chance.choice((1, 5, 50))):
        data[chance.randrange(4, len(data))] = chance.randrange(256)
    read_or_refused(bytes(data[: chance.randrange(10, len(data))] if seed % 3 == 0 else data))


@pytest.mark.parametrize("seed", range(40))
def test_damaged_parts_are_refused_and_never_crash(seed):
    """The zip is in order and one of its XML parts is not: openpyxl raises all kinds of things."""
    chance, data = random.Random(seed), xlsx_file(("A", "a"), ("B", 2))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        part = chance.choice(archive.namelist())
        content = bytearray(archive.read(part))
    for _ in range(chance.choice((1, 3, 20))):
        start = chance.randrange(len(content))
        content[start : start + chance.randrange(30)] = chance.choice((b"", b'="', b"<c>", b"99999999", b"-1", b"r:id"))
    read_or_refused(replaced(data, part, bytes(content)))


def read_or_refused(data: bytes) -> None:
    try:
        library.read(data)
    except InvalidInput as refused:
        assert str(refused)
