"""CSV: what is read, and that whatever is wrong names its row and column."""

from __future__ import annotations

import pytest

from llm_admin.exceptions import InvalidInput
from llm_admin.services import library
from tests.library.files import csv_file, problems, read_texts


def spec_of(data: bytes):
    [entry] = library.read(data).entries
    return entry.newest.spec


@pytest.mark.parametrize("header", ["act,prompt", "name,text", "Title,Content", " ACT ,PROMPT"])
def test_columns_have_several_names(header):
    assert read_texts(f"{header}\nPoet,Write a poem\n".encode()) == {"Poet": "Write a poem"}


@pytest.mark.parametrize(
    "data",
    [
        "name;text\nPoet;Schön, oder?\n".encode(),
        "name\ttext\r\nPoet\tSchön, oder?\r\n".encode(),
        b"\xef\xbb\xbf" + 'name,text\nPoet,"Schön, oder?"\n'.encode(),
        'name,text\nPoet,"Schön, oder?"\n'.encode("utf-16"),
    ],
    ids=["semicolons", "tabs", "byte-order mark", "utf-16"],
)
def test_what_spreadsheets_write_is_read(data):
    assert read_texts(data) == {"Poet": "Schön, oder?"}


def test_texts_stay_as_they_are():
    text = '  Line one\n\n"quoted", ${name:default} and {name} stay\n'
    assert spec_of(csv_file(("Poet", text))).texts == [text]
    assert spec_of(csv_file(("Poet", text))).variables == []


def test_double_braces_are_variables():
    assert [
        v.name for v in spec_of(csv_file(("Poet", "About {{topic}} for {{ reader }}, {{code here}}"))).variables
    ] == [
        "topic",
        "reader",
    ]


def test_further_columns():
    header = ("name", "messages", "variables", "model", "settings", "slug", "description", "note", "version")
    row = (
        "Chat",
        '[{"role": "system", "text": "Be terse."}, {"role": "user", "text": "{{topic}}"}]',
        '[{"name": "topic", "label": "Topic", "default": "rain"}]',
        "demo",
        '{"temperature": 0.5}',
        "small-talk",
        "About the weather",
        "first",
        "v7",
    )
    [entry] = library.read(csv_file(row, header=header)).entries
    spec = entry.newest.spec
    assert (entry.slug, entry.description, entry.newest.note) == ("small-talk", "About the weather", "first")
    assert (spec.kind, spec.texts, spec.model) == ("chat", ["Be terse.", "{{topic}}"], "demo")
    assert (spec.variables[0].label, spec.variables[0].default, spec.parameters.temperature) == ("Topic", "rain", 0.5)


def test_messages_without_variables_declare_them():
    header = ("name", "messages")
    assert [v.name for v in spec_of(csv_file(("A", '[{"text": "{{a}}"}]'), header=header)).variables] == ["a"]


def test_unknown_columns_are_listed():
    reading = library.read(csv_file(("A", "a", "TRUE", "me"), header=("act", "prompt", "for_devs", "contributor")))
    assert reading.ignored == ["column “for_devs”", "column “contributor”"]
    assert not reading.problems


def test_empty_lines_are_passed_over_and_counted():
    data = b"name,text\nA,a\n\n,\n ,\nB,\n"
    assert problems(data) == ["Row 6 › column “text”: This is empty; every prompt needs a text."]


@pytest.mark.parametrize(
    ("row", "place"),
    [
        (b",a text", "Row 3 › column “act”: This is empty"),
        (b"A, ", "Row 3 › column “prompt”: This is empty"),
        (b"A", "Row 3 › column “prompt”: This is empty"),
        (b"x" * 201 + b",text", "Row 3 › column “act”: This has 201 characters; at most 200"),
        (b"A,caf\xe9", "Row 3 › column “prompt”: This is not valid UTF-8"),
        (b"caf\xe9,text", "Row 3 › column “act”: This is not valid UTF-8"),
        (b"A,a\x00b", "Row 3 › column “prompt”: This holds a NUL"),
        (b"A,a,b,c", "Row 3: This row has cells beyond the named columns (2)"),
        (b'A,"a', "Row 3: This row cannot be read: a quotation mark is opened and not closed"),
        (b'A,"a"b', "Row 3: This row cannot be read"),
        (b"A," + b"x" * 1_000_001, "Row 3 › column “prompt”: This has 1,000,001 characters; at most 1,000,000"),
        (b"A,{{" + b"v" * 61 + b"}}", "Row 3 › column “prompt”: This must have at most 60 characters."),
        (b"A," + b"".join(b"{{v%d}}" % n for n in range(101)), "Row 3 › column “prompt”: At most 100 are possible."),
    ],
)
def test_a_broken_row_names_row_and_column(row, place):
    [problem] = problems(b"act,prompt\nFine,text\n" + row + b"\n")
    assert problem.startswith(place)


@pytest.mark.parametrize(
    ("column", "cell", "place"),
    [
        ("messages", "nonsense", "Row 2 › column “messages”: This is not JSON"),
        ("messages", "{}", "Row 2 › column “messages”: This must be a JSON list"),
        ("messages", "[" * 100_000, "Row 2 › column “messages”: This JSON is nested too deeply"),
        ("messages", '[{"role": "boss", "text": "x"}]', "Row 2 › column “messages” › 1 › role: Choose one of"),
        ("messages", '[{"text": ""}]', "Row 2 › column “messages” › 1: This message is empty"),
        ("messages", r'[{"text": "a\u0000"}]', "Row 2 › column “messages”: This holds a NUL"),
        ("messages", r'[{"text": "\ud800"}]', "Row 2 › column “messages”: This is not valid UTF-8"),
        ("variables", '[{"name": "1"}]', "Row 2 › column “variables” › 1 › name: A name has letters"),
        ("settings", '{"temperature": 7}', "Row 2 › column “settings” › temperature: This must be at most 2."),
        ("settings", "[]", "Row 2 › column “settings”: This must be a JSON object"),
        ("model", "m" * 61, "Row 2 › column “model”: This must have at most 60 characters."),
        ("slug", "no spaces", "Row 2 › column “slug”: A short name has"),
        ("description", "d" * 501, "Row 2 › column “description”: This has 501 characters; at most 500"),
    ],
)
def test_a_broken_cell_of_a_further_column(column, cell, place):
    header = ("name", "text", column) if column != "messages" else ("name", "messages")
    row = ("A", "text", cell) if column != "messages" else ("A", cell)
    [problem] = problems(csv_file(row, header=header))
    assert problem.startswith(place)


def test_every_problem_is_told_in_the_order_of_the_rows():
    data = b"name,text\n,a\nB,b,c,d\nC,\n"
    assert [line.split(":")[0].split(" ›")[0] for line in problems(data)] == ["Row 2", "Row 3", "Row 4"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"name\nA\n", "Row 1: The column “text” is missing (it may also be called “prompt” or “content”)."),
        (b"prompt\nA\n", "Row 1: The column “name” is missing (it may also be called “act” or “title”)."),
        (b"name,act,text\nA,B,c\n", "Row 1: Two columns say the same (name). Keep one."),
    ],
)
def test_the_header_has_to_fit(data, message):
    assert message in problems(data)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "This file is empty."),
        (b"name,text\n", "There is no prompt in this file."),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "This is not a text file."),
        (bytes(range(256)) * 40, "This is not a text file."),
        (b"\xd0\xcf\x11\xe0" + b"x" * 100, "This is an old Excel file"),
        (b"x" * (library.MAX_BYTES + 1), "This file has 5.0 MB; at most 5.0 MB"),
        (b"name,text\n" + b"A,a\n" * 2_001, "There are more than 2,000 prompts in this file."),
        (b"name,text\n" + b"\n" * 1_000_000, "There are more than 2,000 prompts in this file."),
    ],
    ids=["empty", "header only", "image", "binary", "xls", "large", "many", "empty lines"],
)
def test_what_is_no_list_is_refused_in_a_sentence(data, message):
    with pytest.raises(InvalidInput) as refused:
        library.read(data)
    assert str(refused.value).startswith(message)


def test_formulas_are_texts():
    assert read_texts(csv_file(("=HYPERLINK(1)", "+1"))) == {"=HYPERLINK(1)": "+1"}
