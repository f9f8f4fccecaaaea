"""What the summary above a refused form says: the names that stand in the form, never the path into the spec."""

from __future__ import annotations

import pytest

from llm_admin.admin.playground import worded
from llm_admin.exceptions import Problem


@pytest.mark.parametrize(
    ("location", "sentence"),
    [
        (("messages", 1, "text"), "Message 2: No."),
        (("variables", 0, "default"), "Variable 1: No."),
        (("parameters", "temperature"), "Temperature: No."),
        (("parameters", "max_tokens"), "Longest answer, in tokens: No."),
        (("output", "fields", 5, "name"), "Answer, key 6: No."),
        (("output", "json_schema"), "Answer: No."),
        (("inputs", "tone"), "No."),
        ((), "No."),
    ],
)
def test_a_problem_is_named_as_in_the_form(location: tuple[str | int, ...], sentence: str) -> None:
    assert worded(Problem(location=location, message="No.")) == sentence
