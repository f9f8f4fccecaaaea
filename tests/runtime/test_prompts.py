from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from llm_admin.runtime.prompts import as_langchain, fill_in, to_messages
from llm_admin.schemas.prompts import MessageSpec, PromptSpec, declare

PIECES = st.sampled_from([*"ab{}& <\n\"'$", "{{a}}", "{{b_1}}", "{a}", "{{", "}}"])
TEXTS = st.lists(PIECES, min_size=1, max_size=30).map("".join)


def test_messages_are_those_that_langchain_builds():
    chat = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]
    made = to_messages(chat)
    assert made == [SystemMessage("s"), HumanMessage("u"), AIMessage("a")]
    made[1].additional_kwargs["x"] = 1
    assert to_messages(chat)[1].additional_kwargs == {}


@given(TEXTS, st.text(max_size=20), st.text(max_size=20))
@example("{{aa}}{{b_1}}", "x", "{y}")
def test_our_rendering_and_langchains_are_the_same_to_the_letter(text, a, b):
    if not text.strip():
        return
    spec = declare(PromptSpec(messages=[MessageSpec(text=text)]))
    values = {v.name: b if v.name == "b_1" else a for v in spec.variables}  # pieces may join to names such as "aa"
    ours = fill_in(spec, values)
    theirs = as_langchain(spec).format_messages(**values)
    assert [m["content"] for m in ours] == [m.content for m in theirs]


def test_a_placeholder_takes_earlier_messages():
    spec = PromptSpec(messages=[MessageSpec(role="placeholder", name="history"), MessageSpec(text="Go on.")])
    past = {"history": [{"role": "user", "text": "Hello"}, {"role": "assistant", "text": "Hi"}]}
    assert [m["role"] for m in fill_in(spec, past)] == ["user", "assistant", "user"]
    assert fill_in(spec, {}) == [{"role": "user", "content": "Go on."}]


@pytest.mark.parametrize("text", ['{"a": {"b": 1}}', "{{{{", "}}", "R&D {x} ${y}", "{{ not a name }}"])
def test_what_is_no_variable_stays_to_the_letter(text):
    spec = declare(PromptSpec(messages=[MessageSpec(text=text)]))
    assert fill_in(spec, {}) == [{"role": "user", "content": text}]
