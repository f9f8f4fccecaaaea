"""Choosing the workflow and the file, and the tables to fill in."""

from __future__ import annotations

import io

import openpyxl
import pytest

from llm_admin.choices import Role
from llm_admin.models import Batch
from llm_admin.services import batch_files, batch_results
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.admin.batches.pages import ADD, HTMX, INPUTS, LIST, ROWS, text, upload
from tests.admin.workflows.pages import LIST as WORKFLOWS
from tests.admin.workflows.pages import page as studio


def test_a_file_leads_to_the_page_that_maps_its_columns(author, workflow):
    html = text(author.get(upload(author, workflow)))
    assert "people.csv: 2 rows, 2 columns" in html
    assert Batch.objects.count() == 0


def test_pasted_rows_do_as_well(author, workflow):
    answer = author.post(ADD, {"workflow": workflow.pk, "pasted": "Full name\tAge\r\nAda\t36\r\n"})
    assert "Pasted rows: 1 row, 2 columns" in text(author.get(answer["Location"]))


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({}, "Choose a file, or paste rows."),
        ({"pasted": "a,b\n1,2,3"}, "Row 2 of the file has more cells"),
        ({"workflow": "", "pasted": ROWS}, "Choose the workflow that every row goes through."),
    ],
)
def test_what_cannot_be_used_is_said_and_what_was_pasted_is_kept(author, workflow, data, sentence):
    answer = author.post(ADD, {"workflow": workflow.pk} | data)
    assert answer.status_code == 422
    assert sentence in text(answer)
    assert data.get("pasted", "") in text(answer).replace("\r\n", "\n")


def test_the_workflow_is_chosen_when_one_comes_from_it(author, workflow):
    html = text(author.get(ADD, {"workflow": workflow.pk}))
    assert f'<option value="{workflow.pk}" selected>' in html
    assert "Each row gives 3 values" in html
    assert "Full name" in text(author.get(INPUTS, {"workflow": workflow.pk}, headers=HTMX))
    assert text(author.get(INPUTS, headers=HTMX)).strip() == ""


def test_the_studio_and_the_list_of_workflows_lead_here(author, workflow, member, login):
    address = f'href="{ADD}?workflow={workflow.pk}"'
    assert address in text(author.get(studio(workflow)))
    assert address in text(author.get(WORKFLOWS))
    reader = login(member(Role.VIEWER))
    assert address not in text(reader.get(studio(workflow)))
    assert address not in text(reader.get(WORKFLOWS))


def test_the_templates_hold_the_inputs_and_can_be_given_back(author, workflow):
    csv, xlsx = (author.get(f"{LIST}template/{workflow.pk}.{kind}") for kind in ("csv", "xlsx"))
    assert csv["Content-Disposition"] == f'attachment; filename="{workflow.slug}-rows.csv"'
    for answer in (csv, xlsx):
        table = batch_files.read(answer.content)
        assert table.columns == ["name", "age", "tone"]
        assert table.rows[0] == ["Full name", "12", "warm"]
    assert openpyxl.load_workbook(io.BytesIO(xlsx.content)).active["B2"].value == "12"


def test_a_formula_in_an_example_is_none_in_the_template():
    assert b"'=1+1" in batch_results.template_csv([["a"], ["=1+1"]])


def test_a_file_that_is_too_large_is_refused(author, workflow, monkeypatch):
    monkeypatch.setattr(batch_files, "MAX_BYTES", 10)
    answer = author.post(ADD, {"workflow": workflow.pk, "file": io.BytesIO(b"x" * 11)})
    assert answer.status_code == 422
    assert "Split it into several" in text(answer)


def test_who_may_not_run_gets_nothing(workflow, member, login, outsider):
    reader = login(member(Role.VIEWER))
    assert reader.get(ADD).status_code == 403
    assert reader.post(ADD, {"workflow": workflow.pk, "pasted": ROWS}).status_code == 403
    assert f'href="{ADD}"' not in text(reader.get(LIST))
    assert login(outsider).get(ADD).status_code == 403


def test_another_workspace_s_workflow_is_not_found(author):
    elsewhere = factories.workspace()
    with workspace_scope(elsewhere):
        theirs = factories.workflow(elsewhere, name="Secret")
    assert author.post(ADD, {"workflow": theirs.pk, "pasted": ROWS}).status_code == 404
    assert author.get(f"{LIST}template/{theirs.pk}.csv").status_code == 404
    assert "Secret" not in text(author.get(ADD))
