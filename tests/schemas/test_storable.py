"""Values that JSON, the database or a page cannot hold are refused wherever they come in."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from llm_admin.exceptions import InvalidInput
from llm_admin.schemas.base import parse
from llm_admin.schemas.checks import TestInput
from llm_admin.schemas.prompts import Parameters, PromptSpec
from llm_admin.schemas.storable import DEEPEST, unfit
from llm_admin.schemas.syntaxes import f_string
from llm_admin.schemas.variables import VariableSpec


def nested(depth):
    return json.loads("[" * depth + "]" * depth)


ENDLESS = json.loads('{"a": [1e999]}')
BAD = [{"a": nested(300)}, {"a": nested(800)}, ENDLESS, {"a": -float("inf")}, {"a": float("nan")}]


def test_what_is_deep_or_endless_is_unfit_and_nothing_else():
    assert unfit(nested(DEEPEST)) == ""
    assert unfit({"a": [1, 1.5, "x", None, True, 10**300]}) == ""
    assert "deep" in unfit(nested(DEEPEST + 1))
    assert "1e999" in unfit(ENDLESS)


@pytest.mark.parametrize("bad", BAD, ids=["300", "800", "1e999", "-inf", "nan"])
def test_specs_refuse_it(bad):
    text = {"messages": [{"text": "Hello"}]}
    for spec, data in (
        (PromptSpec, text | {"parameters": {"extra": bad}}),
        (PromptSpec, text | {"output": {"format": "json", "json_schema": bad}}),
        (TestInput, {"name": "A", "inputs": bad}),
        (TestInput, {"name": "A", "checks": [{"kind": "json", "json_schema": bad}]}),
    ):
        with pytest.raises(InvalidInput):
            parse(spec, data)
    with pytest.raises(ValidationError):
        Parameters(extra=bad)


@pytest.mark.parametrize("kind", ["json", "list"])
@pytest.mark.parametrize("given", ["[" * 700 + "]" * 700, "[1e999]", nested(700), [float("inf")]])
def test_values_refuse_it_with_the_rest_of_a_sentence(kind, given):
    wrong = VariableSpec(name="a", type=kind).problem(given)
    assert wrong.startswith(("is nested too deeply", "holds a number", "must be something that JSON can hold"))


@pytest.mark.parametrize(("template", "value"), [("{x:c}", 10**30), ("{x:.2f}", 10**400)])
def test_a_number_too_large_for_a_format_is_a_sentence(template, value):
    with pytest.raises(ValueError, match="cannot be formatted"):
        f_string.render(template, {"x": value})
