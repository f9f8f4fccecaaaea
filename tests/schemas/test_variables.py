"""Values for declared variables: defaults, what is missing, what is too long, what is unknown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_admin.exceptions import InvalidInput
from llm_admin.schemas.base import parse
from llm_admin.schemas.variables import VariableSpec, check_values

TOPIC = VariableSpec(name="topic", label="Your topic")
TONE = VariableSpec(name="tone", default="warm")
NOTE = VariableSpec(name="a_note", required=False)


def refused(variables, values):
    with pytest.raises(InvalidInput) as caught:
        check_values(variables, values)
    return {problem.location[1]: problem.message for problem in caught.value.problems}


def test_defaults_fill_in_for_nothing_and_for_empty_texts():
    assert check_values([TOPIC, TONE, NOTE], {"topic": "rain", "tone": ""}) == {
        "topic": "rain",
        "tone": "warm",
        "a_note": "",
    }


def test_what_is_missing_is_named_as_people_see_it():
    assert refused([TOPIC, TONE], {}) == {"topic": "“Your topic” is needed; fill it in."}


def test_an_unknown_name_lists_the_known_ones():
    assert refused([TONE], {"tune": "x"}) == {"tune": "There is no variable “tune” here. Known: tone."}


def test_numbers_from_code_become_texts():
    assert check_values([TOPIC], {"topic": 7}) == {"topic": "7"}
    assert check_values([TOPIC], {"topic": 0}) == {"topic": "0"}


def test_a_limit_on_length(settings):
    settings.LLM_ADMIN = {**settings.LLM_ADMIN, "MAX_INPUT_CHARACTERS": 1_000}
    assert "longer than 1,000 characters" in refused([TOPIC], {"topic": "x" * 1_001})["topic"]
    assert check_values([TOPIC], {"topic": "x" * 1_000})


@pytest.mark.parametrize("name", ["", "1a", "a b", "a-b", "{{a}}", "x" * 61])
def test_names_that_a_text_could_not_use_are_refused(name):
    with pytest.raises(InvalidInput) as caught:
        parse(VariableSpec, {"name": name})
    assert caught.value.problems[0].location == ("name",)


def test_the_title_is_the_label_or_the_name_in_words():
    assert TOPIC.title == "Your topic"
    assert NOTE.title == "A note"


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_a_text_is_passed_on_exactly(text):
    assert check_values([TOPIC], {"topic": text}) == {"topic": text}
