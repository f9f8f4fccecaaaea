"""Unsaved work comes back, two people see one another, and the second save is a choice: with the keyboard alone."""

from __future__ import annotations

import re

import pytest

from tests.e2e.waiting import settled
from tests.servers.console import wait_until

expect = pytest.importorskip("playwright.sync_api").expect

NEW = """
from llm_admin.services import prompts, workspaces
from llm_admin.services.actors import system
from llm_admin.schemas.prompts import MessageSpec, PromptSpec, declare
messages = [MessageSpec(role="system", text="Be terse."), MessageSpec(role="user", text="About {{topic}}.")]
prompts.create(actor=system(workspaces.default()), name="%s", spec=declare(PromptSpec(messages=messages)))
"""


@pytest.fixture
def prompt(console, request):
    """The address of a prompt that no other test touches, and its name."""
    name = f"Draft {request.node.name}"[:80]
    console.code(NEW % name)
    pk = console.rows(f"select id from llm_admin_prompt where name = '{name}'")[0][0]
    return f"/admin/llm_admin/prompt/{pk}/change/", pk


def visit(page, address):
    page.goto(address)
    page.wait_for_selector("#prompt_form textarea")
    settled(page)


def text(page, number):
    return page.get_by_label(re.compile(rf"^Text of message {number}"))


def kept(page):
    expect(page.locator(".llm-draft-state")).to_have_text(re.compile(r"^Draft kept \d\d:\d\d$"))


def stored(console, pk, words):
    """Also what a page sends as it closes, whenever the server comes to it."""
    query = f"select content from llm_admin_promptdraft where prompt_id = {pk} and content like '%{words}%'"
    wait_until(lambda: console.rows(query), 30, f"“{words}” to be kept")


def save(page):
    """By keyboard; the review of the changes is another test's."""
    page.keyboard.press("Control+s")
    page.locator("#llm-review[open]").get_by_role("button", name="Save draft").press("Enter")


def said(console, pk):
    rows = console.rows(f"select number, spec from llm_admin_promptversion where prompt_id = {pk} order by number")
    return [(number, spec) for number, spec in rows]


def test_a_closed_tab_loses_nothing(open_as, prompt, console):
    address, pk = prompt
    page = open_as("author")
    questions = []
    page.on("dialog", lambda dialog: (questions.append(dialog.message), dialog.dismiss()))
    visit(page, address)
    text(page, 2).fill("About {{topic}}, typed and never saved.")
    kept(page)
    text(page, 1).press_sequentially(" Really.")  # and closed at once: it is sent after the page
    again = page.context.new_page()
    with page.expect_event("close"):
        page.close(run_before_unload=True)
    assert questions == []
    visit(again, address)
    found = again.get_by_role("region", name="Unsaved changes")
    expect(found).to_contain_text("(based on v1)")
    found.get_by_role("button", name="See the difference").press("Enter")
    expect(again.locator("#llm-difference ins").filter(has_text="typed and never saved")).to_be_visible()
    again.keyboard.press("Escape")
    expect(again.locator("#llm-difference")).to_be_hidden()
    stored(console, pk, "Really")  # perhaps only after this page was made
    found.get_by_role("button", name="Continue with them").press("Enter")
    expect(text(again, 2)).to_have_value("About {{topic}}, typed and never saved.")
    expect(text(again, 1)).to_have_value("Be terse. Really.")
    expect(found).to_have_count(0)
    kept(again)
    save(again)
    expect(again.get_by_text("Saved as draft v2")).to_be_visible()
    visit(again, address)
    expect(again.get_by_role("region", name="Unsaved changes")).to_have_count(0)


def test_what_came_after_the_page_was_opened_is_gone_on_with(open_as, prompt, console):
    address, pk = prompt
    page = open_as("author")
    visit(page, address)
    text(page, 2).fill("Half a sentence")
    stored(console, pk, "Half a sentence")
    again = page.context.new_page()
    visit(again, address)
    text(page, 2).fill("Half a sentence, and the other half.")
    stored(console, pk, "the other half")
    again.get_by_role("button", name="Continue with them").press("Enter")
    expect(text(again, 2)).to_have_value("Half a sentence, and the other half.")


def test_words_typed_just_before_a_reload_come_back(open_as, prompt, console):
    address, pk = prompt
    page = open_as("author")
    visit(page, address)
    text(page, 2).fill("Early words.")
    stored(console, pk, "Early words")
    kept(page)
    text(page, 2).press_sequentially(" Late words.")
    page.reload()
    page.wait_for_selector("#prompt_form textarea")
    stored(console, pk, "Late words")
    page.get_by_role("button", name="Continue with them").press("Enter")
    expect(text(page, 2)).to_have_value("Early words. Late words.")


def test_discarding_and_undoing_leave_nothing_behind(open_as, prompt, console):
    address, pk = prompt
    page = open_as("author")
    visit(page, address)
    text(page, 2).fill("Once.")
    kept(page)
    text(page, 2).fill("About {{topic}}.")
    expect(page.locator(".llm-draft-state")).to_have_text("")
    text(page, 2).fill("Twice.")
    kept(page)
    page.reload()
    page.get_by_role("button", name="Discard").press("Enter")
    expect(page.locator(".llm-draft-state")).to_have_text("Unsaved changes discarded")
    rows = console.rows(f"select content from llm_admin_promptdraft where prompt_id = {pk}")
    assert [row[0] for row in rows] == [None]


def test_a_key_in_the_text_is_not_kept_and_said(open_as, prompt, console):
    address, pk = prompt
    page = open_as("author")
    visit(page, address)
    text(page, 2).fill("Use sk-proj-Typed0123456789abcdefghijklmnopqrstuv for it.")
    expect(page.locator(".llm-draft-state")).to_contain_text("Not kept. Message 2: This text holds")
    rows = console.rows(f"select content from llm_admin_promptdraft where prompt_id = {pk}")
    assert all(row[0] is None for row in rows)
    page.context.set_offline(True)
    text(page, 2).fill("Offline.")
    expect(page.locator(".llm-draft-state")).to_contain_text("cannot be reached")
    page.context.set_offline(False)
    kept(page)


def test_a_new_prompt_comes_back_too(open_as):
    page = open_as("operator")
    page.goto("/admin/llm_admin/prompt/add/")
    page.wait_for_selector("#prompt_form textarea")
    page.get_by_label("Name", exact=True).fill("Half an idea")
    text(page, 1).fill("Not done {{yet}}")
    kept(page)
    page.close()
    again = page.context.new_page()
    again.goto("/admin/llm_admin/prompt/add/")
    expect(again.get_by_role("region", name="Unsaved changes")).to_contain_text("“Half an idea”")
    again.get_by_role("button", name="Continue with them").press("Enter")
    expect(text(again, 1)).to_have_value("Not done {{yet}}")
    expect(again.get_by_label("Name", exact=True)).to_have_value("Half an idea")
    kept(again)
    again.get_by_role("button", name="Save prompt").press("Enter")
    expect(again.get_by_text("“Half an idea” is saved")).to_be_visible()


def test_two_people_see_one_another_and_the_second_puts_both_together(open_as, prompt, console):
    address, pk = prompt
    author, operator = open_as("author"), open_as("operator")
    visit(author, address)
    visit(operator, address)
    expect(operator.locator("#llm-presence")).to_contain_text("author is editing this too", timeout=60_000)
    text(operator, 1).fill("Be strict.")
    text(operator, 2).fill("About {{topic}}, in full.")
    kept(operator)
    text(author, 1).fill("Be kind.")
    kept(author)
    save(operator)
    expect(operator.get_by_text("Saved as draft v2")).to_be_visible()
    expect(author.locator("#llm-presence")).to_contain_text("operator saved v2", timeout=60_000)

    save(author)
    expect(author.get_by_text("operator saved v2 while you were changing v1")).to_be_visible()
    expect(author.get_by_role("heading", name="Put both together")).to_be_focused()
    expect(text(author, 1)).to_have_value("Be kind.")
    card = author.get_by_role("region", name="Put both together")
    expect(card.get_by_role("radio", checked=True)).to_have_count(1)  # of message 2, which only one changed
    card.get_by_role("button", name="Put together").press("Enter")
    expect(author.get_by_role("alert").filter(has_text="Message 1: System: choose whose text")).to_be_visible()
    author.keyboard.press("Space")  # the focus is on the first choice that is missing: mine
    card.get_by_role("button", name="Put together").press("Enter")
    expect(text(author, 2)).to_have_value("About {{topic}}, in full.")
    expect(text(author, 1)).to_have_value("Be kind.")
    author.get_by_role("button", name="Undo").press("Enter")
    expect(text(author, 2)).to_have_value("About {{topic}}.")
    card.get_by_role("button", name="Put together").press("Enter")
    expect(text(author, 2)).to_have_value("About {{topic}}, in full.")
    assert len(said(console, pk)) == 2
    save(author)
    expect(author.get_by_text("Saved as draft v3")).to_be_visible()
    (_, first), (_, second), (_, third) = said(console, pk)
    assert "Be strict." in second
    assert "Be kind." in third
    assert "in full" in third
    assert "Be terse." in first
