"""An author opens a prompt, tries unsaved text, watches it stream, stops it, saves a draft."""

from __future__ import annotations

import re

import pytest

from tests.e2e.waiting import settled
from tests.servers.openai_server import Behaviour

expect = pytest.importorskip("playwright.sync_api").expect


def open_prompt(page, name):
    page.goto("/admin/llm_admin/prompt/")
    page.get_by_role("link", name=re.compile(f"^{name}")).first.click()
    page.wait_for_selector("#llm-try-form")
    settled(page)


def run_button(page):
    return page.locator("#llm-run-button")


def answer(page):
    return page.locator("#llm-answer .llm-answer").first


def change_text(page, text):
    page.get_by_label(re.compile(r"^Text of message \d")).last.fill(text)


def test_unsaved_text_streams_word_by_word_and_its_cost_is_tokens_times_price(open_as, provider):
    provider.script("words", Behaviour(text="Alpha beta gamma delta.", gate=True))
    page = open_as("author")
    open_prompt(page, "Brand voice rewrite")
    change_text(page, "Compare {{first_thing}} with {{second_thing}}, not saved.")
    page.get_by_label("First thing").fill("rain")
    page.get_by_label("Second thing").fill("snow")
    before = len(provider.requests)
    run_button(page).click()
    request = provider.wait_for(before + 1)[-1]
    assert request.question == "Compare rain with snow, not saved."
    for shown in ("Alpha", "Alpha beta", "Alpha beta gamma"):
        expect(answer(page)).to_have_text(re.compile(rf"^{shown}\s*$"))
        request.release()
    request.release(10)
    expect(page.locator("#llm-answer .llm-status")).to_have_text("Succeeded")
    expect(answer(page)).to_have_text("Alpha beta gamma delta.")
    numbers = page.locator("#llm-answer .llm-numbers").inner_text()
    price = page.locator("#llm-answer .llm-price").inner_text()
    tokens_in, tokens_out = map(int, re.search(r"(\d+) in, (\d+) out", numbers).groups())
    assert re.search(rf"{tokens_in} in × \$0\.50.*{tokens_out} out × \$2", price), price
    cost = (tokens_in * 0.5 + tokens_out * 2) / 1_000_000
    shown_cost = float(re.search(r"\$(0\.\d+)", numbers).group(1))
    assert shown_cost == pytest.approx(cost, rel=0.01)


def test_stop_closes_the_providers_connection_and_keeps_what_had_arrived(open_as, provider, console):
    provider.script("words", Behaviour(text="One two three four.", gate=True))
    page = open_as("author")
    open_prompt(page, "Campaign brief writer")
    before = len(provider.requests)
    run_button(page).click()
    request = provider.wait_for(before + 1)[-1]
    request.release()
    expect(answer(page)).to_have_text("One two")
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#llm-answer .llm-status")).to_have_text("Stopped")
    assert request.closed.wait(30), "the provider's connection is still open"
    expect(answer(page)).to_have_text("One two")
    status, text = console.rows(
        "select l.status, t.answer from llm_admin_interactionlog l join llm_admin_interactiontext t on t.log_id = l.id "
        "order by l.id desc limit 1"
    )[0]
    assert (status, text.strip()) == ("cancelled", "One two")


def test_a_reload_during_a_run_goes_on_from_where_it_was(open_as, provider):
    provider.script("words", Behaviour(text="Red green blue.", gate=True))
    page = open_as("author")
    open_prompt(page, "Contract clause explainer")
    before = len(provider.requests)
    run_button(page).click()
    request = provider.wait_for(before + 1)[-1]
    request.release()
    expect(answer(page)).to_have_text("Red green")
    page.reload()
    expect(answer(page)).to_have_text("Red green")
    request.release(5)
    expect(answer(page)).to_have_text("Red green blue.")
    assert len(provider.requests) == before + 1


def test_a_double_click_makes_one_run(open_as, provider, console):
    provider.script("words", Behaviour(text="Once."))
    page = open_as("author")
    open_prompt(page, "NDA risk check")
    runs = "select count(*) from llm_admin_run"
    before = console.rows(runs)[0][0]
    run_button(page).dblclick()
    expect(page.locator("#llm-answer .llm-status")).to_have_text("Succeeded")
    page.wait_for_load_state("networkidle")
    assert console.rows(runs)[0][0] == before + 1


def test_two_tabs_with_three_runs_each_stream_at_once(open_as, provider):
    """Six streams would use up the six connections that a browser allows to one host."""
    provider.script("words", Behaviour(text="Here it comes.", gate=True))
    first = open_as("author")
    second = first.context.new_page()
    tabs = []
    for page in (first, second):
        before = len(provider.requests)
        page.goto("/admin/llm_admin/prompt/")
        for box in page.locator("input.action-select").all()[:3]:
            box.check()
        page.select_option("select[name=action]", value="run_selected")
        page.locator("button[name=index]:visible").click()
        page.locator("[role=dialog] button:has-text('Run'), dialog[open] button:has-text('Run')").last.click()
        provider.wait_for(before + 3)
        tabs.append(page)
    provider.release()
    for page in tabs:
        texts = page.locator("[data-run-text]")
        expect(texts).to_have_count(3)
        for n in range(3):
            expect(texts.nth(n)).to_have_text("Here it")
    provider.release(5)


def test_save_draft_makes_the_next_version_and_leaves_live_and_the_others_alone(open_as, provider, console):
    page = open_as("author")
    open_prompt(page, "Support reply draft")
    slug = "support-reply"
    versions = """select v.number, v.spec from llm_admin_promptversion v join llm_admin_prompt p on p.id = v.prompt_id
                  where p.name = 'Support reply draft' order by v.number"""
    live = """select v.number from llm_admin_promptlabel l join llm_admin_promptversion v on v.id = l.version_id
              join llm_admin_prompt p on p.id = v.prompt_id
              where p.name = 'Support reply draft' and l.name = 'production'"""
    before, live_before = console.rows(versions), console.rows(live)
    change_text(page, f"A new text for {{{{customer}}}} ({slug}).")
    page.locator("[name=_draft]").click()
    page.get_by_role("dialog").get_by_role("button", name="Save draft").click()
    page.wait_for_url("**/change/**")
    page.get_by_text("Saved as draft").wait_for()
    after = console.rows(versions)
    assert after[:-1] == before
    assert after[-1][0] == before[-1][0] + 1
    assert "A new text for" in after[-1][1]
    assert console.rows(live) == live_before
    expect(page.locator(".llm-title-state")).to_contain_text(f"Live: v{live_before[0][0]}")


def test_a_word_in_single_braces_is_explained_and_made_a_variable_on_request(open_as):
    page = open_as("author")
    open_prompt(page, "Ticket summary")
    change_text(page, "Write about {the topic} please.")
    nudge = page.locator(".llm-nudge").first
    expect(nudge).to_contain_text("{the topic}")
    nudge.get_by_role("button").click()
    expect(page.get_by_label(re.compile(r"^Text of message \d")).last).to_have_value(
        "Write about {{the_topic}} please."
    )
    expect(page.get_by_label("The topic")).to_be_visible()


def test_a_provider_that_refuses_is_told_in_words_with_what_to_do(open_as, provider):
    from tests.servers.openai_server import MODELS

    provider.script("words", MODELS["401"])
    page = open_as("author")
    open_prompt(page, "Ticket summary")
    run_button(page).click()
    expect(page.locator("#llm-answer .llm-status")).to_have_text("Failed")
    problem = page.locator("#llm-answer [role=alert]")
    expect(problem).to_contain_text("Key refused")
    expect(problem).to_contain_text("Test")  # the connection's name
    assert "sk-proj" not in page.content()
