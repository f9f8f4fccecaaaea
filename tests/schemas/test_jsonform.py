"""The translator from specs to django-jsonform's schemas: what is drawn, what is not, and that nothing gets lost."""

from __future__ import annotations

from typing import Literal

import pytest
from django_jsonform.utils import normalize_schema
from django_jsonform.widgets import JSONFormWidget
from pydantic import BaseModel, Field

from llm_admin.schemas.base import Spec
from llm_admin.schemas.jsonform import keeping, schema_of, with_value, words
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.schemas.variables import VariableSpec


class Inner(Spec):
    """For developers only."""

    name: str = Field(title="Name")
    share: float | None = Field(default=None, ge=0, le=1, title="Share")


class Outer(Spec):
    """Also for developers only."""

    kind: Literal["outer"] = "outer"
    text: str = Field(min_length=1, max_length=30, title="Text", description="What it says.")
    note: str = Field(default="as before", title="Note")
    size: Literal["small", "very_large"] = Field(
        default="small", title="Size", json_schema_extra={"choice_titles": {"small": "S"}}
    )
    count: int = Field(default=3, ge=1, title="Count")
    switch: bool = Field(default=False, title="Switch")
    inner: Inner = Field(title="Inside", description="Its details.")
    maybe: Inner | None = Field(default=None, title="Perhaps")
    several: list[Inner] = Field(default_factory=list, max_length=4, title="Several")
    words: list[str] = Field(default_factory=list, title="Words", json_schema_extra={"add_title": "Add a word"})
    pick: str = Field(default="", title="Pick", json_schema_extra={"choices_from": "things", "empty_title": "Nothing"})
    must: str = Field(title="Must", json_schema_extra={"choices_from": "things"})
    long: str = Field(default="", title="Long", json_schema_extra={"widget": "textarea", "placeholder": "Write"})


@pytest.fixture
def outer():
    return schema_of(Outer, choices={"things": [{"title": "One", "value": "1"}]})


def field(schema, name):
    return schema["properties"][name]


def test_only_fields_without_default_are_required(outer):
    assert outer["required"] == ["text", "inner", "must"]
    assert field(outer, "inner")["required"] == ["name"]


def test_titles_and_descriptions_are_the_fields_own(outer):
    assert field(outer, "text") == {"type": "string", "title": "Text", "helpText": "What it says."}
    assert field(outer, "inner")["title"] == "Inside"
    assert field(outer, "inner")["description"] == "Its details."
    assert "developers" not in str(outer)


def test_optional_is_not_required_and_never_a_union_with_null(outer):
    assert field(field(outer, "inner"), "share") == {"type": "number", "title": "Share", "minimum": 0, "maximum": 1}
    assert field(outer, "maybe")["type"] == "object"
    assert field(outer, "maybe")["title"] == "Perhaps"
    assert "anyOf" not in str(outer)
    assert "null" not in str(outer)
    assert "$ref" not in str(outer)


def test_a_literal_becomes_worded_choices(outer):
    size = field(outer, "size")
    assert size["choices"] == [{"title": "S", "value": "small"}, {"title": "Very large", "value": "very_large"}]
    assert size["default"] == "small"


def test_a_fixed_value_is_kept_out_of_sight(outer):
    assert field(outer, "kind") == {"type": "string", "const": "outer", "widget": "hidden", "title": "Kind"}


def test_a_text_has_no_default_because_jsonform_would_put_it_back(outer):
    assert "default" not in field(outer, "note")
    assert field(outer, "count") == {"type": "integer", "default": 3, "title": "Count", "minimum": 1}
    assert field(outer, "switch")["default"] is False


def test_lists_of_models_and_of_texts(outer):
    several = field(outer, "several")
    assert several["type"] == "array"
    assert several["maxItems"] == 4
    assert list(several["items"]["properties"]) == ["name", "share"]
    assert field(outer, "words")["items"]["type"] == "string"
    assert field(outer, "words")["add_title"] == "Add a word"


def test_pickers_are_filled_per_request_and_can_be_left_empty_unless_required(outer):
    one = {"title": "One", "value": "1"}
    assert field(outer, "pick")["choices"] == [{"title": "Nothing", "value": ""}, one]
    assert field(outer, "must")["choices"] == [one]
    assert field(outer, "pick")["choicesFrom"] == "things"
    assert field(schema_of(Outer), "must")["choices"] == []


def test_widget_and_placeholder_are_passed_on(outer):
    assert field(outer, "long") == {"type": "string", "title": "Long", "widget": "textarea", "placeholder": "Write"}


def test_no_limit_cuts_off_what_is_pasted(outer):
    assert "maxLength" not in str(outer)
    assert "minLength" not in str(outer)


def test_a_real_union_is_refused():
    class Both(BaseModel):
        value: int | str = 1

    with pytest.raises(TypeError, match="“value” can be 2 kinds"):
        schema_of(Both)


def test_a_hidden_field_keeps_its_value():
    class Secretive(Spec):
        name: str = Field(default="", json_schema_extra={"hidden": True})

    assert field(schema_of(Secretive), "name")["widget"] == "hidden"


@pytest.mark.parametrize("spec", [PromptSpec, VariableSpec, *(STEP_SPECS.get(name) for name in STEP_SPECS.names())])
def test_every_spec_of_ours_can_be_drawn(spec):
    schema = schema_of(spec)
    slots = set(getattr(spec, "slot_titles", ()))  # cards within the card
    assert set(schema["properties"]) == set(spec.model_fields) - slots
    assert normalize_schema(schema) == schema
    assert "data-django-jsonform" in JSONFormWidget(schema=schema).render("", "{}", attrs={"id": "x"})


def test_a_value_that_is_gone_stays_among_the_choices(outer):
    kept = keeping(outer, {"pick": "7", "must": "1", "inner": {"name": "a"}})
    assert field(kept, "pick")["choices"][-1] == {"title": "7 (not there any more)", "value": "7"}
    assert [c["value"] for c in field(kept, "must")["choices"]] == ["1"]
    assert [c["value"] for c in field(outer, "pick")["choices"]] == ["", "1"], "the schema itself is left alone"


def test_values_that_are_gone_are_kept_inside_lists_too():
    class Picking(Spec):
        pick: str = Field(default="", json_schema_extra={"choices_from": "things"})

    class Listing(Spec):
        rows: list[Picking] = []

    kept = keeping(schema_of(Listing), {"rows": [{"pick": "a"}, {"pick": "b"}, "nonsense"]})
    choices = kept["properties"]["rows"]["items"]["properties"]["pick"]["choices"]
    assert [c["value"] for c in choices] == ["", "a", "b"]


def test_words_and_empty_values():
    assert words("yes_no") == "Yes no"
    assert with_value([], "") == []
