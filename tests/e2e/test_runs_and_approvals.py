"""A nested run live and stopped, run again from a step, an approval across a restart, the gallery."""

from __future__ import annotations

import json
import re

import pytest

from tests.servers.openai_server import Behaviour

expect = pytest.importorskip("playwright.sync_api").expect

READY = "#llm-workflow[data-ready]"
MAKE = """
import json
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import actors, workflows, workspaces
from llm_admin.tenancy import workspace_scope
ws = workspaces.default()
with workspace_scope(ws):
    spec = WorkflowSpec.model_validate(json.loads({spec!r}))
    print(workflows.create(actor=actors.system(ws), name={name!r}, spec=spec).pk)
"""
TOPIC = {"name": "topic", "type": "text", "default": "rain"}


def made(console, name, steps):
    spec = json.dumps({"inputs": [TOPIC], "steps": steps})
    return console.code(MAKE.format(spec=spec, name=name)).split()[-1]


def started(page, workflow):
    """The address of the run's page."""
    page.goto(f"/admin/llm_admin/workflow/{workflow}/change/")
    page.wait_for_selector(READY, state="attached")
    page.locator("#llm-run-button").click()
    link = page.locator("#llm-answer").get_by_role("link", name="Open run")
    expect(link).to_be_visible()
    return link.get_attribute("href")


def use_template(page, name):
    page.goto("/admin/gallery/")
    page.get_by_role("button", name=re.compile(f"^Use this.*{name}")).click()
    page.wait_for_selector(READY, state="attached")


def status(page):
    return page.locator(".llm-run-head .llm-status")


def test_nested_steps_appear_as_they_begin_and_stop_ends_them(open_as, provider, console):
    branch = {
        "type": "branch",
        "id": "way",
        "title": "Which way",
        "conditions": [{"value": "first", "operator": "contains", "to": "alpha"}],
        "yes": [{"type": "llm", "id": "second", "title": "Asked on the way", "text": "And {{first}}"}],
        "no": [],
    }
    workflow = made(console, "Live and nested", [{"type": "llm", "id": "first", "text": "About {{topic}}"}, branch])
    provider.script("words", Behaviour(text="Alpha beta gamma delta.", gate=True))
    page = open_as("author")
    before = len(provider.requests)
    page.goto(started(page, workflow))
    expect(page.locator("[data-step='1'] [data-run-text]")).to_have_text(re.compile("^Alpha"))
    expect(page.locator("[data-step='2'] .llm-status")).to_have_text("Waiting")
    expect(page.locator("[data-step='2.yes.1']")).to_have_count(0)
    provider.wait_for(before + 1)[-1].release(9)
    expect(page.locator("[data-step='2.yes.1'] [data-run-text]")).to_have_text(re.compile("^Alpha"))
    expect(page.get_by_text("this way was taken")).to_be_visible()
    expect(page.locator("#llm-time-line .llm-line-row").nth(1)).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(status(page)).to_have_text("Stopped")
    expect(page.locator("[data-step='2.yes.1'] .llm-status").first).to_have_text("Stopped")
    assert len(provider.requests) == before + 2


def test_run_again_from_the_third_step(open_as, provider, console):
    provider.script("words", Behaviour(text="Alpha beta."))
    steps = [
        {"type": "llm", "id": "one", "title": "One", "text": "About {{topic}}"},
        {"type": "llm", "id": "two", "title": "Two", "text": "{{one}}"},
        {"type": "llm", "id": "three", "title": "Three", "text": "{{two}}"},
    ]
    workflow = made(console, "Three in a row", steps)
    page = open_as("author")
    address = started(page, workflow)
    page.goto(address)
    expect(status(page)).to_have_text("Succeeded")
    before = len(provider.requests)
    page.get_by_role("button", name=re.compile("^Run again from here.*Three")).click()
    page.wait_for_url(lambda url: "/run/" in url and address not in url)
    expect(status(page)).to_have_text("Succeeded")
    expect(page.locator(".llm-step-kept")).to_have_count(2)
    expect(page.get_by_role("link", name="the run before").first).to_have_attribute("href", address)
    assert len(provider.requests) == before + 1


def test_run_again_with_other_inputs(open_as, provider, console):
    provider.script("words", Behaviour(text="Alpha."))
    workflow = made(console, "Once more", [{"type": "llm", "id": "one", "title": "One", "text": "About {{topic}}"}])
    page = open_as("author")
    page.goto(started(page, workflow))
    expect(status(page)).to_have_text("Succeeded")
    page.get_by_role("link", name="Run again…").click()
    page.get_by_label("topic", exact=False).fill("snow")
    page.get_by_role("button", name="Run again").click()
    expect(status(page)).to_have_text("Succeeded")
    expect(page.get_by_role("complementary", name="About this run")).to_contain_text("snow")
    assert provider.requests[-1].question == "About snow"


def test_approve_after_a_restart(open_as, provider, console):
    provider.script("words", Behaviour(text="A calmer text."))
    page = open_as("author")
    use_template(page, "Rewrite in our voice, with approval")
    page.locator("#llm-run-button").click()
    panel = page.locator("#llm-answer")
    expect(panel.locator(".llm-run-head .llm-status")).to_have_text("Waiting for approval")
    run = panel.get_by_role("link", name="Open run").get_attribute("href")
    console.stop()
    console.start()
    watching = open_as("author")
    watching.goto(run)
    expect(status(watching)).to_have_text("Waiting for approval")
    page.goto("/admin/llm_admin/approval/")
    page.get_by_role("link", name=re.compile("Is this fit to be published")).first.click()
    page.get_by_label("Text").fill("An even calmer text.")
    expect(page.get_by_text("your text is what goes on")).to_be_visible()
    page.keyboard.press("Control+Enter")
    expect(page.get_by_text("Approved: Is this fit to be published?")).to_be_visible()
    expect(status(watching)).to_have_text("Succeeded")
    expect(watching.locator(".llm-outcome")).to_contain_text("An even calmer text.")
    expect(watching.get_by_text("Approved by author")).to_be_visible()


def test_a_template_is_copied_and_runs_as_it_is(open_as, provider):
    provider.script("words", Behaviour(text="refund"))
    page = open_as("author", width=390)
    use_template(page, "Route a support ticket")
    page.locator("#llm-run-button").click()
    panel = page.locator("#llm-answer")
    expect(panel.locator(".llm-run-head .llm-status")).to_have_text("Succeeded")
    expect(panel.locator("[data-step='2.yes.1'] .llm-status")).to_have_text("Succeeded")
    expect(panel.get_by_text("Otherwise: not taken")).to_be_visible()
