"""Values by their kinds: what people type and what code gives become the same."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_admin.exceptions import InvalidInput
from llm_admin.schemas.base import parse
from llm_admin.schemas.values import as_text, load_json
from llm_admin.schemas.variables import KIND_TITLES, VariableSpec, check_values


def variable(kind: str, **details) -> VariableSpec:
    if kind == "choice":
        details.setdefault("choices", ["short", "long"])
    return parse(VariableSpec, {"name": "x", "type": kind, "label": "The value", **details})


def value(kind: str, given_value, **details):
    return check_values([variable(kind, **details)], {"x": given_value})["x"]


def refusal(kind: str, given_value, **details) -> str:
    with pytest.raises(InvalidInput) as caught:
        value(kind, given_value, **details)
    assert caught.value.problems[0].location == ("inputs", "x")
    return caught.value.problems[0].message


@pytest.mark.parametrize(
    ("kind", "written", "native", "expected"),
    [
        ("number", "12", 12, 12),
        ("number", " 3.50 ", 3.5, 3.5),
        ("number", "-1e3", -1000.0, -1000.0),
        ("boolean", "Yes", True, True),
        ("boolean", "off", False, False),
        ("date", "2026-05-03", datetime.date(2026, 5, 3), "2026-05-03"),
        ("date", " 2026-05-03 ", datetime.datetime(2026, 5, 3, 14, 0), "2026-05-03"),
        ("list", "one\n\n two \n", ["one", "two"], ["one", "two"]),
        ("list", '["one", "two"]', ("one", "two"), ["one", "two"]),
        ("json", '{"a": [1, null]}', {"a": [1, None]}, {"a": [1, None]}),
        ("choice", "long", "long", "long"),
        ("text", "3", 3, "3"),
        ("long_text", "a\nb", "a\nb", "a\nb"),
        ("file", "whole text", "whole text", "whole text"),
    ],
)
def test_written_and_native_values_become_the_same(kind, written, native, expected):
    assert value(kind, written) == expected
    assert value(kind, native) == expected
    assert type(value(kind, written)) is type(expected)


@pytest.mark.parametrize(
    ("kind", "given_value", "words"),
    [
        ("number", "many", "“The value” must be a number, such as 12 or 3.5."),
        ("number", "1,5", "must be a number"),
        ("number", True, "must be a number"),
        ("number", float("nan"), "must be an ordinary number"),
        ("number", "9" * 400, "has too many digits"),
        ("boolean", "perhaps", "must be yes or no"),
        ("date", "3 May", "must be a date, such as 2026-05-03"),
        ("date", "2026-02-30", "must be a date"),
        ("choice", "medium", "must be one of: short, long"),
        ("list", {"a": 1}, "must be a list, one entry in a line"),
        ("json", "{broken", "is not JSON (line 1, column 2"),
        ("json", "NaN", "is not JSON: NaN is no number"),
        ("json", "[" * 100_000, "nested too deeply"),
        ("json", {"a": {1, 2}}, "must be something that JSON can hold"),
        ("text", "a\x00b", "holds a NUL character"),
        ("json", '{"a": "\\ud800"}', "holds half a character"),
    ],
)
def test_what_does_not_fit_is_said_in_words(kind, given_value, words):
    assert words in refusal(kind, given_value)


def test_limits_belong_to_their_kinds():
    assert "must be at least 3." in refusal("number", "2", minimum=3)
    assert "must be at most 10." in refusal("number", 11, maximum=10)
    assert "must be at least 2 entries." in refusal("list", "one", minimum=2)
    assert "is longer than 5 characters." in refusal("text", "123456", max_length=5)
    assert value("text", "12345", max_length=5) == "12345"


def test_an_empty_value_takes_the_default_as_written_in_a_form():
    assert value("number", "", default="7") == 7
    assert value("list", None, default="a\nb") == ["a", "b"]
    assert value("boolean", "", default="no") is False
    assert value("list", "", required=False) == []
    assert "is needed; fill it in." in refusal("number", "")


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({"type": "choice"}, "its choices"),
        ({"type": "choice", "choices": ["a", "a"]}, "is there twice"),
        ({"type": "number", "default": "many"}, "The default of “X” must be a number"),
        ({"type": "number", "minimum": 5, "maximum": 1}, "“At least” is more than “at most”"),
        ({"type": "choice", "choices": ["a"], "default": "b"}, "must be one of: a"),
    ],
)
def test_a_variable_that_cannot_work_is_refused(details, words):
    with pytest.raises(InvalidInput, match=words):
        parse(VariableSpec, {"name": "x", **details})


def test_every_kind_has_a_title():
    assert set(KIND_TITLES) == set(VariableSpec.model_fields["type"].annotation.__args__)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ("as it is", "as it is"),
        (True, "yes"),
        (False, "no"),
        (0.1, "0.1"),
        (12, "12"),
        (["a", "b"], "a\nb"),
        ({"ä": 1}, '{\n  "ä": 1\n}'),
        ([{"a": 1}], '[\n  {\n    "a": 1\n  }\n]'),
        (None, ""),
    ],
)
def test_values_stand_in_a_message_as_people_write_them(found, text):
    assert as_text(found) == text


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=20))
def test_whatever_json_says_is_kept(found):
    import json

    assert load_json(json.dumps(found)) == found
