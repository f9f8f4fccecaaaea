"""What makes two calls the same: the key under which an answer is kept."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from llm_admin.choices import CacheAnswers
from llm_admin.schemas.plans import DeploymentPlan, ModelPlan, PricePlan
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.services.answers import asked


def plan(**details) -> ModelPlan:
    given = {"id": 1, "provider": "openai", "provider_model": "gpt", "connection": "C", "base_url": "", "api_key": "k"}
    return ModelPlan(1, "fast", "Fast", (DeploymentPlan(**(given | {"connection_id": 1} | details)),))


CHAT = [{"role": "user", "content": "Hi"}]
PRICE = PricePlan(1, Decimal(1), Decimal(2))
SAME = {"id": 9, "connection": "D", "api_key": "other", "price": PRICE, "priority": 2, "weight": 3}
SAME |= {"requests_per_minute": 1, "tokens_per_minute": 1, "max_concurrency": 1}
OTHER = {"provider": "x", "provider_model": "x", "base_url": "x", "connection_id": 2, "options": {"a": 1}}


@given(st.sets(st.sampled_from(sorted(SAME))), st.sets(st.sampled_from(sorted(OTHER))))
def test_the_key_has_what_decides_the_answer_and_nothing_else(same, other):
    changed = plan(**{name: SAME[name] for name in same}, **{name: OTHER[name] for name in other})
    assert (asked(CHAT, {}, changed) == asked(CHAT, {}, plan())) == (not other)
    assert "other" not in str(asked(CHAT, {}, changed))  # the key


PARTS = st.text("ab:,{}[]\"' ", max_size=6)


@given(st.lists(PARTS, min_size=1, max_size=3), st.lists(PARTS, min_size=1, max_size=3))
def test_different_messages_have_different_keys(some, others):
    one, two = ([{"role": "user", "content": text} for text in texts] for texts in (some, others))
    assert (asked(one, {}, plan()) == asked(two, {}, plan())) == (some == others)


@given(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 2)),
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 2)),
)
def test_parameters_count_in_any_order(some, others):
    key = lambda given: asked(CHAT, given, plan())  # noqa: E731
    assert (key(some) == key(others)) == (some == others)
    assert key(dict(reversed(some.items()))) == key(some)


def test_roles_aliases_and_the_order_of_messages_count():
    two = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
    assert asked(two, {}, plan()) != asked(two[::-1], {}, plan())
    assert asked([{"role": "system", "content": "Hi"}], {}, plan()) != asked(CHAT, {}, plan())
    assert asked(CHAT, {}, replace(plan(), alias="slow")) != asked(CHAT, {}, plan())


def test_the_order_of_deployments_does_not_count():
    (first,), (second,) = plan().deployments, plan(id=2, provider_model="other").deployments
    both = [ModelPlan(1, "fast", "Fast", order) for order in ((first, second), (second, first))]
    assert asked(CHAT, {}, both[0]) == asked(CHAT, {}, both[1])
    assert asked(CHAT, {}, both[0]) != asked(CHAT, {}, plan())


def test_the_choices_of_a_prompt_are_the_workspaces():
    modes = PromptSpec.model_fields["cache"].annotation.__args__
    assert set(modes) == {"", *CacheAnswers.values}
