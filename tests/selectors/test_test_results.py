"""A result counts for the values that a test input has now."""

from __future__ import annotations

import pytest
from django.utils import timezone

from llm_admin.choices import RunStatus
from llm_admin.models import PromptTest
from llm_admin.selectors.test_results import results_on
from llm_admin.services import documents, planning, prompt_tests
from tests import factories


@pytest.fixture
def ran(scope, system):
    """ran(5) -> (the test input, the version) after a run with {{topic}} = 5 that succeeded."""

    def make(value):
        prompt = factories.prompt(scope)
        version = documents.newest(prompt)
        test = prompt_tests.save(prompt, actor=system, data={"name": "A", "inputs": {"topic": value}})
        run = planning.plan_prompt(
            actor=system, prompt=prompt, spec=documents.spec_of(version), version=version, inputs=test.inputs,
            source="studio", test=test,
        )  # fmt: skip
        run.status, run.output, run.started_at, run.ended_at = RunStatus.SUCCEEDED, "x", timezone.now(), timezone.now()
        run.save(force_insert=True)
        return test, version

    return make


@pytest.mark.parametrize(
    ("before", "now", "state"),
    [("5", "5", "passed"), ("5", "6", "missing"), (5, 0, "missing"), ("yes", False, "missing"), (5, "", "passed")],
)
def test_a_value_that_was_changed_since_makes_the_result_one_of_other_values(ran, system, before, now, state):
    test, version = ran(before)
    prompt_tests.save(test.prompt, actor=system, data={"name": "A", "inputs": {"topic": now}}, test=test)
    assert [one.state for one in results_on(version, PromptTest.objects.all())] == [state]
