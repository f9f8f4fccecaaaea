"""An author compares versions on test inputs, saves and runs test inputs, and opens a log in the studio."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.keys import press
from tests.servers.openai_server import Behaviour

expect = pytest.importorskip("playwright.sync_api").expect
AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
MAKE = """
from llm_admin.models import *
from llm_admin.services import actors, prompts, prompt_tests, workspaces
from llm_admin.schemas.prompts import text_spec
from llm_admin.tenancy import workspace_scope
ws = workspaces.default()
actor = actors.system(ws)
with workspace_scope(ws):
    prompt = prompts.create(actor=actor, name={name!r}, spec=text_spec("Say something about {{{{topic}}}}."))
    prompts.save_version(prompt, actor=actor, spec=text_spec("Sing something about {{{{topic}}}}."))
    for topic in {topics!r}:
        data = {{"name": topic, "inputs": {{"topic": topic}}, "checks": [{{"kind": "contains", "text": topic}}]}}
        prompt_tests.save(prompt, actor=actor, data=data)
    print(prompt.pk)
"""


@pytest.fixture
def make(console):
    return lambda name, *topics: int(console.code(MAKE.format(name=name, topics=topics)))


def complaints(page) -> str:
    if not AXE.exists():
        return ""
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(result => result.violations)")
    return "\n".join(f"{one['id']}: {[node['html'][:200] for node in one['nodes'][:3]]}" for one in found)


def ended(page, place):
    page.wait_for_selector(f"{place}:not(:has([data-run-open]))")


def test_two_versions_stream_side_by_side_on_three_inputs_and_one_is_kept(open_as, provider, make):
    pk = make("Compared", "rain", "snow", "hail")
    provider.script("words", Behaviour(text="Alpha snow gamma.", gate=True))
    page = open_as("author")
    followed = []
    page.on("request", lambda request: "/follow" in request.url and followed.append(request.url))
    page.goto(f"/admin/llm_admin/prompt/{pk}/compare/")
    page.get_by_label("All 3 test inputs").press("Space")
    expect(page.locator("[data-compare-count]")).to_have_text("6 runs")
    before = len(provider.requests)
    page.get_by_role("button", name="Run all").focus()
    page.keyboard.press("Enter")
    requests = provider.wait_for(before + 6)[before:]
    answers = page.locator("#llm-compare-grid .llm-answer")
    for shown in ("Alpha", "Alpha snow"):
        for place in range(6):
            expect(answers.nth(place)).to_have_text(re.compile(rf"^{shown}\s*$"))
        for request in requests:
            request.release()
    assert len(followed) == 1, "one connection for all of them"
    questions = sorted(request.question for request in requests)
    assert questions[0] == "Say something about hail."
    assert questions[-1] == "Sing something about snow."
    for request in requests:
        request.release(5)
    ended(page, "#llm-compare-grid .llm-compare")
    heads = page.locator(".llm-compare-head")
    for column in range(2):
        expect(heads.nth(column)).to_contain_text("1 of 3")
    expect(page.locator(".llm-compare-row").nth(1).locator(".llm-chip").first).to_have_text("Passed")
    expect(page.locator(".llm-compare-row").first).to_contain_text("The answer does not contain “rain”.")
    expect(page.locator(".llm-compare-row").first).to_contain_text("The same as in the first column.")
    page.reload()
    expect(answers).to_have_count(6)
    expect(answers.first).to_have_text("Alpha snow gamma.")
    assert complaints(page) == ""
    press(page.get_by_role("button", name="Keep this one: v1"))
    page.wait_for_url("**/change/**")
    text = page.get_by_label(re.compile("^Text of "))
    expect(text).to_have_value("Say something about {{topic}}.")
    expect(page.get_by_text("Not saved yet")).to_be_visible()


def test_unsaved_text_is_a_column_and_stop_all_stops(open_as, provider, make):
    pk = make("Compared with a draft", "rain")
    provider.script("words", Behaviour(text="One two three.", gate=True))
    page = open_as("author", width=390, height=850, scheme="dark")
    page.goto(f"/admin/llm_admin/prompt/{pk}/change/")
    page.wait_for_selector("#llm-tests-card .llm-test")
    page.get_by_label(re.compile("^Text of ")).fill("Whisper about {{topic}} and {{more}}.")
    press(page.locator("#llm-tests a[data-llm-compare]"))
    page.wait_for_url("**/compare/**")
    expect(page.get_by_label("Version of column 2")).to_have_value("draft")
    page.get_by_label("Topic").fill("rain")  # the second field may still be on its way, and must not undo this
    page.get_by_label("More").fill("wind")
    expect(page.get_by_label("Topic")).to_have_value("rain")
    before = len(provider.requests)
    page.keyboard.press("Control+Enter")
    requests = provider.wait_for(before + 2)[before:]
    assert {request.question for request in requests} >= {"Whisper about rain and wind."}
    expect(page.locator("#llm-compare-grid .llm-answer").nth(1)).to_have_text(re.compile("One"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    press(page.get_by_role("button", name="Stop all"))
    ended(page, "#llm-compare-grid .llm-compare")
    assert all(request.closed.wait(30) for request in requests)
    expect(page.locator("#llm-compare-grid .llm-answer").nth(1)).to_have_text(re.compile("One"))
    assert complaints(page) == ""
    page.get_by_label("Repeat").fill("80")
    press(page.get_by_role("button", name="Run all"))
    expect(page.locator("#llm-compare-problem")).to_contain_text("Repeat between 1 and 10 times.")


def test_a_test_input_is_saved_from_what_is_filled_in_and_all_are_run_with_one_failing(open_as, provider, make):
    pk = make("Tested", "rain")
    provider.script("words", Behaviour(text="It will rain."))
    page = open_as("author")
    page.goto(f"/admin/llm_admin/prompt/{pk}/change/")
    page.wait_for_selector("#llm-tests-card .llm-test")
    page.locator("#llm-try-form").get_by_label("Topic").fill("snow")
    page.get_by_role("button", name="Save what is filled in").focus()
    page.keyboard.press("Enter")
    form = page.locator("[data-test-form]")
    expect(form.get_by_label("Topic")).to_have_value("snow")
    expect(form.get_by_label("Name")).to_be_focused()
    press(form.get_by_role("button", name="Save test input"))
    expect(form.get_by_label("Name")).to_have_attribute("aria-invalid", "true")
    assert complaints(page) == ""
    form.get_by_label("Name").fill("Cold")
    form.get_by_label("Text or pattern").fill("snow")
    form.get_by_label("Name").press("Enter")
    rows = page.locator("#llm-tests-list > li")
    expect(rows).to_have_count(2)
    press(page.get_by_role("button", name="Run all"))
    expect(rows.nth(0)).to_contain_text("Passed")
    expect(rows.nth(1)).to_contain_text("Failed")
    expect(rows.nth(1)).to_contain_text("The answer does not contain “snow”.")
    page.reload()
    expect(rows.nth(1)).to_contain_text("Failed")
    assert complaints(page) == ""
    page.on("dialog", lambda dialog: dialog.accept())
    press(page.get_by_role("button", name="Delete Cold"))
    expect(rows).to_have_count(1)


def test_a_log_opens_in_the_studio_with_its_unsaved_text_and_values(open_as, provider, make, console):
    pk = make("Logged")
    page = open_as("author")
    page.goto(f"/admin/llm_admin/prompt/{pk}/change/")
    page.get_by_label(re.compile("^Text of ")).fill("Never saved: {{mood}}")
    page.get_by_role("textbox", name="Mood").fill("cheerful")
    press(page.locator("#llm-run-button"))
    expect(page.locator("#llm-answer .llm-status")).to_have_text("Succeeded")
    page.get_by_role("textbox", name="Mood").fill("typed later")
    ((log,),) = console.rows("select max(id) from llm_admin_interactionlog")
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"/admin/llm_admin/interactionlog/{log}/change/")
    press(page.get_by_role("link", name="Open in studio"))
    page.wait_for_url("**from_log=**")
    expect(page.get_by_label(re.compile("^Text of "))).to_have_value("Never saved: {{mood}}")
    expect(page.get_by_role("textbox", name="Mood")).to_have_value("cheerful")
    expect(page.get_by_text("Not saved yet")).to_be_visible()
