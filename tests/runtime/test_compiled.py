"""Plans are made of their stored form once, and do not pile up."""

from __future__ import annotations

import copy

import pytest

from llm_admin.runtime import executor
from llm_admin.schemas.plans import PromptPlan, RunPlan
from tests import factories


@pytest.fixture
def spec():
    return RunPlan(kind="prompt", prompt=PromptPlan(spec=factories.chat_spec())).model_dump(mode="json")


def test_the_same_object_is_compiled_once(spec):
    made = executor.compiled(spec)
    assert executor.compiled(spec) is made
    same = copy.deepcopy(spec)
    assert executor.compiled(same) is not made
    assert executor.compiled(same) == made


def test_only_so_many_are_kept(spec):
    specs = [copy.deepcopy(spec) for _ in range(executor.MOST_PLANS + 20)]
    for one in specs:
        executor.compiled(one)
    assert len(executor._plans) == executor.MOST_PLANS
    assert executor.compiled(specs[0]) == executor.compiled(specs[-1])
