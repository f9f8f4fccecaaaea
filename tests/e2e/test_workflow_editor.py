"""The editor of workflows: steps within steps, names that follow, one step alone; much of it by keyboard."""

from __future__ import annotations

import re

import pytest

from tests.e2e.drags import PLACE
from tests.e2e.keys import press
from tests.e2e.test_accessibility import axe, violations  # noqa: F401 - a fixture
from tests.e2e.test_workflow import add_input, add_step, cards, named, new_workflow, options, results, run_button

expect = pytest.importorskip("playwright.sync_api").expect

STEPS = "JSON.stringify(llmFlow.steps())"


def numbers(page):
    return page.locator(".llm-flow-number").all_inner_texts()


def undo(page):
    return page.get_by_role("button", name="Undo")


def slot(page, result, title):
    """The list of steps with this title within the step whose result has this name."""
    card = page.locator(".llm-flow-item", has=page.locator(f"[data-step-result]:text-is('{result}')")).last
    return card.locator(".llm-slot", has=page.get_by_role("heading", name=title, exact=True)).first


def add_inside(page, result, title, word):
    before = cards(page).count()
    press(slot(page, result, title).get_by_role("button", name=f"Add a step to “{title}”").last)
    chooser = page.get_by_role("dialog")
    expect(chooser).to_contain_text(f"Add a step to “{title}”")
    press(chooser.get_by_role("button", name=f"Add {word} step"))
    expect(cards(page)).to_have_count(before + 1)


def four_steps(page):
    """1 asks, 2 reads, 3 branches on what was read, 4 puts it together."""
    new_workflow(page)
    add_input(page, "ticket", "The ticket")
    model = add_step(page, "model")
    model.get_by_label("Text").fill("Sort this: {{ticket}}")
    add_step(page, "parser")
    parser = named(page, "data")
    parser.get_by_label("Format").select_option("text")
    add_step(page, "branch")
    branch = named(page, "way")
    branch.get_by_label("What", exact=True).select_option("data")
    branch.get_by_label("How", exact=True).select_option("contains")
    branch.get_by_label("With", exact=True).fill("demo")
    add_inside(page, "way", "If so", "text")
    named(page, "text").last.get_by_label("Text", exact=True).fill("About a demo: {{data}}")
    add_inside(page, "way", "Otherwise", "text")
    named(page, "text_2").last.get_by_label("Text", exact=True).fill("Something else: {{data}}")
    press(page.locator(".llm-adding").get_by_role("button", name="Add text step"))
    expect(cards(page)).to_have_count(6)
    named(page, "text_3").get_by_label("Text", exact=True).fill("Done. {{way}}")


def test_a_step_that_arrives_late_does_not_take_the_focus_from_another_field(open_as):
    page = open_as("author")
    new_workflow(page)
    held = []
    page.route("**/card/*", lambda route: held.append(route))
    press(page.locator(".llm-adding").get_by_role("button", name="Add text step"))
    name = page.locator("[name=name]")
    name.focus()
    while not held:
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.get_by_text("Step 1 added.")).to_be_attached()
    expect(name).to_be_focused()


def test_four_steps_with_a_branch_from_nothing_run_and_are_saved(open_as, console):
    page = open_as("author")
    four_steps(page)
    assert numbers(page) == ["1", "2", "3", "3.1", "3.2", "4"]
    flow = page.locator("#llm-map-flow")
    expect(flow).to_contain_text(re.compile("If so.*3.1.*Otherwise.*3.2.*4", re.S))
    page.get_by_label("The ticket").fill("rain")
    page.locator("#llm-run-form [name=model]").select_option("demo")
    press(run_button(page))
    panel = page.locator("#llm-answer")
    expect(panel.locator(".llm-run-head .llm-status")).to_have_text("Succeeded", timeout=60_000)
    expect(panel.locator(".llm-outcome")).to_contain_text(re.compile("Done. (About a demo|Something else): "))
    page.locator("#llm-name").fill("Four steps")
    press(page.get_by_role("button", name="Save workflow"))
    expect(page.locator(".llm-title-state")).to_contain_text("Live: v1")
    assert results(page) == ["answer", "data", "way", "text", "text_2", "text_3"]
    assert console.rows("select count(*) from llm_admin_workflow where name = 'Four steps'")[0][0] == 1


def test_a_failing_step_is_mended_by_trying_it_alone(open_as):
    page = open_as("author")
    new_workflow(page)
    add_input(page, "ticket", "The ticket")
    step = add_step(page, "parser")
    step.get_by_label("Reads").select_option("ticket")
    step.get_by_label("Format").select_option("number")
    page.get_by_label("The ticket").fill("it is about parcels")
    press(run_button(page))
    panel = page.locator("#llm-answer")
    expect(panel.locator(".llm-run-head .llm-status")).to_have_text("Failed")
    press(step.get_by_role("button", name="Try this step"))
    dialog = page.get_by_role("dialog")
    field = dialog.get_by_label("The ticket")
    expect(field).to_have_value("it is about parcels")
    field.fill("12")
    press(dialog.get_by_role("button", name="Run this step"))
    expect(dialog.locator(".llm-run-head .llm-status")).to_have_text("Succeeded")
    press(dialog.get_by_role("button", name="Copy last run’s values"))
    expect(field).to_have_value("it is about parcels")
    page.keyboard.press("Escape")
    expect(step.get_by_role("button", name="Try this step")).to_be_focused()
    step.get_by_label("Format").select_option("text")
    press(step.get_by_role("button", name="Try this step"))
    press(dialog.get_by_role("button", name="Run this step"))
    expect(dialog.locator(".llm-run-head .llm-status")).to_have_text("Succeeded")
    expect(dialog.locator(".llm-outcome")).to_contain_text("it is about parcels")


def test_a_step_is_put_between_two_with_the_keyboard_alone(open_as):
    page = open_as("author")
    four_steps(page)
    press(page.get_by_role("button", name="Insert a step before step 2"))
    chooser = page.get_by_role("dialog")
    expect(chooser.get_by_role("button", name="Add prompt step")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(chooser.get_by_role("button", name="Add classify step")).to_be_focused()
    page.keyboard.press("Enter")
    expect(cards(page)).to_have_count(7)
    assert results(page)[:3] == ["answer", "category", "data"]
    expect(named(page, "category").get_by_label("Result name")).to_be_focused()
    undo(page).click()
    expect(cards(page)).to_have_count(6)


def test_pickers_within_steps_offer_what_stands_before_and_around_them(open_as):
    page = open_as("author")
    four_steps(page)
    add_inside(page, "way", "If so", "for each")
    add_inside(page, "results", "For each entry", "parser")
    inner = named(page, "data_2").last
    assert numbers(page) == ["1", "2", "3", "3.1", "3.2", "3.2.1", "3.3", "4"]
    assert options(inner.get_by_label("Reads")) == [
        *("The step before", "ticket – The ticket", "answer", "data", "text", "item – the entry")
    ]
    last = named(page, "text_3")
    chips = last.locator(".llm-flow-names button").all_inner_texts()
    assert chips == ["{{ticket}}", "{{answer}}", "{{data}}", "{{way}}"], "not what is inside of the branch"
    parser = cards(page).nth(1)
    parser.get_by_label("Format").select_option("json")
    parser.get_by_role("button", name="Add a key").click()
    parser.get_by_label("Key", exact=True).fill("urgency")
    expect(last.get_by_role("button", name="{{data.urgency}}")).to_be_visible()
    assert "data.urgency" in options(inner.get_by_label("Reads"))


def test_a_new_result_name_is_followed_everywhere_and_can_be_undone(open_as):
    page = open_as("author")
    four_steps(page)
    before = page.evaluate(STEPS)
    name = named(page, "data").get_by_label("Result name")
    name.fill("facts")
    named(page, "facts").get_by_label("Title").first.focus()
    expect(page.get_by_role("status").filter(has_text="is called")).to_have_text(
        "“data” is called “facts” now, in the 3 places that used it too."
    )
    now = page.evaluate(STEPS)
    assert '"data"' not in now
    assert "{{data}}" not in now
    assert now.count("{{facts}}") == 2
    undo(page).click()
    expect(named(page, "data")).to_have_count(1)
    assert page.evaluate(STEPS) == before
    page.locator(".llm-inputs").get_by_label("Name").fill("letter")
    page.locator(".llm-inputs").get_by_label("Label").focus()
    expect(cards(page).first.get_by_label("Text")).to_have_value("Sort this: {{letter}}")


def test_removing_a_step_that_others_need_says_which_first(open_as):
    page = open_as("author")
    four_steps(page)
    card = named(page, "data")
    press(card.get_by_role("button", name="Remove"))
    dialog = page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("Remove step 2 “Parser”?")
    assert dialog.get_by_role("listitem").all_inner_texts() == [
        *("Step 3 “Branch”", "Step 3.1 “Text”", "Step 3.2 “Text”")
    ]
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(card).to_have_count(1)
    press(card.get_by_role("button", name="Remove"))
    press(dialog.get_by_role("button", name="Remove it anyway"))
    expect(card).to_have_count(0)
    undo(page).click()
    assert results(page)[1] == "data"
    expect(named(page, "way").first.get_by_label("What", exact=True)).to_have_value("data")


def test_a_branch_is_copied_with_all_that_is_in_it(open_as):
    page = open_as("author")
    four_steps(page)
    add_inside(page, "way", "If so", "text")
    named(page, "text_4").last.get_by_label("Text", exact=True).fill("Again: {{text}}")
    branch = cards(page).nth(2)
    press(branch.get_by_role("button", name="Duplicate").first)
    expect(cards(page)).to_have_count(11)
    assert results(page)[6:10] == ["way_2", "text_5", "text_6", "text_7"]
    expect(cards(page).nth(8).get_by_label("Text", exact=True)).to_have_value("Again: {{text_5}}")
    undo(page).click()
    expect(cards(page)).to_have_count(7)


def test_steps_are_moved_switched_off_and_folded_with_the_keyboard(open_as):
    page = open_as("author")
    four_steps(page)
    press(named(page, "text_3").get_by_role("button", name="Move in"))
    assert results(page) == ["answer", "data", "way", "text", "text_3", "text_2"]
    assert numbers(page) == ["1", "2", "3", "3.1", "3.2", "3.3"]
    inner = named(page, "text_3").last
    inner.get_by_role("button", name="Move up").first.focus()
    page.keyboard.press("Alt+ArrowUp")
    assert results(page)[3:5] == ["text_3", "text"]
    press(named(page, "text_3").last.get_by_role("button", name="Move out"))
    assert results(page)[-1] == "text_3"
    press(named(page, "data").get_by_role("switch", name="Switched on"))
    expect(named(page, "data").get_by_role("switch")).to_have_attribute("aria-checked", "false")
    expect(page.get_by_role("heading", name=re.compile("Step 2: *Parser *, switched off"))).to_be_visible()
    expect(page.locator(".llm-map-off")).to_have_count(1)
    assert "data (not before this step)" in options(named(page, "way").first.get_by_label("What", exact=True))
    undo(page).click()
    expect(page.locator(".llm-map-off")).to_have_count(0)
    press(page.get_by_role("button", name="Fold all"))
    for body in page.locator("#llm-steps > li > article > .llm-flow-body").all():
        expect(body).to_be_hidden()
    press(page.locator("#llm-map-flow").get_by_role("button", name="3.2"))
    expect(named(page, "text_2").last.get_by_label("Text", exact=True)).to_be_visible()


def test_a_step_is_dragged_into_a_branch(open_as):
    page = open_as("author", height=2200)
    four_steps(page)
    page.get_by_role("button", name="Fold all").click()
    named(page, "way").first.get_by_role("button", name="Show the settings of this step").first.click()
    handle = named(page, "data").locator(".llm-flow-handle")
    handle.evaluate("handle => handle.scrollIntoView({block: 'center'})")
    handle.hover()
    start = handle.bounding_box()
    target = named(page, "text").last.locator(".llm-flow-handle")
    page.mouse.move(start["x"] + 5, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 8, start["y"] + 30, steps=5)
    for attempt in range(100):
        place = target.bounding_box()  # the others slide aside meanwhile
        page.mouse.move(place["x"] + 5, place["y"] + 8 - attempt % 10, steps=8 if attempt == 0 else 2)
        if page.evaluate("() => !!document.querySelector('.sortable-ghost')?.closest('.llm-slot')"):
            break
        page.wait_for_timeout(50)
    assert page.evaluate(PLACE) >= 0
    page.mouse.up()
    expect(page.locator(".llm-slot [data-step-result]", has_text=re.compile("^data$"))).to_have_count(1)
    undo(page).click()
    assert results(page)[1] == "data"


def test_problems_within_a_branch_stand_at_their_fields(open_as):
    page = open_as("author")
    four_steps(page)
    page.locator("#llm-name").fill("Refused")
    named(page, "text_2").last.get_by_label("Text", exact=True).fill("About {{nothing}}")
    named(page, "way").first.get_by_label("With", exact=True).fill("")
    page.get_by_role("button", name="Save workflow").click()
    page.wait_for_selector("#llm-workflow[data-ready]", state="attached")
    expect(page.locator(".llm-problems")).to_contain_text("Step 3, Condition 1: Say what it contains")
    named(page, "way").first.get_by_label("With", exact=True).fill("demo")
    page.get_by_role("button", name="Save workflow").click()
    page.wait_for_selector("#llm-workflow[data-ready]", state="attached")
    expect(page.locator(".llm-problems")).to_contain_text(
        "Step 3.2, Text: Nothing before this step is called “nothing”."
    )
    field = named(page, "text_2").last.get_by_label("Text", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()


def test_several_results_by_name(open_as):
    page = open_as("author")
    four_steps(page)
    page.get_by_role("radio", name="Several, by name").focus()
    page.keyboard.press("Space")
    outputs = page.locator(".llm-gives-several")
    outputs.get_by_role("button", name="Add a part").click()
    outputs.get_by_label("Name").fill("kind")
    outputs.get_by_label("Value").focus()
    press(outputs.get_by_role("button", name="{{data}}"))
    expect(outputs.get_by_label("Value")).to_have_value("{{data}}")
    page.get_by_label("The ticket").fill("rain")
    page.locator("#llm-run-form [name=model]").select_option("demo")
    run_button(page).click()
    outcome = page.locator("#llm-answer .llm-outcome")
    expect(outcome.locator("dt")).to_have_text("kind", timeout=60_000)
    page.locator("#llm-name").fill("Named")
    page.get_by_role("button", name="Save workflow").click()
    expect(page.locator(".llm-title-state")).to_contain_text("Live: v1")
    expect(outputs.get_by_label("Value")).to_have_value("{{data}}")


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light")])
def test_axe_finds_nothing_in_the_editor_and_its_dialogs(open_as, axe, width, scheme):  # noqa: F811
    page = open_as("author", width=width, scheme=scheme)
    four_steps(page)
    press(named(page, "text_3").get_by_role("switch", name="Switched on"))
    page.locator("#llm-map").evaluate("map => { map.open = true; }")
    assert violations(page, axe) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    press(page.get_by_role("button", name="Insert a step before step 3.1"))
    assert violations(page, axe) == ""
    page.keyboard.press("Escape")
    press(named(page, "data").get_by_role("button", name="Remove"))
    assert violations(page, axe) == ""
    page.keyboard.press("Escape")
    press(named(page, "data").get_by_role("button", name="Try this step"))
    expect(page.get_by_role("button", name="Run this step")).to_be_visible()
    assert violations(page, axe) == ""
