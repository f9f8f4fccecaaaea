"""Results as files: one line a row, objects as columns, nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io

import openpyxl
import pytest
from django.utils import timezone

from llm_admin.choices import RowStatus
from llm_admin.models import Batch, BatchRow
from llm_admin.services import batch_results

pytestmark = pytest.mark.django_db


@pytest.fixture
def finished(scope):
    """finished(columns, (original, output), ...) -> a batch"""

    def make(columns, *rows, **details):
        batch = Batch.objects.create(
            workspace=scope, title="B", columns=columns, spec={}, total=len(rows), created_at=timezone.now()
        )
        for number, (original, output) in enumerate(rows, start=1):
            BatchRow.objects.create(
                batch=batch,
                number=number,
                inputs={"topic": "t"},
                original=original,
                output=output,
                **({"status": RowStatus.SUCCEEDED, "calls": 1, "cost_nano": 39_450} | details),
            )
        return batch

    return make


def csv_of(batch):
    text = b"".join(batch_results.csv_parts(batch)).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def xlsx_of(batch):
    target = io.BytesIO()
    batch_results.write_xlsx(batch, target)
    return openpyxl.load_workbook(io.BytesIO(target.getvalue())).active


def test_objects_become_columns_beside_the_file_s_own(finished):
    batch = finished(["Name", "score"], ({"Name": "Añ\nb", "score": 1}, {"score": 2, "tags": ["a", "b"]}),
                     ({"Name": "c", "score": None}, {"why": {"x": [1]}, "score": True}))  # fmt: skip
    lines = csv_of(batch)
    assert lines[0] == ["Name", "score", "score (2)", "tags", "why", "Status", "Problem", "Cost in USD", "Run"]
    assert lines[1][:5] == ["Añ\nb", "1", "2", "a\nb", ""]
    assert lines[2][:5] == ["c", "", "yes", "", '{"x": [1]}']
    assert lines[1][5:8] == ["Succeeded", "", "0.00003945"]


def test_texts_stand_in_one_column_and_failures_say_why(finished):
    batch = finished(["a"], ({"a": "x"}, "Hello"), ({"a": "y"}, None))
    BatchRow.objects.filter(number=2).update(status=RowStatus.FAILED, problem="Too long.", cost_nano=None)
    lines = csv_of(batch)
    assert lines[0][:4] == ["a", "Result", "Status", "Problem"]
    assert [line[:5] for line in lines[1:]] == [
        ["x", "Hello", "Succeeded", "", "0.00003945"],
        ["y", "", "Failed", "Too long.", ""],
    ]


def test_text_and_objects_mixed_lose_nothing(finished):
    lines = csv_of(finished(["a"], ({"a": 1}, "text"), ({"a": 2}, {"k": "v"}), ({"a": 3}, {})))
    assert lines[0][:3] == ["a", "k", "Result"]
    assert [line[:3] for line in lines[1:]] == [["1", "", "text"], ["2", "v", ""], ["3", "", "{}"]]


@pytest.mark.parametrize("bad", ["=1+1", "+SUM(A1)", "-2+3", "@cmd", "\t=1", "\r=1", '=HYPERLINK("http://x")'])
def test_no_text_is_a_formula_in_a_spreadsheet(finished, bad):
    batch = finished([bad], ({bad: bad}, {bad: bad}))
    for line in csv_of(batch):
        assert line[0] == f"'{bad}"
        assert line[1].startswith(f"'{bad}")
    sheet = xlsx_of(batch)
    for row in (1, 2):
        cell = sheet.cell(row, 1)
        assert cell.data_type == "s"
        assert cell.value.strip() == bad.strip()


@pytest.mark.parametrize("number", ["-5", "+3.5", "-1,5", "12%"])
def test_numbers_stay_numbers(finished, number):
    assert csv_of(finished(["a"], ({"a": number}, "x")))[1][0] == number


def test_excel_keeps_types_and_takes_what_it_cannot_hold(finished):
    output = {"n": 3, "f": 0.5, "b": True, "t": "Ü\u0001 " + "x" * 40_000, "l": [1, 2]}
    sheet = xlsx_of(finished(["a"], ({"a": "🎈"}, output)))
    values = [cell.value for cell in sheet[2]]
    assert values[:4] == ["🎈", 3, 0.5, True]
    assert values[4].startswith("Ü\ufffd x")
    assert len(values[4]) == 32_767
    assert values[5] == "1\n2"
    assert sheet.freeze_panes == "A2"


def test_pages_of_rows_are_all_there_once(finished, monkeypatch):
    monkeypatch.setattr(batch_results, "AT_A_TIME", 3)
    batch = finished(["a"], *(({"a": n}, n) for n in range(10)))
    assert [line[0] for line in csv_of(batch)[1:]] == [str(n) for n in range(10)]
    assert xlsx_of(batch).max_row == 11


def test_rows_without_a_file_show_their_inputs(finished):
    batch = finished([], ({}, "x"))
    batch.spec = {"workflow": {"inputs": [{"name": "topic"}]}}
    assert [line[0] for line in csv_of(batch)] == ["topic", "t"]


def test_what_the_workflow_declares_comes_first_in_its_order(finished):
    batch = finished(["a"], ({"a": 1}, {"extra": 1, "second": 2, "first": 3}))
    batch.spec = {"workflow": {"outputs": [{"name": "first"}, {"name": "second"}, {"name": "never"}]}}
    assert csv_of(batch)[0][1:4] == ["first", "second", "extra"]
