"""Our template syntax is exact: declared names are replaced, everything else stays, byte for byte."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_admin.schemas import template

TEXT = st.text() | st.text(alphabet="{} ab_.é\n", max_size=40)
NAME = st.from_regex(r"\A[^\W\d]\w{0,8}\Z")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("{{a}} {{ b }} {{a}}", ["a", "b"]),
        ("{{größe}} {{名前}}", ["größe", "名前"]),
        ("{a} {{1a}} {{a b}} {{a.b}} {{}} {{ }}", []),
        ("{{{a}}}", ["a"]),
        ("{{{{a}}}}", ["a"]),
        ('{"key": "{{value}}"}', ["value"]),
    ],
)
def test_which_names_a_text_uses(text, names):
    assert template.identifiers(text) == names


def test_paths_are_what_workflow_steps_may_use():
    assert template.paths("{{a.b.0}} {{c}} {{.d}} {{e.}}") == ["a.b.0", "c"]


def test_single_braces_are_recognised_as_perhaps_meant():
    assert template.lookalikes("{like this} {a} {{b}} {1} {}") == ["like this", "a"]
    assert template.lookalikes('{"json": 1} {a, b}') == []


def test_a_value_is_put_in_as_it_is_and_not_read_again():
    assert template.render("{{a}} & {{b}}", {"a": "{{b}}", "b": "<R&D>\\1"}) == "{{b}} & <R&D>\\1"


@given(TEXT)
def test_without_names_a_text_stays_byte_for_byte(text):
    assert template.render(text, {}) == text


@given(st.lists(st.tuples(TEXT, NAME), max_size=4), TEXT, st.text())
def test_only_the_references_are_replaced(parts, tail, value):
    parts = [(text.replace("{", "").replace("}", ""), name) for text, name in parts]
    tail = tail.replace("{", "").replace("}", "")
    written = "".join(f"{text}{{{{{name}}}}}" for text, name in parts) + tail
    expected = "".join(f"{text}{value}" for text, _ in parts) + tail
    assert template.render(written, {name: value for _, name in parts}) == expected


@given(TEXT, st.text())
def test_the_f_string_form_says_the_same(text, value):
    names = template.identifiers(text)
    values = dict.fromkeys(names, value)
    f_string = template.to_f_string(text, names)
    assert string.Formatter().vformat(f_string, (), values) == template.render(text, values)


@given(TEXT)
def test_undeclared_names_are_literal_in_the_f_string_form(text):
    assert template.to_f_string(text, []).format() == text


@given(TEXT)
def test_paths_left_alone_stay_byte_for_byte(text):
    assert template.render_paths(text, lambda path: None) == text
