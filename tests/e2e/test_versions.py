"""Saving with a note through the dialog, comparing, restoring; publishing although a test failed, and undoing it."""

from __future__ import annotations

import re

import pytest

from tests.e2e.keys import press
from tests.e2e.test_prompt import change_text, open_prompt
from tests.servers.openai_server import Behaviour

expect = pytest.importorskip("playwright.sync_api").expect
PROMPT = """from llm_admin.services import prompts, prompt_tests
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.services import workspaces, actors
from llm_admin.tenancy import workspace_scope
actor = actors.system(workspaces.default())
spec = PromptSpec.model_validate({{"messages": [{{"role": "user", "text": "Say hello to everybody."}}]}})
prompt = prompts.create(actor=actor, name={name!r}, spec=spec)
prompt_tests.save(prompt, actor=actor, data={{"name": "Greets", "checks": [{{"kind": "contains", "text": "hello"}}]}})
"""


@pytest.fixture
def prompt(console, request):
    """Its name; with one version that is Live, and a test input that wants “hello”."""
    name = f"Greeting {request.node.name[-20:]}"
    console.code(PROMPT.format(name=name))
    return name


def stored(console, name):
    """([(number, note)], Live)"""
    versions = """select v.number, v.note from llm_admin_promptversion v join llm_admin_prompt p on p.id = v.prompt_id
                  where p.name = ? order by v.number"""
    live = """select v.number from llm_admin_promptlabel l join llm_admin_promptversion v on v.id = l.version_id
              join llm_admin_prompt p on p.id = v.prompt_id where p.name = ? and l.name = 'production'"""
    return console.rows(versions, name), console.rows(live, name)[0][0]


def press_until(page, locator, key="Tab", most=60):
    """Moves the focus to it by keyboard."""
    for _ in range(most):
        if locator.evaluate("one => one === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not reach {locator}")


def test_save_with_a_note_look_at_the_difference_and_restore(open_as, console, prompt):
    page = open_as("author")
    open_prompt(page, prompt)
    change_text(page, "Say hello to nobody.")
    press(page.locator("[name=_draft]"))
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("del")).to_contain_text("everybody")
    expect(dialog.locator("ins")).to_contain_text("nobody")
    assert stored(console, prompt)[0] == [(1, "")]
    dialog.get_by_label("What changed?").fill("Fewer people")
    press(dialog.get_by_role("button", name="Save draft"))
    expect(page.get_by_text("Saved as draft v2.")).to_be_visible()
    assert stored(console, prompt) == ([(1, ""), (2, "Fewer people")], 1)
    press(page.get_by_role("link", name="What changed in v2"))
    expect(page.locator("del")).to_contain_text("everybody")
    press(page.get_by_role("button", name="Restore v1"))
    expect(page.get_by_text("v1 is restored as v3")).to_be_visible()
    assert stored(console, prompt)[0][-1] == (3, "Restored from v1")
    expect(page.get_by_label(re.compile("^Text of message")).last).to_have_value("Say hello to everybody.")


def test_keep_editing_saves_nothing_and_nothing_is_lost(open_as, console, prompt):
    page = open_as("author", width=390)
    open_prompt(page, prompt)
    change_text(page, "Say nothing.")
    press(page.locator("[name=_publish]"))
    press(page.get_by_role("dialog").get_by_role("button", name="Keep editing"))
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_label(re.compile("^Text of message")).last).to_have_value("Say nothing.")
    assert stored(console, prompt) == ([(1, "")], 1)


def test_what_is_refused_is_shown_at_its_place_and_not_in_the_dialog(open_as, console, prompt):
    page = open_as("author")
    open_prompt(page, prompt)
    page.get_by_label("Name", exact=True).fill("")
    press(page.locator("[name=_draft]"))
    expect(page.get_by_text("Give the prompt a name.").first).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert stored(console, prompt)[0] == [(1, "")]


def test_publish_with_a_failed_test_input_and_undo_it(open_as, console, provider, prompt):
    provider.script("words", Behaviour(text="Good day."))
    page = open_as("author")
    open_prompt(page, prompt)
    change_text(page, "Say good day.")
    press(page.locator("[name=_publish]"))
    press(page.get_by_role("dialog").get_by_role("button", name="Check and publish"))
    expect(page.get_by_role("heading", name="v2 replaces v1 as Live")).to_be_visible()
    assert stored(console, prompt)[1] == 1
    press(page.get_by_role("button", name="Run the test inputs"))
    expect(page.get_by_text("1 of 1 test input failed on v2.")).to_be_visible()
    expect(page.locator("#llm-publish-tests .llm-failures")).to_contain_text("hello")
    press(page.get_by_role("button", name="Publish anyway"))
    expect(page.get_by_text("v2 is Live now.")).to_be_visible()
    assert stored(console, prompt)[1] == 2
    press(page.get_by_role("button", name="Undo the move of Live"))
    expect(page.get_by_text("Undone: Live is v1 again.")).to_be_visible()
    assert stored(console, prompt)[1] == 1


def test_by_keyboard_alone(open_as, console, prompt):
    page = open_as("author")
    open_prompt(page, prompt)
    text = page.get_by_label(re.compile("^Text of message")).last
    press_until(page, text)
    page.keyboard.press("Control+End")
    page.keyboard.type(" Twice.")
    page.keyboard.press("Control+s")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("What changed?")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("[name=_draft]")).to_be_focused()
    page.keyboard.press("Control+s")
    expect(dialog.get_by_label("What changed?")).to_be_focused()
    page.keyboard.type("Two greetings")
    press_until(page, dialog.get_by_role("button", name="Check and publish"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="v2 replaces v1 as Live")).to_be_visible()
    press_until(page, page.locator("#llm-publish-button"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("v2 is Live now.")).to_be_visible()
    assert stored(console, prompt) == ([(1, ""), (2, "Two greetings")], 2)
    press_until(page, page.get_by_role("button", name="Undo the move of Live"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("Undone: Live is v1 again.")).to_be_visible()
    assert stored(console, prompt)[1] == 1
