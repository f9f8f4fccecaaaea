"""The editor: a first answer in few keys, offers while typing, typed variables, settings, an imported syntax."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e.drags import drag
from tests.e2e.waiting import settled
from tests.servers.openai_server import Behaviour

expect = pytest.importorskip("playwright.sync_api").expect

NEW = "/admin/llm_admin/prompt/add/"
KINDS = [
    {"name": "short", "type": "text"},
    {"name": "long", "type": "long_text"},
    {"name": "size", "type": "number", "minimum": 1, "maximum": 10},
    {"name": "tone", "type": "choice", "choices": ["formal", "friendly"]},
    {"name": "urgent", "type": "boolean"},
    {"name": "due", "type": "date"},
    {"name": "points", "type": "list"},
    {"name": "data", "type": "json"},
    {"name": "report", "type": "file"},
]
F_STRING = {
    "syntax": "f-string",
    "messages": [{"role": "user", "text": "Tell {who}: {{literally}}"}],
    "variables": [{"name": "who", "type": "text"}],
}


class Counted:
    """Key presses and clicks besides the typing of texts."""

    def __init__(self, page):
        self.page, self.count = page, 0

    def press(self, key):
        self.count += 1
        self.page.keyboard.press(key)


def open_new(page):
    page.goto(NEW)
    page.wait_for_selector(".llm-message textarea")
    settled(page)
    discard = page.get_by_role("button", name="Discard")
    if discard.is_visible():  # the draft of the test before
        discard.click()
        expect(discard).to_be_hidden()
        page.locator("#llm-name").focus()
    return page


def text(page, number=1):
    return page.get_by_label(f"Text of message {number}", exact=True)


def field(page, variable):
    return page.locator(f"#llm-input-{variable}")


def load(page, spec):
    page.evaluate("spec => window.dispatchEvent(new CustomEvent('llm:load-spec', { detail: { spec } }))", spec)


def spec_of(page):
    return page.evaluate("window.llmStudio().current()")


def succeeded(page):
    expect(page.locator("#llm-answer .llm-status")).to_have_text("Succeeded")


def test_from_the_empty_page_to_the_first_answer_in_at_most_eight_keys(open_as, provider):
    provider.script("words", Behaviour(text="It rains."))
    page = open_new(open_as("author"))
    keys = Counted(page)
    page.keyboard.type("Weather in a word")
    keys.press("Enter")  # the name is done: on to the text
    page.keyboard.type("What is the weather in {{place}}?")
    keys.press("Control+Enter")  # it says what is missing, and goes there
    expect(field(page, "place")).to_be_focused()
    page.keyboard.type("Bern")
    keys.press("Control+Enter")
    expect(page.locator("#llm-answer .llm-answer").first).to_have_text("It rains.")
    assert provider.requests[-1].question == "What is the weather in Bern?"
    assert keys.count <= 8


def test_braces_offer_the_variables_by_keyboard(open_as):
    page = open_new(open_as("author"))
    area = text(page)
    area.click()
    page.keyboard.type("{{topic}} and {{tone}}, {{t")
    offers = page.get_by_role("listbox", name="Variables")
    expect(offers.get_by_role("option")).to_have_text(["topic", "tone"])
    page.keyboard.press("ArrowDown")
    expect(offers.get_by_role("option", name="tone")).to_have_attribute("aria-selected", "true")
    assert area.get_attribute("aria-activedescendant") == offers.get_by_role("option", name="tone").get_attribute("id")
    page.keyboard.press("Enter")
    expect(area).to_have_value("{{topic}} and {{tone}}, {{tone}}")
    expect(offers).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(area).to_have_value("{{topic}} and {{tone}}, {{t")
    page.keyboard.type("op")
    page.keyboard.press("Tab")
    expect(area).to_have_value("{{topic}} and {{tone}}, {{topic}}")
    expect(area).to_be_focused()
    page.keyboard.type(" {{")
    page.keyboard.press("Escape")
    expect(offers).to_be_hidden()
    expect(area).to_have_value("{{topic}} and {{tone}}, {{topic}} {{")


def test_cards_are_moved_duplicated_and_removed_by_keyboard(open_as):
    page = open_new(open_as("author"))
    text(page).fill("first")
    page.get_by_role("button", name="Add Assistant message").press("Enter")
    expect(text(page, 2)).to_be_focused()
    page.keyboard.type("second")
    page.keyboard.press("Alt+ArrowUp")
    expect(text(page, 1)).to_have_value("second")
    expect(text(page, 1)).to_be_focused()
    page.get_by_role("button", name="Duplicate message 1").press("Enter")
    expect(text(page, 2)).to_have_value("second")
    expect(text(page, 2)).to_be_focused()
    page.get_by_role("button", name="Remove message 1").press("Enter")
    assert [m["text"] for m in spec_of(page)["messages"]] == ["second", "first"]


def test_a_card_is_dragged_to_another_place(open_as):
    page = open_new(open_as("author"))
    load(page, {"messages": [{"role": "user", "text": one} for one in ("a", "b", "c")]})
    expect(text(page, 3)).to_have_value("c")
    drag(page, page.locator(".llm-drag"), 0, 2)
    expect(text(page, 3)).to_have_value("a")
    expect(text(page, 1)).to_have_value("b")
    assert [m["text"] for m in spec_of(page)["messages"]] == ["b", "c", "a"]


def test_a_variable_and_a_list_of_one_name_are_told_at_once(open_as):
    page = open_new(open_as("author"))
    text(page).fill("Sum up {{history}}")
    page.get_by_role("button", name="Add List of messages").click()
    expect(page.get_by_role("article", name="Message 2")).to_contain_text("also a variable of the texts")


def test_a_variable_of_each_kind_is_filled_in_and_runs(open_as, provider, console):
    provider.script("words", Behaviour(text="Done."))
    page = open_new(open_as("author"))
    asked = " ".join(f"{one['name']}={{{{{one['name']}}}}};" for one in KINDS)
    load(page, {"messages": [{"role": "user", "text": asked}], "variables": KINDS})
    field(page, "short").fill("Acme")
    field(page, "long").fill("two\nlines")
    field(page, "size").fill("70")
    field(page, "tone").select_option("friendly")
    field(page, "urgent").select_option("yes")
    field(page, "due").fill("2026-05-03")
    field(page, "points").fill("one\ntwo")
    field(page, "data").fill('{"a": 1}')
    file = {"name": "r.txt", "mimeType": "text/plain", "buffer": "Ünï report".encode()}
    page.get_by_label("Choose a text file for Report").set_input_files([file])
    expect(field(page, "report")).to_have_value("Ünï report")
    page.locator("#llm-run-button").click()
    about = page.locator("#llm-about-size")
    expect(about).to_contain_text("must be at most 10")
    field(page, "size").fill("7")
    expect(about).not_to_contain_text("must be at most 10")
    page.locator("#llm-run-button").click()
    succeeded(page)
    assert provider.requests[-1].question == (
        "short=Acme; long=two\nlines; size=7; tone=friendly; urgent=yes; due=2026-05-03; points=one\ntwo; data={\n  "
        '"a": 1\n}; '
        "report=Ünï report;"
    )
    (inputs,) = console.rows("select inputs from llm_admin_run order by created_at desc limit 1")[0]
    assert json.loads(inputs)["points"] == ["one", "two"]
    assert json.loads(inputs)["urgent"] is True


def test_values_as_json_fill_the_form_and_name_what_is_unknown(open_as):
    page = open_new(open_as("author"))
    load(page, {"messages": [{"role": "user", "text": "{{size}} {{points}}"}], "variables": [KINDS[2], KINDS[6]]})
    page.locator("summary", has_text="Values").press("Enter")
    page.get_by_label("Values as JSON").fill('{"size": 3, "points": ["a", "b"], "nope": 1}')
    page.get_by_role("button", name="Fill in").press("Enter")
    expect(page.locator("#llm-values-told")).to_have_text("2 values are filled in. Not known here: nope.")
    expect(field(page, "size")).to_have_value("3")
    expect(field(page, "points")).to_have_value("a\nb")
    page.get_by_label("Values as JSON").fill("{nope")
    page.get_by_role("button", name="Fill in").press("Enter")
    expect(page.locator("#llm-values-told")).to_contain_text("This is not JSON yet")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Values as JSON")).to_be_hidden()


def test_settings_are_made_by_form_saved_and_sent_and_the_values_offered_again(open_as, provider):
    provider.script("words", Behaviour(text='{"title": "Rain"}'))
    page = open_new(open_as("author"))
    page.get_by_label("Name", exact=True).fill("Titles with settings")
    text(page).fill("A title about {{topic}}")
    page.locator(".llm-settings > summary").press("Enter")
    page.get_by_label("Temperature", exact=True).fill("0,2")
    page.get_by_label("Stop sequences").fill("END\n\\n\\n")
    page.get_by_label("Further settings").fill('{"top_k"')
    expect(page.locator(".llm-settings")).to_contain_text("This is not JSON yet")
    page.get_by_label("Further settings").fill('{"top_k": 40}')
    page.get_by_role("radio", name="JSON").check()
    page.get_by_role("button", name="Add a key").click()
    page.keyboard.type("title")
    expect(page.locator(".llm-settings > summary")).to_contain_text(
        "Default model · temperature 0,2 · stop sequences · further settings · JSON"
    )
    page.get_by_role("button", name="Save prompt").click()
    page.wait_for_url(re.compile(r"/prompt/\d+/change/"))
    expect(page.get_by_text("Not saved yet")).to_be_hidden()
    saved = spec_of(page)
    assert saved["parameters"]["temperature"] == 0.2
    assert saved["parameters"]["stop"] == ["END", "\n\n"]
    assert saved["parameters"]["extra"] == {"top_k": 40}
    assert [field["name"] for field in saved["output"]["fields"]] == ["title"]
    field(page, "topic").fill("rain")
    page.locator("#llm-run-button").click()
    succeeded(page)
    sent = provider.requests[-1].body
    assert (sent["temperature"], sent["stop"], sent["top_k"]) == (0.2, ["END", "\n\n"], 40)
    assert sent["response_format"]["json_schema"]["schema"]["required"] == ["title"]
    field(page, "topic").fill("something else")
    page.locator("summary", has_text="Values").click()
    page.get_by_role("button", name=re.compile("^rain")).click()
    expect(field(page, "topic")).to_have_value("rain")


def test_an_f_string_prompt_is_explained_edited_and_converted(open_as):
    page = open_new(open_as("author"))
    load(page, F_STRING)
    expect(page.locator(".llm-imported")).to_contain_text("This prompt is written in f-string. It runs as it is.")
    text(page).fill("Tell {who} of {topic}: {{literally}}")
    expect(field(page, "topic")).to_be_visible()
    page.get_by_role("button", name="Convert to").click()
    dialog = page.locator("#llm-convert")
    expect(dialog.locator("ins").first).to_be_visible()
    dialog.get_by_role("button", name="Use this").click()
    expect(text(page)).to_have_value("Tell {{who}} of {{topic}}: {literally}")
    expect(page.locator(".llm-imported")).to_be_hidden()
    assert [(v["name"], v["type"]) for v in spec_of(page)["variables"]] == [("who", "text"), ("topic", "long_text")]


def test_the_page_tells_what_stands_in_it(open_as):
    page = open_new(open_as("author"))
    page.evaluate("window.heard = []; window.addEventListener('llm:edited', (event) => heard.push(event.detail))")
    text(page).fill("New {{thing}}")
    page.wait_for_function("heard.length")
    told = page.evaluate("heard.at(-1)")
    assert told["dirty"] is True
    assert told["spec"]["messages"] == [{"role": "user", "text": "New {{thing}}"}]
    page.get_by_label("Name", exact=True).fill("Named")
    page.wait_for_function("heard.at(-1).name === 'Named'")
