"""An input shows the limits of its kind only, and never hides what is filled in."""

from __future__ import annotations

import pytest

from tests.e2e.test_workflow import add_input, new_workflow

expect = pytest.importorskip("playwright.sync_api").expect


def test_an_input_shows_the_details_of_its_kind(open_as):
    author = open_as("author")
    new_workflow(author)
    add_input(author, "pages")
    inputs = author.locator(".llm-inputs")
    least, longest = inputs.get_by_label("At least"), inputs.get_by_label("Longest text, in characters")
    choice = inputs.get_by_role("button", name="Add a choice")
    expect(longest).to_be_visible()
    expect(least).to_be_hidden()
    expect(choice).to_be_hidden()
    inputs.get_by_label("Kind").select_option("choice")
    expect(choice).to_be_visible()
    expect(longest).to_be_hidden()
    inputs.get_by_label("Kind").select_option("number")
    least.fill("3")
    least.press("Tab")
    inputs.get_by_label("Kind").select_option("long_text")
    expect(least).to_be_visible()
    expect(inputs.get_by_label("At most")).to_be_hidden()
