"""What a workflow's names become in the texts of its steps."""

from __future__ import annotations

import pytest

from llm_admin.runtime.steps.base import put_in, taken

KNOWN = {"topic": "rain", "points": ["one", "two"], "data": {"mood": "good", "tags": ["a", "b"]}, "yes": True}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("About {{topic}}.", "About rain."),
        ("{{points}}", "one\ntwo"),
        ("{{ data.mood }}, {{data.tags.1}}", "good, b"),
        ("{{data.nothing}} {{nobody}}", "{{data.nothing}} {{nobody}}"),
        ("Agreed: {{yes}}", "Agreed: yes"),
    ],
)
def test_values_stand_in_a_text_as_people_write_them(text, expected):
    assert put_in(text, KNOWN) == expected


def test_a_single_name_gives_the_value_itself():
    assert taken(" {{points}} ", KNOWN) == ["one", "two"]
    assert taken("{{data.tags}}", KNOWN) == ["a", "b"]
    assert taken("{{yes}}", KNOWN) is True
    assert taken("Both: {{points}}", KNOWN) == "Both: one\ntwo"
    assert taken("{{nobody}}", KNOWN) == "{{nobody}}"
