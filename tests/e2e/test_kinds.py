"""A chat becomes one text and a chat again: nothing that was written is lost on the way."""

from __future__ import annotations

import pytest

from tests.e2e.test_drafts import prompt, text, visit

expect = pytest.importorskip("playwright.sync_api").expect
__all__ = ["prompt"]


def test_what_was_changed_in_the_one_text_stays_when_it_is_a_chat_again(open_as, prompt):
    address, _ = prompt
    page = open_as("author")
    visit(page, address)
    cards = page.locator(".llm-message")
    one, chat = (page.get_by_role("radio", name=name) for name in ("One text", "Chat"))
    one.check()
    expect(cards).to_have_count(1)
    chat.check()
    expect(cards).to_have_count(2)
    expect(text(page, 1)).to_have_value("Be terse.")
    one.check()
    cards.locator("textarea").first.fill("Changed as one text.")
    chat.check()
    expect(cards).to_have_count(1)
    expect(text(page, 1)).to_have_value("Changed as one text.")
