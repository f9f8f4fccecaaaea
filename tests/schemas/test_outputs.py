from __future__ import annotations

import pytest

from llm_admin.exceptions import InvalidInput
from llm_admin.schemas.base import parse
from llm_admin.schemas.outputs import OutputSpec, problem_with
from llm_admin.schemas.prompts import PromptSpec

FIELDS = [
    {"name": "mood", "type": "text", "choices": ["good", "bad"], "description": "How it sounds"},
    {"name": "score", "type": "whole_number"},
    {"name": "tags", "type": "list", "required": False},
]


def test_a_text_asks_for_nothing():
    assert OutputSpec().answer_schema() is None
    assert PromptSpec(messages=[{"text": "Hi"}]).call_parameters() == {}


def test_the_form_of_keys_becomes_a_schema():
    output = parse(OutputSpec, {"format": "json", "fields": FIELDS})
    schema = output.answer_schema()
    assert schema["required"] == ["mood", "score"]
    assert schema["properties"]["mood"] == {"type": "string", "description": "How it sounds", "enum": ["good", "bad"]}
    assert problem_with({"mood": "good", "score": 3}, schema) == ""
    assert "“score”" in problem_with({"mood": "good", "score": "three"}, schema)
    assert "'score' is a required property" in problem_with({"mood": "good"}, schema)


def test_the_provider_is_asked_for_it():
    prompt = parse(PromptSpec, {"messages": [{"text": "Hi"}], "output": {"format": "json", "fields": FIELDS[:2]}})
    asked = prompt.call_parameters()["response_format"]
    assert asked["type"] == "json_schema"
    assert asked["json_schema"]["strict"] is True
    anything = parse(OutputSpec, {"format": "json"})
    assert anything.response_format() == {"type": "json_object"}


def test_an_own_schema_is_used_instead_of_the_keys():
    own = {"type": "array", "items": {"$ref": "#/$defs/n"}, "$defs": {"n": {"type": "number"}}}
    output = parse(OutputSpec, {"format": "json", "fields": FIELDS, "json_schema": own})
    assert output.answer_schema() == own
    assert problem_with([1, 2], own) == ""
    assert problem_with(["a"], own)


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "nothing"}, "This is no JSON schema"),
        ({"$ref": "http://127.0.0.1:9/schema.json"}, "refers to what is not in it"),
        ({"$ref": "file:///etc/passwd"}, "refers to what is not in it"),
        ({"$ref": "#"}, "refers to what is not in it"),
    ],
)
def test_a_schema_that_cannot_be_checked_against_is_refused(schema, words):
    with pytest.raises(InvalidInput, match=words):
        parse(OutputSpec, {"format": "json", "json_schema": schema})


def test_a_pattern_that_never_ends_ends():
    schema = {"type": "string", "pattern": r"^(a+)+$"}
    with pytest.raises(ValueError, match="takes too long"):
        problem_with("a" * 5_000 + "b", {"type": "string", "pattern": r"^(a|a)*(a|aa)*$"})
    assert problem_with("b", schema)
    with pytest.raises(InvalidInput, match="there twice"):
        parse(OutputSpec, {"format": "json", "fields": [FIELDS[0], FIELDS[0]]})
