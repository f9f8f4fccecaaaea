"""Random workflows end as a simple second interpreter says; from any of their steps on, too."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from llm_admin.choices import RunStatus
from llm_admin.exceptions import InvalidInput
from llm_admin.schemas import walking
from llm_admin.schemas.base import parse
from llm_admin.schemas.workflows import WorkflowSpec
from tests.runtime.workflows.random_workflows import INPUTS, Fails, expected, workflows
from tests.runtime.workflows.running import run

pytestmark = pytest.mark.timeout(300)
RANDOM = settings(
    max_examples=60,
    phases=[Phase.generate],  # "explain" traces every line: minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@given(workflows())
@RANDOM
def test_they_end_as_a_simple_interpreter_says(spec):
    outcome, recorder = run(spec, INPUTS)
    try:
        wanted = expected(spec, INPUTS)
    except Fails:
        assert outcome.status == RunStatus.FAILED
        assert outcome.error_step in {found.step.id for found in parse(WorkflowSpec, spec).walk()}
    else:
        note(outcome.error)
        assert (outcome.status, outcome.output) == (RunStatus.SUCCEEDED, wanted)
    paths = [one.path for one in recorder.started]
    assert len(paths) == len(set(paths))  # each place once
    assert sorted(paths) == sorted(one.path for one in recorder.ended)


@given(workflows(), st.data())
@RANDOM
def test_going_on_from_any_step_gives_the_same(spec, data):
    first, recorder = run(spec, INPUTS)
    done = recorder.done()
    start = data.draw(st.sampled_from([one.path for one in recorder.started]))
    kept = {path: done[path] for path in walking.kept_before(list(done), start)}
    second, again = run(spec, INPUTS, done=kept)
    assert second.status == first.status
    if first.status == RunStatus.SUCCEEDED:
        assert second.output == first.output
    assert not {one.path for one in again.started} & set(kept)


def steps_of(spec: dict[str, Any]) -> list[tuple[tuple[str | int, ...], dict[str, Any]]]:
    def walk(steps, place):
        for at, step in enumerate(steps):
            yield (*place, at), step
            for slot in ("yes", "no", "steps"):
                yield from walk(step.get(slot, ()), (*place, at, slot))

    return list(walk(spec["steps"], ("steps",)))


BREAKS = {
    "unknown name": lambda step: (
        step.update(failure={"action": "value", "value": "{{nobody}}"}),
        ("failure", "value"),
    ),
    "no target": lambda step: (step.update(failure={"action": "go_to", "go_to": "nowhere"}), ("failure", "go_to")),
    "taken name": lambda step: (step.update(id="a"), ("id",)),
    "no identifier": lambda step: (step.update(id="1 x"), ("id",)),
    "unknown field": lambda step: (step.update(colour="red"), ("colour",)),
    "too often": lambda step: (step.update(failure={"retries": 99}), ("failure", "retries")),
}


@given(workflows(), st.data())
@RANDOM
def test_broken_ones_are_refused_with_step_and_field(spec, data):
    place, step = data.draw(st.sampled_from(steps_of(spec)))
    how = data.draw(st.sampled_from(sorted(BREAKS)))
    step.pop("disabled", None)
    _, field = BREAKS[how](step)
    with pytest.raises(InvalidInput) as refused:
        parse(WorkflowSpec, spec)
    places = {problem.location for problem in refused.value.problems}
    assert (*place, *field) in places, places
    assert all(problem.message.strip() for problem in refused.value.problems)
