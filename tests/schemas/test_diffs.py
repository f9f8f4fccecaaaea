"""Differences: nothing is lost in them, messages and steps are told apart, and they never hang."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_admin.schemas import diffs
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.schemas.workflows import WorkflowSpec

TEXTS = (
    st.text() | st.text(alphabet="ab \n{}.é1日") | st.lists(st.sampled_from(["rain", "snow", " ", "\n"])).map("".join)
)


def prompt(*messages, **details):
    given = [{"role": role, "text": text} for role, text in messages]
    return PromptSpec.model_validate({"messages": given, **details})


def told(before, after):
    return [(change.title, change.before, change.after) for change in diffs.changes(before, after)]


@given(TEXTS, TEXTS)
def test_joined_pieces_give_both_texts(before, after):
    pieces = diffs.words(before, after)
    assert "".join(p.text for p in pieces if p.operation != "added") == before
    assert "".join(p.text for p in pieces if p.operation != "removed") == after


@given(TEXTS)
def test_a_text_does_not_differ_from_itself(text):
    assert {p.operation for p in diffs.words(text, text)} <= {"same"}


def test_words_are_compared_not_letters_and_numbers_are_words():
    pieces = [(p.operation, p.text) for p in diffs.words("Be brief. 0.4", "Be bright. 0.2")]
    assert pieces == [
        ("same", "Be "),
        ("removed", "brief"),
        ("added", "bright"),
        ("same", ". "),
        ("removed", "0.4"),
        ("added", "0.2"),
    ]


def test_a_script_without_spaces_is_compared_by_character():
    pieces = [(p.operation, p.text) for p in diffs.words("今日は天気", "明日は天気")]
    assert pieces == [("removed", "今"), ("added", "明"), ("same", "日は天気")]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("edits", [10, 30_000])
def test_texts_of_200_kb_do_not_hang(edits):
    chance = random.Random(7)
    old = [f"w{chance.randrange(5000)}" for _ in range(35_000)]
    new = list(old)
    for _ in range(edits):
        new[chance.randrange(len(new))] = f"w{chance.randrange(5000)}"
    pieces = diffs.words(" ".join(old), " ".join(new), seconds=0.5)
    assert "".join(p.text for p in pieces if p.operation != "removed") == " ".join(new)


def test_a_message_put_in_between_is_new_and_the_one_after_it_is_only_changed():
    before = prompt(("system", "Be terse."), ("user", "Tell me about rain in May"))
    after = prompt(
        ("system", "Be terse."),
        ("user", "An example"),
        ("assistant", "Its answer"),
        ("user", "Tell me all about rain in May"),
    )
    assert told(before, after) == [
        ("Message 2: User", None, "An example"),
        ("Message 3: Assistant", None, "Its answer"),
        ("Message 4: User", "Tell me about rain in May", "Tell me all about rain in May"),
    ]
    assert [(t, b, a) for t, a, b in told(after, before)][:2] == told(before, after)[:2]


def test_another_role_of_the_same_text_is_told():
    assert told(prompt(("user", "Hello there")), prompt(("assistant", "Hello there"))) == [
        ("Message 1: User → Assistant", "Hello there", "Hello there")
    ]


def test_variables_settings_and_their_order_are_told():
    names = [{"name": "topic"}, {"name": "place", "help": "Where"}]
    before = prompt(("user", "{{topic}} {{place}}"), variables=names, parameters={"temperature": 0.4})
    later = {"model": "fast", "parameters": {"seed": 3}, "cache": "always"}
    after = prompt(("user", "{{topic}} {{place}}"), variables=names[::-1], **later)
    assert told(before, after) == [
        ("Order of the variables", "topic\nplace", "place\ntopic"),
        ("Temperature", "0.4", None),
        ("Model", None, "fast"),
        ("Seed", None, "3"),
        ("Answers from the cache", None, "always"),
    ]


def test_against_nothing_everything_is_new():
    found = diffs.changes(None, prompt(("user", "Hi {{topic}}"), variables=[{"name": "topic"}]))
    assert [(c.title, c.kind) for c in found] == [("Message 1: User", "added"), ("Variable “topic”", "added")]


MODEL = {"type": "llm", "id": "a", "text": "Say {{t}}", "parameters": {"temperature": 1}}
PARSER = {"type": "parser", "id": "d", "source": "a", "format": "json"}


def workflow(*steps, **details):
    return WorkflowSpec.model_validate({"inputs": [{"name": "t"}], "steps": list(steps), **details})


def test_a_workflow_differs_step_by_step_and_shows_no_json():
    changed = MODEL | {"text": "Say {{t}} now", "parameters": {}, "inputs": [{"name": "q", "value": "{{t}}"}]}
    assert told(workflow(MODEL, PARSER), workflow(changed, output="a")) == [
        ("Step 2: Parser: d", "Result name: d\nReads: a\nFormat: JSON", None),
        ("Step 1: Model: a – Text", "Say {{t}}", "Say {{t}} now"),
        ("Step 1: Model: a – Temperature", "1.0", None),
        ("Step 1: Model: a – What the prompt's variables get", None, "q: {{t}}"),
        ("Outcome", "The last step's", "a"),
    ]


def test_steps_in_another_order_are_told():
    first, second = MODEL | {"id": "x"}, MODEL | {"id": "y"}
    assert told(workflow(first, second), workflow(second, first)) == [("Order of the steps", "x\ny", "y\nx")]
