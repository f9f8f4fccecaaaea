"""Unsaved text goes to the compare page and comes back: also when somebody saved another version in the meantime."""

from __future__ import annotations

import pytest

from tests.e2e.test_drafts import kept, prompt, save, text, visit

expect = pytest.importorskip("playwright.sync_api").expect
__all__ = ["prompt"]


def test_a_version_saved_while_one_compared_is_not_overwritten(open_as, prompt):
    address, pk = prompt
    page, other = open_as("author"), open_as("boss")
    visit(page, address)
    text(page, 2).fill("Mine about {{topic}}.")
    kept(page)
    page.locator("a[data-llm-compare]").first.click()
    page.wait_for_selector("[data-compare-page]")
    visit(other, address)
    text(other, 2).fill("Theirs about {{topic}}.")
    save(other)
    expect(other.locator(".llm-title-state strong")).to_have_text("v3")
    page.goto(address)
    choice = page.locator("#llm-merge-form")
    expect(choice).to_be_visible()
    expect(choice).to_contain_text("Theirs")
    expect(text(page, 2)).to_have_value("Mine about {{topic}}.")
    assert page.locator("#prompt_form [name=based_on]").input_value() == "1"
