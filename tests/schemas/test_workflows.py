"""WorkflowSpec: what is refused, where, and in which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_admin.exceptions import InvalidInput
from llm_admin.schemas.base import parse
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.schemas.workflows import WorkflowSpec

PROMPT = {"type": "prompt", "id": "question", "prompt": "weather"}
MODEL = {"type": "llm", "id": "answer", "messages_from": "question"}
PARSER = {"type": "parser", "id": "data", "source": "answer", "format": "json", "keys": [{"name": "title"}]}
TOPIC = {"name": "topic"}


def problems(**spec):
    with pytest.raises(InvalidInput) as caught:
        parse(WorkflowSpec, spec)
    return {problem.location: problem.message for problem in caught.value.problems}


def test_three_steps_pass_and_come_back_as_they_were():
    spec = parse(WorkflowSpec, {"inputs": [TOPIC], "steps": [PROMPT, MODEL, PARSER], "output": "data"})
    assert [type(step).__name__ for step in spec.steps] == ["PromptStep", "LLMStep", "ParserStep"]
    dumped = spec.model_dump(mode="json")
    assert dumped["steps"][2]["keys"] == [{"name": "title", "type": "text", "required": True}]
    assert parse(WorkflowSpec, dumped) == spec
    assert WorkflowSpec.model_validate_json(spec.model_dump_json()) == spec


def test_the_outcome_is_the_last_result_unless_another_is_named():
    assert parse(WorkflowSpec, {"steps": [PROMPT, MODEL]}).output_name == "answer"
    assert parse(WorkflowSpec, {"steps": [PROMPT, MODEL], "output": "question"}).output_name == "question"


def test_an_error_inside_a_step_names_the_step_and_its_field():
    found = problems(steps=[PROMPT, {**MODEL, "parameters": {"temperature": 9}}])
    assert found == {("steps", 1, "parameters", "temperature"): "This must be at most 2."}


def test_an_error_inside_a_list_of_a_step_names_the_row():
    assert problems(steps=[PROMPT, {**PARSER, "keys": [{"name": "a"}, {"name": ""}]}]) == {
        ("steps", 1, "keys", 1, "name"): "This must not be empty."
    }


def test_several_errors_are_told_at_once():
    found = problems(steps=[{**PROMPT, "prompt": ""}, {**MODEL, "id": "my answer"}])
    assert set(found) == {("steps", 0, "prompt"), ("steps", 1, "id")}
    assert "letters, digits and underscores" in found["steps", 1, "id"]


def test_unknown_type_unknown_field_and_no_type():
    assert problems(steps=[{"type": "magic", "id": "x"}])["steps", 0] == (
        "There is no step type “magic”. Known: " + ", ".join(STEP_SPECS.names()) + "."
    )
    for nonsense in ("nonsense", None, {"type": ["llm"]}, {"type": {}}):
        assert "There is no step type" in problems(steps=[nonsense])["steps", 0]
    assert problems(steps=[{**PROMPT, "colour": "red"}]) == {("steps", 0, "colour"): "This is not known here."}


def test_a_workflow_needs_a_step():
    assert problems(steps=[]) == {("steps",): "Add at least one."}


def test_a_text_may_only_use_what_comes_before_it():
    later = {"type": "llm", "id": "first", "text": "About {{topic}} and {{answer.title}}"}
    found = problems(inputs=[TOPIC], steps=[later, {**PROMPT}, MODEL])
    assert found == {("steps", 0, "text"): "Nothing before this step is called “answer”."}


def test_a_mapping_is_refused_at_its_row():
    mapped = {**PROMPT, "inputs": [{"name": "a", "value": "plain"}, {"name": "b", "value": "{{nowhere}}"}]}
    assert problems(steps=[mapped]) == {
        ("steps", 0, "inputs", 1, "value"): "Nothing before this step is called “nowhere”."
    }


@pytest.mark.parametrize(("step", "field"), [(MODEL, "messages_from"), (PARSER, "source")])
def test_a_picker_may_only_name_what_comes_before(step, field):
    assert problems(steps=[PROMPT, {**step, field: "nowhere"}]) == {
        ("steps", 1, field): "Nothing before this step is called “nowhere”."
    }


@pytest.mark.parametrize(
    ("step", "field"),
    [
        ({"type": "llm", "id": "a"}, "messages_from"),
        ({"type": "llm", "id": "a", "text": "  "}, "messages_from"),
        ({"type": "parser", "id": "a"}, "source"),
    ],
)
def test_the_first_step_cannot_work_on_the_one_before(step, field):
    assert "no step before" in problems(inputs=[TOPIC], steps=[step])["steps", 0, field]
    settled = {**step, field: "topic"} | ({"text": ""} if step["type"] == "llm" else {})
    assert parse(WorkflowSpec, {"inputs": [TOPIC], "steps": [settled]}).steps[0].uses() == [((field,), "topic")]


def test_a_model_step_asks_with_one_thing_only():
    both = {**MODEL, "text": "Hello"}
    assert problems(steps=[PROMPT, both])["steps", 1].startswith("Choose one:")


def test_names_are_taken_once():
    assert problems(inputs=[TOPIC, TOPIC], steps=[PROMPT])["inputs", 1, "name"] == "“topic” is declared twice."
    assert "is taken" in problems(steps=[PROMPT, {**MODEL, "id": "question"}])["steps", 1, "id"]
    assert "is taken" in problems(inputs=[TOPIC], steps=[{**PROMPT, "id": "topic"}])["steps", 0, "id"]


def test_the_outcome_must_be_a_result():
    assert problems(steps=[PROMPT], output="nothing")["output",] == "No step has the result “nothing”."


def test_what_a_step_type_says_of_itself():
    for name in STEP_SPECS.names():
        spec = STEP_SPECS.get(name)
        assert spec.label and spec.icon and spec.help
        assert spec.result.isidentifier()
    assert STEP_SPECS.get("prompt").produces == "messages"


# ---- anything at all: accepted and whole again, or refused with places; never another exception

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
STEP = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["prompt", "llm", "parser", "magic"]) | JSON,
        "id": st.text(max_size=4) | st.sampled_from("abc"),
    },
    optional={
        "prompt": st.text(max_size=5),
        "text": st.sampled_from(["", "{{a}}", "{{b.c}} {{x}}", "{{{{a}}"]),
        "messages_from": st.sampled_from(["", "a", "b"]),
        "source": st.sampled_from(["", "a", "b"]),
        "inputs": st.lists(
            st.fixed_dictionaries({"name": st.text(max_size=3), "value": st.text(max_size=6)}), max_size=2
        ),
        "junk": JSON,
    },
)


@given(st.fixed_dictionaries({"steps": st.lists(STEP, max_size=4)}, optional={"inputs": JSON, "output": JSON}) | JSON)
def test_any_data_is_accepted_whole_or_refused_with_places(data):
    try:
        spec = parse(WorkflowSpec, data)
    except InvalidInput as error:
        assert error.problems
        assert all(problem.message for problem in error.problems)
    else:
        assert parse(WorkflowSpec, spec.model_dump(mode="json")) == spec
