"""What an answer must fulfil, also when the pattern, the schema or the answer means no good."""

from __future__ import annotations

import json
import socket
from types import SimpleNamespace

import pytest
import regex

from llm_admin.exceptions import InvalidInput
from llm_admin.schemas import safe_patterns
from llm_admin.schemas.base import parse
from llm_admin.schemas.checks import CHECK_SECONDS, Check, TestInput
from llm_admin.schemas.safe_patterns import SECONDS, budget, search

ENDLESS = r"^(a|a)*(a|aa)*$"
LONG = "a" * 5_000 + "b"


@pytest.mark.parametrize(
    ("check", "answer", "failure"),
    [
        ({"kind": "contains", "text": "Rain"}, "heavy RAIN today", ""),
        ({"kind": "contains", "text": "rain"}, "sun", "does not contain “rain”"),
        ({"kind": "not_contains", "text": "sorry"}, "Sorry, no", "contains “sorry”"),
        ({"kind": "not_contains", "text": "sorry"}, "gladly", ""),
        ({"kind": "matches", "text": r"^\d+$"}, "42", ""),
        ({"kind": "matches", "text": r"^\d+$"}, "forty", r"does not match “^\d+$”"),
        ({"kind": "json"}, '{"a": 1}', ""),
        ({"kind": "json"}, "a", "is not JSON (line 1, column 1: Expecting value)"),
        ({"kind": "json", "json_schema": {"required": ["b"]}}, '{"a": 1}', "is JSON, but: 'b' is a required property"),
        ({"kind": "json", "json_schema": {"type": "object"}}, "{}", ""),
    ],
)
def test_a_check_says_why_not(check, answer, failure):
    assert Check(**check).failure(answer) == failure


@pytest.mark.parametrize(
    ("check", "words"),
    [
        ({"kind": "contains"}, "Say what “contains” looks for"),
        ({"kind": "matches", "text": "("}, "is no pattern"),
        ({"kind": "json", "json_schema": {"type": "nothing"}}, "no JSON schema"),
        ({"kind": "json", "json_schema": {"$ref": "http://127.0.0.1:9/a.json"}}, "refers to what is not in it"),
        ({"kind": "sings"}, "Choose one of"),
    ],
)
def test_a_check_that_cannot_be_made_is_refused_at_its_place(check, words):
    with pytest.raises(InvalidInput, match=words) as refused:
        parse(TestInput, {"name": "x", "checks": [{"kind": "json"}, check]})
    assert refused.value.problems[0].location[:2] == ("checks", 1)


@pytest.fixture
def searches(monkeypatch):
    """How long each search may take, in the order in which they begin."""
    allowed: list[float] = []

    def search(pattern, text, *, timeout):
        allowed.append(timeout)
        return regex.search(pattern, text, timeout=timeout)

    monkeypatch.setattr(
        safe_patterns, "regex", SimpleNamespace(search=search, compile=regex.compile, error=regex.error)
    )
    return allowed


def test_patterns_that_would_search_for_years_share_one_budget(searches):
    spec = TestInput(name="x", checks=[Check(kind="matches", text=ENDLESS)] * 50)
    failures = spec.failures(LONG)
    assert 0 < len(searches) <= CHECK_SECONDS / SECONDS + 1  # all others are refused without a search
    assert max(searches) <= SECONDS
    assert len(failures) == 50
    assert all("takes too long; make it simpler" in failure for failure in failures)


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        ({"items": {"pattern": ENDLESS}}, json.dumps([LONG] * 50)),
        ({"patternProperties": {ENDLESS: {}}}, json.dumps({LONG: 1})),
        ({"patternProperties": {ENDLESS: {}}, "additionalProperties": False}, json.dumps({LONG: 1})),
    ],
)
@pytest.mark.timeout(60)
def test_a_schema_with_such_a_pattern_ends_too(schema, answer):
    assert "takes too long" in Check(kind="json", json_schema=schema).failure(answer)


@pytest.mark.timeout(60)
def test_references_that_double_again_and_again_end():
    names = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(40)}
    schema = {"type": "object", "properties": {"x": {"$ref": "#/$defs/a0"}}, "$defs": {**names, "a40": {}}}
    assert "takes too long" in Check(kind="json", json_schema=schema).failure('{"x": 1}')


def test_a_reference_deep_in_a_schema_fetches_nothing(monkeypatch):
    def connect(*args):
        raise AssertionError("somebody is asked over the network")

    monkeypatch.setattr(socket, "getaddrinfo", connect)
    monkeypatch.setattr(socket.socket, "connect", connect)
    for target in ("http://127.0.0.1:9/schema.json", "https://example.com/s", "file:///etc/passwd", "#/$defs/none"):
        check = Check(kind="json", json_schema={"properties": {"x": {"$ref": target}}})
        assert "refers to what is not in it" in check.failure('{"x": 1}')


def test_pattern_properties_and_the_others_mean_what_they_say():
    schema = {"properties": {"a": {}}, "patternProperties": {"^n_": {"type": "number"}}, "additionalProperties": False}
    check = Check(kind="json", json_schema=schema)
    assert check.failure('{"a": "x", "n_1": 2}') == ""
    assert "'x' is not of type 'number'" in check.failure('{"n_1": "x"}')
    assert "'b' is not expected" in check.failure('{"b": 1}')
    others = Check(kind="json", json_schema={"additionalProperties": {"type": "string"}})
    assert "1 is not of type 'string'" in others.failure('{"b": 1}')


def test_an_inner_budget_cannot_outlast_the_outer_one():
    with budget(0.0), budget(10), pytest.raises(ValueError, match="takes too long"):
        search("a", "a")
    assert search("a", "a")


def test_checks_read_as_sentences():
    assert Check(text="rain").words == "contains “rain”"
    assert Check(kind="json").words == "is JSON"
    assert Check(kind="json", json_schema={}).words == "is JSON of the given schema"
