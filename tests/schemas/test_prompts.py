"""PromptSpec: what is refused, declared, and read from values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_admin.exceptions import InvalidInput
from llm_admin.schemas.base import parse
from llm_admin.schemas.prompts import LINE_ENDS, PromptSpec, check_inputs, declare, text_spec

HELLO = {"role": "user", "text": "Hello {{name}}"}
HISTORY = {"role": "placeholder", "name": "history"}


def problems(data):
    with pytest.raises(InvalidInput) as caught:
        parse(PromptSpec, data)
    return {problem.location: problem.message for problem in caught.value.problems}


def test_crlf_is_one_line_break():
    assert parse(PromptSpec, {"messages": [{"text": "a\r\nb\nc\rd\r\r\ne"}]}).messages[0].text == "a\nb\nc\rd\ne"


def test_an_empty_message_is_refused_at_its_place():
    assert problems({"messages": [HELLO, {"role": "system", "text": " \n"}]}) == {
        ("messages", 1): "This message is empty; write something or remove it."
    }


def test_a_placeholder_needs_a_name():
    assert "Give the list of messages a name" in problems({"messages": [{"role": "placeholder"}]})["messages", 0]


def test_a_name_cannot_be_a_variable_and_a_list():
    data = {"messages": [HISTORY, {"text": "{{history}}"}], "variables": [{"name": "history"}]}
    assert "both a variable and a list" in problems(data)[()]


def test_a_variable_is_declared_once():
    data = {"messages": [HELLO], "variables": [{"name": "name"}, {"name": "name"}]}
    assert "declared twice" in problems(data)[()]


def test_a_text_prompt_is_one_text():
    assert problems({"kind": "text", "messages": [HELLO, HELLO]})[()] == "A text prompt has exactly one text."


def test_unknown_roles_and_fields_and_wrong_types():
    assert problems({"messages": [{"role": "wizard", "text": "x"}]})["messages", 0, "role"].startswith("Choose one of")
    assert problems({"messages": [HELLO], "colour": 1})["colour",] == "This is not known here."
    assert problems({"messages": "x"})["messages",] == "This must be a list."
    assert problems({"messages": []})["messages",] == "Add at least one."


@pytest.mark.parametrize(
    ("parameters", "field", "message"),
    [
        ({"temperature": 3}, "temperature", "This must be at most 2."),
        ({"temperature": -1}, "temperature", "This must be at least 0."),
        ({"top_p": 0}, "top_p", "This must be more than 0."),
        ({"max_tokens": 1.5}, "max_tokens", "This must be a whole number."),
        ({"temperature": float("nan")}, "temperature", "This must be an ordinary number."),
        ({"stop": list("abcde")}, "stop", "At most 4 are possible."),
    ],
)
def test_parameters_have_limits_in_plain_words(parameters, field, message):
    assert problems({"messages": [HELLO], "parameters": parameters})["parameters", field] == message


def test_only_parameters_that_were_set_are_sent():
    spec = parse(PromptSpec, {"messages": [HELLO], "parameters": {"temperature": 0, "stop": []}})
    assert spec.parameters.given() == {"temperature": 0}


def test_declare_follows_the_texts_and_keeps_details():
    spec = parse(
        PromptSpec,
        {
            "messages": [{"text": "{{b}} {{a}}"}, {"text": "{{a}}"}],
            "variables": [{"name": "a", "label": "First"}, {"name": "gone"}],
        },
    )
    assert [(v.name, v.label) for v in declare(spec).variables] == [("b", ""), ("a", "First")]


def test_a_name_that_is_too_long_for_a_variable_is_refused_not_raised():
    with pytest.raises(InvalidInput):
        text_spec("{{" + "a" * 61 + "}}")


def test_values_are_checked_together():
    spec = declare(parse(PromptSpec, {"messages": [HISTORY, {"text": "{{a}} {{b}}"}]}))
    with pytest.raises(InvalidInput) as caught:
        check_inputs(spec, {"a": "", "c": "x"})
    assert {p.location for p in caught.value.problems} == {("inputs", "a"), ("inputs", "b"), ("inputs", "c")}


def test_a_list_of_messages_is_checked_or_empty():
    spec = declare(parse(PromptSpec, {"messages": [HISTORY, HELLO]}))
    past = [{"role": "assistant", "text": "Hi"}]
    assert check_inputs(spec, {"name": "Ada", "history": past}) == {"name": "Ada", "history": past}
    assert check_inputs(spec, {"name": "Ada"})["history"] == []
    with pytest.raises(InvalidInput) as caught:
        check_inputs(spec, {"name": "Ada", "history": [{"role": "assistant"}]})
    assert caught.value.problems[0].location == ("inputs", "history", 0, "text")
    with pytest.raises(InvalidInput):
        check_inputs(spec, {"name": "Ada", "history": "Hi"})


@given(st.text(min_size=1).filter(lambda text: text.strip()))
def test_any_text_is_kept_exactly_or_refused_with_a_reason(text):
    try:
        spec = text_spec(text)
    except InvalidInput as error:
        assert error.problems[0].message
    else:
        assert spec.messages[0].text == LINE_ENDS.sub("\n", text)
        assert parse(PromptSpec, spec.model_dump(mode="json")) == spec
