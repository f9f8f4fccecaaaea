from __future__ import annotations

from jsonschema import Draft202012Validator

from llm_admin.schemas.base import parse
from llm_admin.schemas.variable_forms import json_schema, table_head
from llm_admin.schemas.variables import KIND_TITLES, VariableSpec, check_values

EVERY = [
    parse(VariableSpec, {"name": f"a_{kind}", "type": kind, "choices": ["one", "two"] if kind == "choice" else []})
    for kind in KIND_TITLES
]


def test_the_table_has_a_row_that_is_valid_as_it_stands():
    names, example = table_head(EVERY)
    assert check_values(EVERY, dict(zip(names, example, strict=True)))["a_number"] == 12


def test_the_schema_takes_what_the_variables_take():
    names, example = table_head(EVERY)
    values = check_values(EVERY, dict(zip(names, example, strict=True)))
    schema = json_schema(EVERY)
    Draft202012Validator.check_schema(schema)
    assert Draft202012Validator(schema).is_valid(values)
    assert not Draft202012Validator(schema).is_valid({**values, "a_number": "many"})
    assert not Draft202012Validator(schema).is_valid({**values, "unknown": 1})
    assert set(schema["required"]) == set(names)


def test_details_of_a_variable_are_in_the_schema():
    size = parse(VariableSpec, {"name": "size", "type": "number", "help": "In cm", "default": "5", "maximum": 9})
    found = json_schema([size])
    assert found["properties"]["size"] == {
        "type": "number",
        "title": "Size",
        "description": "In cm",
        "default": 5,
        "maximum": 9,
    }
    assert found["required"] == []
