"""Somebody finds a call by its words, reads it, keeps the way to it as a view, and takes the calls away as a file."""

from __future__ import annotations

import json
import re

import pytest

expect = pytest.importorskip("playwright.sync_api").expect

LOGS = "/admin/llm_admin/interactionlog/"
FILL = """
from django.utils import timezone
from llm_admin.models import InteractionLog, InteractionText
from llm_admin.services import workspaces
ws = workspaces.default()
for number, (status, words) in enumerate([("succeeded", "**Sasquine** is a colour"), ("failed", "sasquine? No."),
                                          ("succeeded", "nothing of it")]):
    log = InteractionLog._base_manager.create(workspace=ws, created_at=timezone.now(), status=status, source="code",
                                              latency_ms=100 + number, cost_nano=5)
    InteractionText._base_manager.create(log_id=log.pk, workspace=ws, answer=words,
                                         messages=[{"role": "user", "content": '{"ask": "a colour"}'}])
"""


def test_find_read_keep_and_take_away(console, open_as):
    console.code(FILL)
    page = open_as("operator")
    page.goto(LOGS)
    page.fill("#searchbar", "sasquine")
    page.press("#searchbar", "Enter")
    expect(page.locator("#result_list tbody")).to_have_count(2)
    expect(page.locator("#result_list mark").first).to_have_text(re.compile("sasquine", re.IGNORECASE))

    page.locator("summary", has_text="Columns").click()
    page.get_by_role("checkbox", name="Source").uncheck()
    page.get_by_role("button", name="Show these").click()
    expect(page.locator("thead")).not_to_contain_text("Source")

    page.locator("summary", has_text="Views").click()
    page.get_by_label("Save these filters").fill("Colours")
    page.get_by_label("The list opens with it for me").check()
    page.get_by_role("button", name="Save view").click()
    page.goto(LOGS)
    expect(page.locator("#searchbar")).to_have_value("sasquine")
    expect(page.locator("summary", has_text="Colours")).to_be_visible()

    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="JSONL, for programs").click()
    with open(download.value.path()) as lines:
        assert {json.loads(line)["answer"] for line in lines} == {"**Sasquine** is a colour", "sasquine? No."}

    page.locator("#result_list th a").first.click()
    expect(page.locator(".llm-markdown")).to_contain_text("sasquine? No.")
    page.get_by_role("link", name="Older call").click()
    expect(page.locator(".llm-markdown strong")).to_have_text("Sasquine")
    expect(page.locator(".llm-fold pre").first).to_contain_text('"ask": "a colour"')
    page.get_by_role("link", name="Raw").click()
    expect(page.locator(".llm-lograw").last).to_have_text("**Sasquine** is a colour")
    page.get_by_role("link", name="Older call").click()
    expect(page.get_by_text("There is no older call in this list.")).to_be_visible()
