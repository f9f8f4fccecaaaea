"""Three texts in, one out: whatever is chosen, nothing of it is made up and nothing is lost unseen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_admin.exceptions import InvalidInput
from llm_admin.schemas.aligning import matches
from llm_admin.schemas.merging import combined, merged, parts, undecided
from llm_admin.schemas.prompts import MessageSpec, PromptSpec, declare
from llm_admin.schemas.variables import VariableSpec

WORDS = ["sun", "rain", "{{topic}}", "{{place}}", "{{ tone }}", "{", "ß", "\n"]
NAMES = ["topic", "place", "tone"]

texts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(lambda words: "x" + " ".join(words))
plain = st.builds(MessageSpec, role=st.sampled_from(["system", "user", "assistant"]), text=texts)
listed = st.sampled_from(["history", "earlier"]).map(lambda name: MessageSpec(role="placeholder", name=name))
variables = st.builds(VariableSpec, name=st.sampled_from(NAMES), label=st.sampled_from(["", "A", "B"]))
parameters = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.sampled_from([0.1, 0.9]),
        "max_tokens": st.sampled_from([10, 20]),
        "stop": st.sampled_from([["a"], ["a", "b"]]),
        "extra": st.dictionaries(st.sampled_from(["k", "a.b"]), st.sampled_from([None, 1, {"x": 2}])),
    },
)


@st.composite
def specs(draw):
    kind = draw(st.sampled_from(["chat", "chat", "chat", "text"]))
    if kind == "text":
        messages = [MessageSpec(text=draw(texts))]
    else:
        messages = draw(st.lists(st.one_of(plain, plain, plain, listed), min_size=1, max_size=5))
    return declare(
        PromptSpec(
            kind=kind,
            messages=messages,
            variables=draw(st.lists(variables, max_size=3, unique_by=lambda v: v.name)),
            model=draw(st.sampled_from([None, "a", "b"])),
            parameters=draw(parameters),
            output={"format": draw(st.sampled_from(["text", "json"]))},
            cache=draw(st.sampled_from(["", "always", "never"])),
        )
    )


def spec(*messages, **details):
    made = [MessageSpec(role=role, text=text) for role, text in messages]
    return declare(PromptSpec(messages=made, **details))


def said(made):
    return [(m.role, m.text) for m in made.messages]


@given(specs(), specs(), specs())
def test_one_side_everywhere_gives_that_side(base, mine, theirs):
    found = parts(base, mine, theirs)
    assert merged(base, mine, theirs, {p.key: "mine" for p in found}) == mine
    assert merged(base, mine, theirs, {p.key: "theirs" for p in found}) == theirs


@given(specs(), specs())
def test_what_only_one_side_changed_comes_out_without_a_question(base, changed):
    for mine, theirs in ((changed, base), (base, changed)):
        assert not any(part.both for part in parts(base, mine, theirs))
        assert merged(base, mine, theirs, {}) == changed


@given(specs(), specs(), specs(), st.data())
def test_any_choice_gives_a_valid_prompt_or_a_place(base, mine, theirs, data):
    found = parts(base, mine, theirs)
    chosen = {part.key: data.draw(st.sampled_from(["mine", "theirs"])) for part in found}
    assert undecided(found, chosen) == []
    try:
        made = merged(base, mine, theirs, chosen)
    except InvalidInput as error:
        assert all(problem.location for problem in error.problems)
    else:
        assert declare(PromptSpec.model_validate(made.model_dump(mode="json"))) == made


@given(specs(), specs(), specs())
def test_parts_are_where_the_two_differ(base, mine, theirs):
    found = parts(base, mine, theirs)
    assert bool(found) == (mine != theirs)
    assert len({part.key for part in found}) == len(found)
    for part in found:
        assert "".join(p.text for p in part.my_pieces if p.operation != "removed") == (part.mine or "")
        assert "".join(p.text for p in part.their_pieces if p.operation != "added") == (part.base or "")


@given(st.lists(st.one_of(plain, listed), max_size=6), st.lists(st.one_of(plain, listed), max_size=6))
def test_matches_rise_and_never_point_twice(base, other):
    found = sorted(matches(base, other).items())
    assert all(a < c and b < d for (a, b), (c, d) in zip(found, found[1:], strict=False))


words = st.lists(st.sampled_from([*WORDS, "a", "b", ".", " "]), max_size=8).map(" ".join)


@given(words, words)
def test_together_with_no_change_is_the_change(base, changed):
    assert combined(base, changed, base) == changed
    assert combined(base, base, changed) == changed


@given(words, words, words)
def test_together_is_the_same_from_either_side_or_nothing(base, mine, theirs):
    made = combined(base, mine, theirs)
    assert made == combined(base, theirs, mine)
    if made is not None and mine != base and theirs != base:
        assert len(made) == len(mine) + len(theirs) - len(base)


def test_changes_in_different_places_of_one_message_can_both_be_taken():
    mine = spec(("system", "Be very terse."), ("user", "Tell me about {{topic}}, please."))
    theirs = spec(("system", "Be friendly."), ("user", "In short, tell me about {{topic}}."))
    first, second = parts(BASE, mine, theirs)
    assert (first.both, first.together) == (True, None)
    assert second.together == "In short, tell me about {{topic}}, please."
    chosen = {first.key: "both", second.key: "both"}
    assert [problem.location for problem in undecided([first, second], chosen)] == [(first.key,)]
    made = merged(BASE, mine, theirs, {first.key: "mine", second.key: "both"})
    assert said(made)[1] == ("user", "In short, tell me about {{topic}}, please.")


BASE = spec(("system", "Be terse."), ("user", "Tell me about {{topic}}."))


def test_an_edit_and_a_message_added_elsewhere_go_together_unasked():
    mine = spec(("system", "Be terse and kind."), ("user", "Tell me about {{topic}}."))
    theirs = spec(("system", "Be terse."), ("assistant", "Sure."), ("user", "Tell me about {{topic}}."))
    assert [(p.title, p.side, p.both) for p in parts(BASE, mine, theirs)] == [
        ("Message 1: System", "mine", False),
        ("Added after message 1", "theirs", False),
    ]
    assert said(merged(BASE, mine, theirs, {})) == [
        ("system", "Be terse and kind."),
        ("assistant", "Sure."),
        ("user", "Tell me about {{topic}}."),
    ]


def test_a_message_added_in_front_of_one_that_the_other_edits_keeps_them_apart():
    mine = spec(("user", "Answer in French."), ("user", "Tell me about {{topic}}."))
    base = spec(("user", "Tell me about {{topic}}."))
    theirs = spec(("user", "Tell me everything about {{topic}}."))
    assert said(merged(base, mine, theirs, {})) == [
        ("user", "Answer in French."),
        ("user", "Tell me everything about {{topic}}."),
    ]


def test_both_edited_one_message_and_somebody_has_to_choose():
    mine = spec(("system", "Be kind."), ("user", "Tell me about {{topic}}."))
    theirs = spec(("system", "Be strict."), ("user", "Tell me about {{topic}}."))
    (part,) = parts(BASE, mine, theirs)
    assert (part.both, part.base, part.mine, part.theirs) == (True, "Be terse.", "Be kind.", "Be strict.")
    (problem,) = undecided([part], {})
    assert problem.location == (part.key,)
    assert undecided([part], {part.key: "whoever"}) == [problem]
    assert said(merged(BASE, mine, theirs, {part.key: "theirs"}))[0] == ("system", "Be strict.")


def test_removed_here_and_edited_there_is_a_question_and_shows_the_removal():
    mine = spec(("user", "Tell me about {{topic}}."))
    theirs = spec(("system", "Be strict."), ("user", "Tell me about {{topic}}."))
    (part,) = parts(BASE, mine, theirs)
    assert (part.both, part.mine, part.theirs) == (True, None, "Be strict.")


def test_two_settings_changed_by_two_people_are_both_kept():
    mine = PromptSpec.model_validate(BASE.model_dump() | {"parameters": {"temperature": 0.2}})
    theirs = PromptSpec.model_validate(BASE.model_dump() | {"parameters": {"max_tokens": 50, "extra": {"k": None}}})
    both = merged(BASE, mine, theirs, {}).parameters
    assert (both.temperature, both.max_tokens, both.extra) == (0.2, 50, {"k": None})


def test_variables_follow_from_the_texts_with_the_details_of_who_has_them():
    typed = {"name": "topic", "label": "What about", "type": "text"}
    mine = spec(("system", "Be terse in {{language}}."), ("user", "Tell me about {{topic}}."))
    theirs = declare(PromptSpec(messages=BASE.messages, variables=[typed]))
    made = merged(BASE, mine, theirs, {})
    assert [(v.name, v.label, v.type) for v in made.variables] == [
        ("language", "", "long_text"),
        ("topic", "What about", "text"),
    ]


def test_a_variable_that_the_other_makes_a_list_is_refused_with_a_place():
    base = spec(("user", "Hello"))
    mine = spec(("user", "Hello {{history}}"))
    theirs = declare(PromptSpec(messages=[*base.messages, MessageSpec(role="placeholder", name="history")]))
    with pytest.raises(InvalidInput) as caught:
        merged(base, mine, theirs, {})
    assert caught.value.problems[0].location
    assert "both a variable and a list" in str(caught.value)


def test_all_messages_gone_is_refused_with_a_place():
    mine = spec(("user", "Tell me about {{topic}}."))
    theirs = spec(("system", "Be terse."))
    with pytest.raises(InvalidInput) as caught:
        merged(BASE, mine, theirs, {})
    assert caught.value.problems[0].location == ("messages",)
