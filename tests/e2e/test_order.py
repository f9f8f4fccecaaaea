"""Keeping order among prompts in a browser: by mouse, and by keyboard where a menu is opened."""

from __future__ import annotations

import re

import pytest

from tests.e2e.keys import press
from tests.e2e.waiting import settled

expect = pytest.importorskip("playwright.sync_api").expect
LIST = "/admin/llm_admin/prompt/"


def open_prompt(page, name):
    page.goto(LIST)
    press(page.get_by_role("link", name=re.compile(f"^{name}")).first)
    page.wait_for_selector("#llm-try-form")
    settled(page)


def choose(page, item):
    """From the menu, by keyboard alone."""
    page.get_by_role("button", name="More", exact=True).first.focus()
    page.keyboard.press("Enter")
    page.locator("#llm-more").wait_for()
    entry = page.locator("#llm-more").get_by_text(item, exact=True)
    for _ in range(12):
        page.keyboard.press("Tab")
        if entry.evaluate("node => node === document.activeElement"):
            break
    page.keyboard.press("Enter")


def test_a_variable_that_a_workflow_uses_is_renamed_everywhere(open_as, console):
    page = open_as("author")
    open_prompt(page, "Campaign brief writer")
    choose(page, "Rename a variable…")
    page.get_by_label("Variable", exact=True).select_option("product")
    page.get_by_label("New name").fill("offer 1")
    page.keyboard.press("Enter")
    expect(page.locator("#llm-new-about .llm-problem")).to_be_visible()
    page.get_by_label("New name").fill("offered_thing")
    page.keyboard.press("Enter")
    plan = page.locator("section", has_text="What will change")
    expect(plan.locator("del").first).to_contain_text("product")
    expect(plan.locator("ins").first).to_contain_text("offered_thing")
    expect(plan).to_contain_text("Campaign brief to newsletter")
    press(page.get_by_role("button", name="Rename everywhere"))
    page.wait_for_url(re.compile(r"/change/"))
    expect(page.locator("main")).to_contain_text("“product” is “offered_thing” now")
    spec = console.rows(
        "select v.spec from llm_admin_workflowversion v join llm_admin_workflow w on w.id = v.workflow_id "
        "where w.name = 'Campaign brief to newsletter' order by v.number desc limit 1"
    )[0][0]
    assert "offered_thing" in spec


def test_an_archived_prompt_is_refused_with_its_name_and_restored(open_as):
    page = open_as("author")
    open_prompt(page, "NDA risk check")
    choose(page, "Archive…")
    expect(page.locator("main")).to_contain_text("NDA first check")  # who uses it
    press(page.get_by_role("button", name="Archive", exact=True))
    expect(page.locator(".llm-archived")).to_contain_text("archived")
    settled(page)
    for field in page.locator("#llm-try-form [data-input]").all():
        if field.evaluate("node => node.tagName") in ("INPUT", "TEXTAREA"):
            field.fill("Some words")
    press(page.locator("#llm-run-button"))
    refusal = page.get_by_text("The prompt “NDA risk check” is archived").first
    expect(refusal).to_be_visible()
    page.goto(LIST)
    expect(page.get_by_role("link", name=re.compile("^NDA risk check"))).to_have_count(0)
    page.goto(f"{LIST}?archived=yes")
    press(page.get_by_role("link", name=re.compile("^NDA risk check")))
    press(page.locator(".llm-archived").get_by_role("button", name="Restore"))
    expect(page.locator(".llm-archived")).to_have_count(0)


def test_a_prompt_is_put_into_a_folder_and_found_there_and_by_its_text(open_as):
    page = open_as("author")
    open_prompt(page, "Ticket summary")
    choose(page, "Folder and tags…")
    page.get_by_label("Folder").fill("Desk/Tickets")
    page.get_by_label("Tags").fill("urgent")
    press(page.get_by_role("button", name="Save", exact=True))
    expect(page.locator(".llm-shelf")).to_contain_text("Desk/Tickets")
    page.goto(LIST)
    press(page.get_by_role("navigation", name="Folders").get_by_role("link", name=re.compile("Desk")))
    expect(page.locator("#result_list tbody")).to_have_count(1)
    expect(page.locator("#result_list")).to_contain_text("Ticket summary")
    page.locator("#searchbar").fill("WHAT A TICKET")
    page.locator("#searchbar").press("Enter")
    expect(page.locator("#result_list tbody")).to_have_count(1)
    assert "folder=Desk" in page.url
