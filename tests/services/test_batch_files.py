"""Files of rows as people have them: what is read, and what is refused in which words. And which column fills what."""

from __future__ import annotations

import datetime
import io
import zipfile

import openpyxl
import pytest

from llm_admin.exceptions import InvalidInput
from llm_admin.schemas.variables import VariableSpec
from llm_admin.services import batch_files, batch_mapping
from llm_admin.services.batch_files import read, read_text
from llm_admin.services.batch_mapping import Source

PEOPLE = [["Ada", "12"], ["Grüße, Bob", "3"]]


def text_of(delimiter):
    return f'Name{delimiter}Age\nAda{delimiter}12\n"Grüße, Bob"{delimiter}3\n'


def workbook(*lines, sheets=1):
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    for _ in range(sheets - 1):
        book.create_sheet()
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_delimiters_and_encodings(delimiter, encoding):
    table = read(text_of(delimiter).encode(encoding))
    assert (table.columns, table.rows, table.numbers) == (["Name", "Age"], PEOPLE, [2, 3])
    assert bool(table.notices) == (encoding == "cp1252")


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("sep=|\na|b\n1|2", ["a", "b"], [["1", "2"]]),
        ('a,b\r\n"two\r\nlines","say ""hi"""\r\n', ["a", "b"], [["two\r\nlines", 'say "hi"']]),
        ("\n\na,b\n\n1,2\n,\n3,4\n\n", ["a", "b"], [["1", "2"], ["3", "4"]]),
        ("text\nHello, world\nAnd, again; so\n", ["text"], [["Hello, world"], ["And, again; so"]]),
        ("Question, if any\nWhy?\nHow, then?\n", ["Question, if any"], [["Why?"], ["How, then?"]]),
        ("a,a,,\n1,2,,\n3,4,5,\n", ["a", "a (2)", "Column C"], [["1", "2", ""], ["3", "4", "5"]]),
        ("a,b,c\n1\n", ["a", "b", "c"], [["1", None, None]]),
        ("a,b\n=1+1,+2\n", ["a", "b"], [["=1+1", "+2"]]),
    ],
)
def test_odd_texts(text, columns, rows):
    table = read_text(text)
    assert (table.columns, table.rows) == (columns, rows)


def test_rows_keep_the_number_that_a_spreadsheet_shows():
    assert read_text("a,b\n\n1,2\n\n\n3,4\n").numbers == [3, 6]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "nothing in this file"),
        (b"a,b\n", "no rows below"),
        (b"a,b\n1,2,3\n", "Row 2 of the file has more cells"),
        (b'a,b\n1,"2\n3,4\n', "Row 2 of the file cannot be read: a quotation mark"),
        (b"a\x00b\n1\n", "This is no table"),
        (b"%PDF-1.7 \n1 0 obj", "This is no table"),
        (b"\xd0\xcf\x11\xe0 old", "Save it as .xlsx"),
        (b"PK\x03\x04 broken", "damaged"),
        (b"x" * (batch_files.MAX_BYTES + 1), "larger than 10 MB"),
    ],
)
def test_what_is_no_table_is_refused_in_words(data, words):
    with pytest.raises(InvalidInput, match=words):
        read(data)


def test_too_many_rows_and_columns_are_refused(monkeypatch):
    monkeypatch.setattr(batch_files, "MOST_ROWS", 3)
    assert len(read_text("a\n1\n2\n3\n").rows) == 3
    with pytest.raises(InvalidInput, match="Split it"):
        read_text("a\n1\n2\n3\n4\n")
    with pytest.raises(InvalidInput, match="Split it"):
        read(workbook(["a"], *([str(n)] for n in range(4))))
    with pytest.raises(InvalidInput, match="more than 200 columns"):
        read_text(",".join(map(str, range(201))) + "\n1\n")


def test_a_large_file_is_read_whole():
    table = read(("n,text\n" + "".join(f"{n},row {n}\n" for n in range(100_000))).encode())
    assert (len(table.rows), table.rows[-1]) == (100_000, ["99999", "row 99999"])


def test_excel_gives_values_as_they_are_shown():
    data = workbook(
        ["day", "at", "yes", "n", "sum", "text"],
        [datetime.datetime(2026, 5, 3), datetime.datetime(2026, 5, 3, 14, 30), True, 3.0, 0.1 + 0.2, "Ünï"],
        [],
        [None, datetime.time(9, 5), False, 7, -1.5, "=not run"],
        sheets=2,
    )
    table = read(data)
    assert table.columns == ["day", "at", "yes", "n", "sum", "text"]
    assert table.rows[0] == ["2026-05-03", "2026-05-03 14:30:00", True, 3, 0.3, "Ünï"]
    assert table.rows[1] == [None, "09:05:00", False, 7, -1.5, None]  # Excel has not stored what the formula gave
    assert table.numbers == [2, 4]
    assert "Only the first sheet" in table.notices[0]


def test_a_cell_in_the_last_corner_takes_no_memory():
    book = openpyxl.Workbook()
    book.active["A1"], book.active["A2"], book.active.cell(1_048_576, 16_384).value = "a", "1", "far away"
    target = io.BytesIO()
    book.save(target)
    assert read(target.getvalue()).rows == [["1"]]


def test_a_zip_bomb_is_refused():
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (batch_files.MAX_UNPACKED + 1))
    with pytest.raises(InvalidInput, match="too large when unpacked"):
        read(target.getvalue())


# ---- which column fills what ----


def variable(name, **details):
    return VariableSpec(name=name, **({"type": "text"} | details))


def columns_of(variables, columns):
    found = batch_mapping.guess(variables, columns)
    return {name: source.column for name, source in found.items()}


def test_columns_are_guessed_by_name_and_label():
    variables = [variable("full_name"), variable("city", label="Where from?"), variable("mail"), variable("note")]
    columns = ["Where from", "E-Mail address", "FULL NAME", "x"]
    assert columns_of(variables, columns) == {"full_name": 2, "city": 0, "mail": 1, "note": None}
    assert columns_of([variable("topic")], ["anything"]) == {"topic": 0}
    assert columns_of([variable("mail")], ["mail 1", "mail 2"]) == {"mail": None}


def test_rows_take_columns_typed_values_and_defaults():
    table = read_text("name,age\nAda,12\n,3\n")
    variables = [variable("who", default="nobody"), variable("age", type="number"), variable("tone")]
    sources = {"who": Source(0), "age": Source(1), "tone": Source(fixed="warm")}
    shown = batch_mapping.preview(table, variables, sources, count=5)
    assert [[cell.value for cell in row.cells] for row in shown] == [["Ada", 12, "warm"], ["nobody", 3, "warm"]]
    rows = list(batch_mapping.rows(table, variables, sources))
    assert rows[0].original == {"name": "Ada", "age": "12"}
    assert batch_mapping.names_of(table, sources) == {"who": "name", "age": "age"}


def test_problems_name_row_and_column_in_words():
    table = read_text("name;how old\nAda;12\n\nBob;old\n;4\n")
    variables = [variable("name"), variable("age", type="number", label="Age")]
    found = batch_mapping.row_problems(table, variables, {"name": Source(0), "age": Source(1)})
    assert [str(problem) for problem in found] == [
        "Row 2 (row 4 of the file), column “how old”: “Age” must be a number, such as 12 or 3.5.",
        "Row 3 (row 5 of the file), column “name”: “Name” is needed; fill it in.",
    ]


def test_what_no_row_can_help_is_told_at_the_field():
    variables = [variable("a"), variable("b", required=False), variable("c", default="x"), variable("n", type="number")]
    sources = {"n": Source(fixed="many"), "b": Source(fixed=" ")}
    found = batch_mapping.field_problems(variables, sources)
    assert sorted(found) == ["a", "b", "n"]
    assert "choose a column" in found["a"]
    assert "must be a number" in found["n"]
