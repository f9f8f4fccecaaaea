"""An author runs 200 rows of a spreadsheet: stopped, resumed, exported; each row has exactly one result."""

from __future__ import annotations

import csv
import io
import re

import openpyxl
import pytest

from tests.e2e.test_accessibility import axe, violations  # noqa: F401 - a fixture
from tests.servers.openai_server import Behaviour

expect = pytest.importorskip("playwright.sync_api").expect

LIST, ADD = "/admin/llm_admin/batch/", "/admin/llm_admin/batch/add/"
NUMBERS = range(1, 201)
MAKE = """
from llm_admin.services import workflows
from llm_admin.services.actors import system
from llm_admin.schemas.workflows import WorkflowSpec
spec = {"inputs": [{"name": "name", "type": "text", "label": "Name"}, {"name": "tone", "default": "warm"}],
        "steps": [{"type": "llm", "id": "greeting", "text": "Dear {{name}}, {{tone}}"}]}
with workspace_scope(ws):
    workflows.create(actor=system(ws), name="Greet everybody", spec=WorkflowSpec.model_validate(spec))
"""


@pytest.fixture(scope="module")
def greeting(console):
    console.code("from llm_admin.services import workspaces\nfrom llm_admin.tenancy import workspace_scope\n"
                 "ws = workspaces.default()\n" + MAKE)  # fmt: skip


def workbook(lines):
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def choose(page, lines, name="people.xlsx"):
    """Through the workflow's studio, as far as the page that maps the columns."""
    page.goto("/admin/llm_admin/workflow/")
    page.get_by_role("link", name=re.compile("^Greet everybody")).first.click()
    page.get_by_role("link", name="Run on many rows…").click()
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": workbook(lines)}
    page.get_by_label("File (CSV or Excel)").set_input_files(file)
    page.get_by_role("button", name="Next: look at the rows").click()
    page.wait_for_url("**/batch/new/*/")


def done(page):
    text = page.locator(".llm-batch-share").inner_text()
    return int(text.split()[0])


def test_200_rows_are_stopped_resumed_and_exported(open_as, console, provider, greeting, tmp_path):
    provider.script("words", Behaviour(echo=True, delay_ms=40))
    page = open_as("author")
    choose(page, [["Person", "Note"], *([f"Person {number}", "=1+1" if number == 7 else "Ü"] for number in NUMBERS)])
    expect(page.get_by_role("alert")).to_contain_text("“Name” is needed")
    expect(page.locator("#llm-batch-start")).to_be_disabled()
    page.get_by_label("Name", exact=True).select_option(label="Column “Person”")
    expect(page.locator("#llm-batch-check")).to_contain_text("Person 6")
    page.get_by_label("At the same time").fill("4")
    page.get_by_label("At the same time").press("Enter")
    page.get_by_role("button", name="Start 200 rows").dblclick()
    page.wait_for_url("**/change/")

    page.wait_for_function("Number(document.querySelector('#llm-batch-progress').dataset.done) >= 10")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#llm-batch-progress")).to_contain_text("Stopped")
    expect(page.locator(".llm-batch-count-running")).to_have_count(0)
    stopped_at = done(page)
    assert 10 <= stopped_at < 200

    provider.script("words", Behaviour(echo=True))
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#llm-batch-progress")).to_contain_text("200 of 200 rows", timeout=90_000)
    expect(page.locator("#llm-batch-actions")).to_contain_text("Delete…")
    expect(page.locator("#llm-batch-said")).to_have_text("Finished: 100 % of 200 rows.")

    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("^CSV|download\\s*CSV")).click()
    text = open(download.value.path(), encoding="utf-8-sig", newline="").read()  # noqa: SIM115
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [line["Person"] for line in lines] == [f"Person {number}" for number in NUMBERS]
    assert [line["Result"] for line in lines] == [f"Dear Person {number}, warm" for number in NUMBERS]
    assert {line["Status"] for line in lines} == {"Succeeded"}
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("Excel")).click()
    target = tmp_path / "results.xlsx"
    download.value.save_as(target)
    sheet = openpyxl.load_workbook(target).active
    assert [cell.value for cell in sheet["C"]][1:] == [f"Dear Person {number}, warm" for number in NUMBERS]

    batch = page.url.split("/")[-3].replace("-", "")
    assert console.rows("select count(*) from llm_admin_batch where title like 'Greet%'") == [(1,)]
    ended = console.rows("select status, count(*) from llm_admin_batchrow where batch_id = ? group by status", batch)
    assert ended == [("succeeded", 200)]
    paid = "select count(*) from llm_admin_interactionlog log join llm_admin_run run on log.run_id = run.id"
    assert console.rows(f"{paid} where run.batch_id = ? and log.status = 'succeeded'", batch) == [(200,)]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")])
def test_every_page_of_a_batch_is_accessible_and_fits(open_as, provider, greeting, axe, width, scheme):  # noqa: F811
    provider.script("words", Behaviour(echo=True))
    page = open_as("author", width=width, scheme=scheme)

    def fits():
        assert violations(page, axe) == ""
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.goto(ADD)
    fits()
    page.get_by_role("button", name="Next: look at the rows").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    fits()
    choose(page, [["Name"], ["Ada"], ["Bob"]])
    fits()
    page.get_by_label("Name", exact=True).select_option("")
    expect(page.get_by_role("alert")).to_be_visible()
    fits()
    page.get_by_label("Name", exact=True).select_option("0")
    page.get_by_role("button", name="Start 2 rows").click()
    expect(page.locator("#llm-batch-progress")).to_contain_text("2 of 2 rows")
    fits()
    page.get_by_role("link", name="Delete…").click()
    fits()
    page.goto(LIST)
    fits()


def test_a_phone_shows_each_row_as_a_card(open_as, provider, greeting):
    provider.script("words", Behaviour(echo=True))
    page = open_as("author", width=390)
    choose(page, [["Name"], ["Ada"]])
    page.get_by_role("button", name="Start 1 row").click()
    expect(page.locator("#llm-batch-rows")).to_contain_text("Dear Ada, warm")
    assert page.locator(".llm-batch-results thead").bounding_box()["height"] <= 1
    page.get_by_role("link", name=re.compile("^Run")).last.click()
    page.wait_for_url("**/run/*/change/")
