"""The piece of a long text in which a word was found."""

from __future__ import annotations

import pytest

from llm_admin.models import InteractionText
from llm_admin.selectors import log_snippets, log_words


@pytest.mark.parametrize("before", [0, 3_700, 3_990, 3_996, 3_998, 4_100, 90_000])
@pytest.mark.parametrize("behind", [0, 5_000])
def test_is_the_same_wherever_the_word_stands(before, behind):
    """Also where only a part of the text is looked at first, and that part ends within a word."""
    words = "x" * before + " cataloged cat and a dog" + " y" * (behind // 2)
    text = InteractionText(log_id=1, messages=[{"content": words}], answer="a cat", error="")
    shown = log_snippets.snippet(text, log_words.parse("cat"))
    assert "cataloged <mark>cat</mark> and a dog" in shown
    assert shown.count("<mark>") == 1
    assert len(shown) < 300


def test_a_word_that_is_far_too_far_away_is_shown_from_the_next_text():
    text = InteractionText(log_id=1, messages=[{"content": "x " * 150_000 + "cat"}], answer="a cat", error="")
    assert log_snippets.snippet(text, log_words.parse("cat")) == "a <mark>cat</mark>"
    assert log_snippets.snippet(text, log_words.parse("dog")) == ""
