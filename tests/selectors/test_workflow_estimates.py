"""What a row of a batch will cost and take, from what runs cost and took."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from llm_admin.models import Approval, Run
from llm_admin.selectors.estimates import Range
from llm_admin.selectors.workflow_estimates import RowEstimate, estimate
from llm_admin.services import documents
from tests import factories

pytestmark = pytest.mark.django_db
NOW = timezone.now()


@pytest.fixture
def workflow(scope):
    return factories.workflow(scope)


@pytest.fixture
def ran(workflow):
    """ran(seconds, cost) -> a run of version 1 that took so long and cost so much"""

    def make(seconds, cost, **details):
        values = {
            "workspace": workflow.workspace,
            "kind": "workflow",
            "workflow": workflow,
            "workflow_version": documents.version_of(workflow),
            "title": "r",
            "spec": {"model": None},
            "status": "succeeded",
            "source": "studio",
            "created_at": NOW,
            "started_at": NOW - timedelta(seconds=seconds),
            "ended_at": NOW,
            "calls": 1,
            "cost_nano": cost,
        }
        return Run.objects.create(**(values | details))

    return make


def of(workflow, **details):
    return estimate(workflow_id=workflow.pk, version_id=documents.version_of(workflow).pk, **details)


def test_between_the_tenth_and_the_ninetieth_of_a_hundred(workflow, ran):
    for number in range(1, 12):
        ran(number, number * 10)
    found = of(workflow)
    assert (found.basis, found.runs) == ("version", 11)
    assert (found.cost_nano, found.time_ms) == (Range(20, 100), Range(2_000, 10_000))
    assert found.cost_of(200) == Range(4_000, 20_000)
    assert found.time_of(201, 10) == Range(42_000, 210_000)


def test_hardly_any_run_is_unknown(workflow, ran):
    ran(1, 1)
    ran(1, 1)
    assert of(workflow) == RowEstimate()
    assert of(workflow).cost_of(5) is None
    assert of(workflow).time_of(5, 1) is None


def test_unknown_costs_are_no_zero_and_no_calls_cost_nothing(workflow, ran):
    for _ in range(4):
        ran(1, None)
    assert of(workflow).cost_nano is None
    assert of(workflow).time_ms == Range(1_000, 1_000)
    for _ in range(4):
        ran(1, None, calls=0)
    assert of(workflow).cost_nano == Range(0, 0)


def test_other_models_failures_and_waits_do_not_count(workflow, ran):
    for _ in range(3):
        ran(1, 5)
        ran(50, 500, spec={"model": "large"})
        ran(90, 900, status="failed")
        waited = ran(3_000, 5)
        where = {"workspace": workflow.workspace, "run": waited, "path": "1", "step_id": "a"}
        Approval.objects.create(**where, title="a", asked_at=NOW)
    assert (of(workflow).runs, of(workflow).cost_nano) == (3, Range(5, 5))
    assert of(workflow, model="large").cost_nano == Range(500, 500)


def test_without_runs_of_a_version_the_workflow_s_others_tell(workflow, ran):
    for _ in range(3):
        ran(1, 5, workflow_version=None)
    assert of(workflow).basis == "workflow"
