"""An author builds a workflow from nothing, mends what is wrong with it, runs it unsaved and from the list."""

from __future__ import annotations

import re

import pytest

from tests.e2e.drags import drag
from tests.servers.openai_server import Behaviour

expect = pytest.importorskip("playwright.sync_api").expect

ADD = "/admin/llm_admin/workflow/add/"
READY = "#llm-workflow[data-ready]"


def new_workflow(page):
    page.goto(ADD)
    page.wait_for_selector(READY, state="attached")


def open_workflow(page, name):
    page.goto("/admin/llm_admin/workflow/")
    page.get_by_role("link", name=re.compile(f"^{name}")).first.click()
    page.wait_for_selector(READY, state="attached")


def add_input(page, name, label=""):
    page.get_by_role("button", name="Add an input").click()
    row = page.locator(".llm-inputs")
    row.get_by_label("Name").last.fill(name)
    row.get_by_label("Label").last.fill(label)


def add_step(page, word):
    before = cards(page).count()
    page.get_by_role("button", name=re.compile(f"^.*Add {word} step")).click()
    expect(cards(page)).to_have_count(before + 1)
    return cards(page).nth(before)


def cards(page):
    return page.locator(".llm-flow-item")


def named(page, result):
    """The card whose result has this name, wherever it stands."""
    return cards(page).filter(has=page.locator("[data-step-result]", has_text=re.compile(f"^{result}$")))


def results(page):
    return page.locator("[data-step-result]").all_inner_texts()


def options(select):
    return [text for text in select.locator("option:not([hidden])").all_inner_texts() if text]


def run_button(page):
    return page.locator("#llm-run-button")


def two_steps(page):
    """A topic, and a model step that asks about it twice removed."""
    new_workflow(page)
    add_input(page, "topic", "Your topic")
    first = add_step(page, "model")
    first.get_by_label("Text").fill("Three words about {{topic}}.")
    second = add_step(page, "model")
    second.get_by_label("Text").fill("Translate: {{answer}}")
    return first, second


def test_from_nothing_to_steps_that_fill_in_one_after_the_other_unsaved(open_as, provider, console):
    provider.script("words", Behaviour(text="Alpha beta.", gate=True))
    page = open_as("author")
    two_steps(page)
    page.get_by_label("Your topic").fill("rain")
    before = len(provider.requests)
    page.keyboard.press("Control+Enter")
    first = provider.wait_for(before + 1)[-1]
    assert first.question == "Three words about rain."
    panel = page.locator("#llm-answer")
    expect(panel.locator("[data-step='1'] [data-run-text]")).to_have_text(re.compile("^Alpha"))
    expect(panel.locator("[data-step='2'] .llm-status")).to_have_text("Waiting")
    first.release(5)
    second = provider.wait_for(before + 2)[-1]
    assert second.question == "Translate: Alpha beta."
    expect(panel.locator("[data-step='1'] .llm-status")).to_have_text("Succeeded")
    second.release(5)
    expect(panel.locator(".llm-run-head .llm-status")).to_have_text("Succeeded")
    expect(panel.locator(".llm-outcome")).to_contain_text("Alpha beta.")
    expect(panel.locator("[data-step='2'] .llm-step-figures")).to_have_text(
        re.compile(r"\d+ (ms|s).* in, .* out · \$0\.0")
    )
    assert console.rows("select count(*) from llm_admin_workflow where name = 'Rainy'")[0][0] == 0


def test_the_run_form_follows_the_inputs_and_keeps_what_is_typed(open_as):
    page = open_as("author")
    new_workflow(page)
    add_input(page, "city", "Your city")
    page.get_by_label("Your city").fill("Bern")
    add_input(page, "mood", "Your mood")
    expect(page.get_by_label("Your mood")).to_be_visible()
    expect(page.locator("#llm-run-fields").get_by_label("Your city")).to_have_value("Bern")


def test_pickers_offer_only_what_comes_before_and_follow_every_move(open_as):
    page = open_as("author")
    new_workflow(page)
    add_input(page, "topic")
    add_step(page, "prompt")
    model = add_step(page, "model")
    add_step(page, "parser")
    parser = named(page, "data")
    assert results(page) == ["messages", "answer", "data"]
    assert options(model.get_by_label("Messages from")) == ["The step before", "messages"]
    assert options(parser.get_by_label("Reads")) == ["The step before", "topic", "messages", "answer"]
    assert options(page.get_by_label("Outcome")) == ["The last step’s result", "messages", "answer", "data"]
    model.get_by_label("Result name").fill("reply")
    assert options(parser.get_by_label("Reads"))[-1] == "reply"
    parser.get_by_label("Reads").select_option("messages")
    parser.get_by_role("button", name="Move up").click()
    parser.get_by_role("button", name="Move up").click()
    assert results(page) == ["data", "messages", "reply"]
    assert page.locator(".llm-flow-number").all_inner_texts() == ["1", "2", "3"]
    assert options(parser.get_by_label("Reads")) == ["The step before", "topic", "messages (not before this step)"]
    expect(parser.get_by_label("Reads")).to_have_value("messages")
    assert parser.get_by_role("button", name="Move up").is_disabled()


def test_a_chosen_prompt_shows_its_variables_and_names_can_be_put_in(open_as):
    page = open_as("author")
    new_workflow(page)
    add_input(page, "topic")
    card = add_step(page, "prompt")
    card.get_by_label("Prompt", exact=True).select_option(label="Ticket summary")
    group = card.get_by_role("group", name="What the prompt's variables get")
    first = group.get_by_role("textbox").first
    expect(first).to_have_attribute("placeholder", re.compile(r"^\{\{\w+\}\}$"))
    first.fill("About ")
    card.get_by_role("button", name="{{topic}}").click()
    expect(first).to_have_value("About {{topic}}")


def test_steps_are_dragged_duplicated_folded_removed_and_brought_back(open_as):
    page = open_as("author")
    first, _second = two_steps(page)
    first.get_by_role("button", name="Duplicate").click()
    expect(cards(page)).to_have_count(3)
    assert results(page) == ["answer", "answer_3", "answer_2"]
    expect(cards(page).nth(1).get_by_label("Text")).to_have_value("Three words about {{topic}}.")
    cards(page).nth(1).get_by_role("button", name="Remove").click()
    assert results(page) == ["answer", "answer_2"]
    page.get_by_role("button", name="Undo").click()
    assert results(page) == ["answer", "answer_3", "answer_2"]
    for card in cards(page).all():
        card.get_by_role("button", name="Show the settings of this step").click()
    expect(cards(page).first.get_by_label("Text")).to_be_hidden()
    drag(page, page.locator(".llm-flow-handle"), 0, 2)
    expect(page.locator("[data-step-result]").nth(2)).to_have_text("answer")
    assert page.locator(".llm-flow-number").all_inner_texts() == ["1", "2", "3"]


def test_problems_stand_at_their_fields_until_they_are_mended_and_nothing_is_lost(open_as, console):
    page = open_as("author")
    first, second = two_steps(page)
    page.get_by_label("Name of the workflow").or_(page.locator("#llm-name")).first.fill("Mended")
    first.get_by_label("Result name").fill("no good")
    second.get_by_label("Text").fill("About {{nothing}}")
    page.get_by_role("button", name="Save workflow").click()
    page.wait_for_selector(READY, state="attached")
    first, second = cards(page).all()
    field = first.get_by_label("Result name")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    expect(first.locator(".rjf-error-text")).to_contain_text("letters, digits and underscores")
    expect(page.locator("#llm-name")).to_have_value("Mended")
    expect(second.get_by_label("Text")).to_have_value("About {{nothing}}")
    field.fill("answer")
    expect(first.locator(".rjf-error-text")).to_have_count(0)
    page.get_by_role("button", name="Save workflow").click()
    page.wait_for_selector(READY, state="attached")
    second = cards(page).nth(1)
    expect(second.locator(".rjf-error-text")).to_contain_text("Nothing before this step is called “nothing”")
    second.get_by_label("Text").fill("About {{answer}}")
    page.get_by_role("button", name="Save workflow").click()
    expect(page.locator(".llm-title-state")).to_contain_text("Live: v1")
    found = console.rows("select count(*) from llm_admin_workflow where name = 'Mended'")
    assert found[0][0] == 1


def test_what_cannot_run_is_told_without_leaving_the_page(open_as):
    page = open_as("author")
    first, _second = two_steps(page)
    first.get_by_label("Result name").fill("")
    page.get_by_label("Your topic").fill("rain")
    run_button(page).click()
    expect(page.locator("#llm-answer")).to_contain_text("Step 1, Result name: This must not be empty.")
    expect(first.get_by_label("Result name")).to_be_focused()
    expect(page.get_by_label("Your topic")).to_have_value("rain")


def test_renaming_an_input_and_running_at_once_is_no_unknown_variable(open_as):
    page = open_as("author")
    first, _second = two_steps(page)
    page.get_by_label("Your topic").fill("rain")
    page.locator(".llm-inputs").get_by_label("Name").fill("theme")
    first.get_by_label("Text").fill("{{theme}}")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#llm-answer")).to_contain_text("“Your topic” is needed; fill it in.")
    expect(page.locator("#llm-answer")).not_to_contain_text("no variable")


def test_only_real_changes_count_as_unsaved(open_as):
    page = open_as("author")
    open_workflow(page, "Ticket triage")
    chip = page.locator(".llm-chip-warn", has_text="Not saved yet")
    expect(chip).to_be_hidden()
    title = cards(page).first.get_by_label("Title")
    before = title.input_value()
    title.fill("Something else")
    expect(chip).to_be_visible()
    title.fill(before)
    expect(chip).to_be_hidden()
    cards(page).first.get_by_role("button", name="Move down").click()
    expect(chip).to_be_visible()


def test_one_workflow_from_the_list_runs_in_a_dialog_once(open_as, provider, console):
    provider.script("words", Behaviour(text="Once."))
    page = open_as("author")
    page.goto("/admin/llm_admin/workflow/")
    runs = "select count(*) from llm_admin_run where source = 'admin'"
    before = console.rows(runs)[0][0]
    page.get_by_role("link", name="Run… NDA first check").click()
    dialog = page.get_by_role("dialog")
    for field in dialog.locator("[data-input]").all():
        expect(field).to_be_visible()
        field.fill("Some text")
    dialog.get_by_role("button", name="Run").dblclick()
    expect(dialog.locator("[data-run-id]")).to_have_count(1)
    expect(dialog.get_by_role("link", name="Open run")).to_be_visible()
    assert console.rows(runs)[0][0] == before + 1
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("link", name="Run… NDA first check")).to_be_focused()


def test_a_viewer_sees_the_steps_and_no_way_to_change_them(open_as):
    page = open_as("viewer")
    open_workflow(page, "Ticket triage")
    expect(cards(page).first.get_by_label("Result name")).to_be_disabled()
    for name in ("Move up", "Remove", "Save draft", "Run"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)
