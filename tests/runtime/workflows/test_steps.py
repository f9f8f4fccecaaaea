"""Each step type: what it gives, and what it says when it cannot."""

from __future__ import annotations

import asyncio

import pytest

from llm_admin.choices import ErrorKind, RunStatus, StepStatus
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers.fake import enqueue, forget
from llm_admin.runtime.steps import STEP_BUILDERS
from llm_admin.runtime.steps.branch import holds
from llm_admin.runtime.steps.classify import chosen
from llm_admin.runtime.steps.parser import read_list, read_number, read_yes_no
from llm_admin.schemas.records import Decision, Done
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.schemas.steps.branch import Condition
from llm_admin.schemas.steps.classify import ClassifyStep
from tests.runtime.workflows.running import run


def outcome(*steps, topic="rain", **more):
    return run({"inputs": [{"name": "topic", "required": False}], "steps": list(steps)}, {"topic": topic}, **more)


def given(*steps, **more):
    ended, _ = outcome(*steps, **more)
    assert ended.status == RunStatus.SUCCEEDED, ended.error
    return ended.output


def error(*steps, **more):
    ended, _ = outcome(*steps, **more)
    assert ended.status == RunStatus.FAILED
    return ended


@pytest.fixture
def says():
    """says("one", CallFailed-like, ...) -> the model name that answers these in turn."""

    def script(*answers):
        enqueue("steps", *answers)
        return "demo:script=steps"

    yield script
    forget("steps")


def test_every_type_has_a_builder_and_says_what_it_is():
    assert STEP_SPECS.names() == STEP_BUILDERS.names()
    for name in STEP_SPECS.names():
        spec = STEP_SPECS.get(name)
        assert all((spec.label, spec.icon, spec.help, spec.result)), name
        assert callable(STEP_BUILDERS.get(name))


# ---- parser


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("a\nb", ["a", "b"]),
        ("- a\n* b\n\n• c", ["a", "b", "c"]),
        ("1. first\n2) second", ["first", "second"]),
        ('["a", 1]', ["a", 1]),
        ('```json\n["a"]\n```', ["a"]),
        ("", []),
        ("-5 degrees", ["-5 degrees"]),
    ],
)
def test_lists_as_models_write_them(text, entries):
    assert read_list(text) == entries


@pytest.mark.parametrize(
    ("text", "number"), [("42", 42), ("The score is 7.5.", 7.5), ("-3", -3), ("1,234,567", 1234567), ("1e3", 1000.0)]
)
def test_the_only_number(text, number):
    assert read_number(text) == number


@pytest.mark.parametrize("text", ["none", "", "3 of 5"])
def test_no_number_or_several_are_refused(text):
    with pytest.raises(CallFailed, match="a number was expected"):
        read_number(text)


@pytest.mark.parametrize(("text", "value"), [("Yes.", True), ("**no**", False), ("The answer is yes", True)])
def test_yes_or_no(text, value):
    assert read_yes_no(text) is value


@pytest.mark.parametrize("text", ["yes and no", "perhaps", ""])
def test_neither_is_refused(text):
    with pytest.raises(CallFailed, match="yes or no was expected"):
        read_yes_no(text)


def test_json_by_a_schema_of_ones_own(says):
    schema = '{"type": "array", "items": {"type": "integer"}}'
    steps = (
        {"type": "llm", "id": "a", "text": "x"},
        {"type": "parser", "id": "b", "format": "json", "json_schema": schema},
    )
    assert given(*steps, model=says("[1, 2]")) == [1, 2]
    assert "not as asked" in error(*steps, model=says('["a"]')).error


# ---- conditions


@pytest.mark.parametrize(
    ("value", "operator", "to", "result"),
    [
        ("Refund ", "is", "refund", True),
        ("refund", "is_not", "refund", False),
        ("a refund please", "contains", "REFUND", True),
        (["red", "green"], "contains", "Green", True),
        ("abc", "contains_not", "b", False),
        ("abc", "begins_with", "A", True),
        ("abc", "ends_with", "C", True),
        ("b", "one_of", "a\nB", True),
        ("c", "one_of", "a\nB", False),
        ("7", "more_than", "6.5", True),
        (7, "at_least", "7", True),
        ("1,000", "less_than", "999", False),
        (3, "at_most", "3", True),
        ("", "empty", "", True),
        (None, "empty", "", True),
        ([], "not_empty", "", False),
        (0, "empty", "", False),
        (False, "empty", "", False),
        (True, "yes", "", True),
        ("no", "yes", "", False),
        ("No", "no", "", True),
    ],
)
def test_conditions(value, operator, to, result):
    assert holds(Condition(value="x", operator=operator, to=to), {"x": value}, None) is result


@pytest.mark.parametrize(("operator", "to", "words"), [("more_than", "5", "a number"), ("yes", "", "yes or no")])
def test_what_cannot_be_compared_fails_in_words(operator, to, words):
    with pytest.raises(CallFailed, match=f"{words} was to be compared, but the value is: soon"):
        holds(Condition(value="x", operator=operator, to=to), {"x": "soon"}, None)


def test_a_branch_gives_the_result_of_its_way_and_says_which():
    branch = {
        "type": "branch",
        "id": "way",
        "match": "any",
        "conditions": [{"value": "topic", "operator": "is", "to": "snow"}, {"value": "topic", "to": "rain"}],
        "yes": [{"type": "template", "id": "wet", "text": "take {{topic}} coat"}],
        "no": [],
    }
    ended, recorder = outcome(branch)
    assert ended.output == "take rain coat"
    assert {one.path: one.note for one in recorder.ended} == {"1": "If so", "1.yes.1": ""}
    assert outcome(branch, topic="sun")[0].output is None


# ---- classify

CATEGORIES = [{"name": "Refund"}, {"name": "Refund dispute"}, {"name": "Other"}]


def classify(**more):
    return ClassifyStep.model_validate({"type": "classify", "id": "c", "categories": CATEGORIES, **more})


@pytest.mark.parametrize(
    ("answer", "category"),
    [
        ("refund", "Refund"),
        ('"Other."', "Other"),
        ('{"category": "Refund dispute"}', "Refund dispute"),
        ("It is a refund dispute, I think.", "Refund dispute"),
        ("**Other**", "Other"),
    ],
)
def test_a_category_is_read_leniently(answer, category):
    assert chosen(classify(), answer) == category


def test_no_category_or_several_fail_or_give_the_fallback():
    for answer in ("none of them", "Refund or Other", ""):
        with pytest.raises(CallFailed, match="none of the categories Refund, Refund dispute, Other"):
            chosen(classify(), answer)
        assert chosen(classify(otherwise="Unclear"), answer) == "Unclear"


def test_the_demo_model_answers_one_of_the_categories():
    step = {"type": "classify", "id": "c", "source": "topic", "categories": CATEGORIES}
    assert given(step, topic="I want a refund") in {one["name"] for one in CATEGORIES}


# ---- for each


def test_results_keep_the_order_whatever_ends_first():
    inner = [{"type": "llm", "id": "said", "text": "{{item}}"}, {"type": "set", "id": "it", "value": "{{item}}"}]
    loop = {"type": "for_each", "id": "all", "items": "topic", "parallel": 7, "steps": inner}
    entries = [str(n) for n in range(40)]
    assert given(loop, topic="\n".join(entries)) == entries


def test_at_most_so_many_at_a_time(monkeypatch):
    running, most = 0, 0

    async def slow(values, context):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.005)
        running -= 1

    monkeypatch.setattr(STEP_BUILDERS, "_table", STEP_BUILDERS._table | {"template": lambda spec: slow})
    inner = [{"type": "template", "id": "slow", "text": "x"}]
    loop = {"type": "for_each", "id": "all", "items": "topic", "parallel": 3, "steps": inner}
    given(loop, topic="\n".join("abcdefghij"))
    assert most == 3


@pytest.mark.parametrize("topic", ["a\nbad\nc"])
def test_a_failed_entry_stops_the_loop_or_leaves_its_place_empty(topic):
    inner = [
        {
            "type": "branch",
            "id": "way",
            "conditions": [{"value": "item", "to": "bad"}],
            "yes": [{"type": "set", "id": "number", "kind": "number", "value": "{{item}}"}],
            "no": [{"type": "set", "id": "same", "value": "{{item}}"}],
        }
    ]
    loop = {"type": "for_each", "id": "all", "items": "topic", "parallel": 1, "steps": inner}
    failed = error(loop, topic=topic)
    assert (failed.error_step, "must be a number" in failed.error) == ("number", True)
    assert given({**loop, "if_one_fails": "leave_empty"}, topic=topic) == ["a", None, "c"]


def test_too_many_entries_are_refused_before_the_first():
    loop = {"type": "for_each", "id": "all", "items": "topic", "steps": []}
    assert "1,001 entries; a step goes over 1,000 at most" in error(loop, topic="x\n" * 1001).error


# ---- failures


def test_it_is_tried_again_and_the_last_failure_counts(says):
    parse = {"type": "classify", "id": "c", "source": "topic", "categories": CATEGORIES}
    again = parse | {"failure": {"retries": 2, "delay": 0}}
    ended, recorder = outcome(again, model=says("?", "??", "Other"))
    assert (ended.output, len(recorder.calls)) == ("Other", 3)
    assert len(recorder.started) == len(recorder.ended) == 1
    ended, recorder = outcome(again, model=says("?", "??", "???"))
    assert "begins with: ???" in ended.error


@pytest.mark.parametrize("behaviour", ["401", "context"])
def test_what_a_second_try_cannot_change(behaviour):
    step = {"type": "llm", "id": "a", "text": "x", "failure": {"retries": 3, "delay": 0}}
    ended, recorder = outcome(step, model=f"demo:{behaviour}")
    assert ended.status == RunStatus.FAILED
    assert len(recorder.calls) == (1 if behaviour == "401" else 4)


def test_a_step_has_its_own_time_limit():
    step = {"type": "llm", "id": "a", "text": "x", "failure": {"timeout": 0.05}}
    ended = error(step, model="demo:slow")
    assert (ended.error_kind, ended.error_step) == ("timeout", "a")
    assert "the step took longer than 0.05 s" in ended.error


def test_use_this_value_and_go_to():
    bad = {"type": "set", "id": "n", "kind": "number", "value": "many"}
    value = bad | {"failure": {"action": "value", "value": "{{topic}}?"}}
    ended, recorder = outcome(value, {"type": "template", "id": "end", "text": "[{{n}}]"})
    assert ended.output == "[rain?]"
    assert recorder.ended[0].status == StepStatus.FAILED
    assert recorder.ended[0].note == "Failed; the value for this case was used"
    jump = bad | {"failure": {"action": "go_to", "go_to": "end"}}
    steps = (
        {"type": "template", "id": "skipped", "text": "x"},
        {"type": "template", "id": "end", "text": "[{{skipped}}]"},
    )
    ended, recorder = outcome(jump, *steps)
    assert ended.output == "[]"
    assert [one.path for one in recorder.ended] == ["1", "3"]


def test_switched_off_steps_are_passed_over():
    first = {"type": "set", "id": "a", "value": "1"}
    off = {"type": "set", "id": "b", "value": "2", "disabled": True}
    assert given(first, off, {"type": "parser", "id": "c"}) == "1"


def test_named_outputs_keep_their_kinds():
    spec = {
        "inputs": [{"name": "topic", "type": "list"}],
        "steps": [{"type": "set", "id": "a", "value": "{{topic}}"}],
        "outputs": [{"name": "list", "value": "{{a}}"}, {"name": "text", "value": "It is {{a}}."}],
    }
    assert run(spec, {"topic": ["x", "y"]})[0].output == {"list": ["x", "y"], "text": "It is x\ny."}


# ---- approval


def test_an_approval_pauses_asks_once_and_takes_the_decision():
    steps = {"type": "set", "id": "a", "value": "Draft"}, {"type": "approval", "id": "ok"}
    ended, recorder = outcome(*steps)
    assert ended.status == RunStatus.WAITING
    assert [(one.path, one.text, one.role) for one in recorder.asked] == [("2", "Draft", "author")]
    assert recorder.ended[-1].status == StepStatus.WAITING
    decided = {"2": Decision(approved=True, text="Better", by="ada", word="Nice")}
    ended, again = outcome(*steps, done=recorder.done(), decisions=decided)
    assert ended.output == "Better"
    assert (again.asked, [one.path for one in again.ended]) == ([], ["2"])
    assert again.ended[0].note == "Approved by ada: Nice"


# ---- tries of a step that holds others

INNER = [{"type": "llm", "id": "said", "text": "{{item}}"}, {"type": "parser", "id": "number", "format": "number"}]
TWICE = {"type": "for_each", "id": "all", "items": "topic", "failure": {"retries": 1}, "steps": INNER}


def test_a_try_takes_nothing_from_the_one_before(says):
    """Also when that one belongs to a run that was interrupted: its failure is not this one's."""
    done = {"1[1].1": Done("none"), "1[1].2": Done(None, ErrorKind.PARSE_ERROR, "no number")}
    ended, recorder = outcome(TWICE, model=says("7"), done=done)
    assert (ended.status, ended.output) == (RunStatus.SUCCEEDED, [7])
    assert {path: one.output for path, one in recorder.done().items()} == {"1[1].1": "7", "1[1].2": 7, "1": [7]}


def test_what_a_failed_try_left_is_not_done_any_more(says):
    _, recorder = outcome(TWICE, model=says("none", CallFailed(ErrorKind.BAD_REQUEST, "no")))
    assert recorder.done().keys() == {"1", "1[1].1"}
