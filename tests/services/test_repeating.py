"""Running again: the same or changed inputs, from a step on, with the versions of then or of now, one step alone."""

from __future__ import annotations

import pytest

from llm_admin.choices import RunStatus, StoreTexts
from llm_admin.exceptions import InvalidInput, NotFound, PermissionRefused
from llm_admin.models import InteractionLog, Run
from llm_admin.schemas.prompts import MessageSpec, PromptSpec, declare
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import actors, documents, prompts, repeating, runs, shelf
from tests import factories
from tests.services.test_execution import ended

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = [
    {"type": "llm", "id": "draft", "text": "About {{topic}}"},
    {"type": "template", "id": "mid", "text": "<{{draft}}>"},
    {"type": "llm", "id": "final", "text": "Polish {{mid}}"},
]


@pytest.fixture
def ran(scope, system):
    """ran(*steps, topic=...) -> a run that ended."""

    def go(*steps, workflow=None, actor=system, **inputs):
        spec = WorkflowSpec.model_validate({"inputs": [{"name": "topic"}], "steps": list(steps or STEPS)})
        workflow = workflow or factories.workflow(scope, spec=spec)
        version = documents.version_of(workflow)
        run = runs.start_workflow(
            actor=actor, workflow=workflow, spec=spec, version=version, inputs={"topic": "rain"} | inputs
        )
        return ended(run)

    return go


def steps(run):
    return {row.path: row for row in run.steps.all()}


def test_the_same_again_calls_again_and_names_its_origin(ran, system):
    first = ran()
    again = ended(repeating.again(first, actor=system))
    assert again.pk != first.pk
    assert (again.again_of, again.inputs, again.output) == (first, first.inputs, first.output)
    assert InteractionLog.objects.count() == 4
    assert again.workflow_version == first.workflow_version


def test_from_the_third_step_what_came_before_is_kept_and_not_paid_again(ran, system):
    first = ran()
    again = ended(repeating.again(first, actor=system, start="3"))
    assert (again.status, again.output) == (RunStatus.SUCCEEDED, first.output)
    assert [(path, row.reused) for path, row in steps(again).items()] == [("1", True), ("2", True), ("3", False)]
    assert steps(again)["2"].output == steps(first)["2"].output
    assert (again.calls, InteractionLog.objects.filter(run=again).count()) == (1, 1)


def test_from_within_one_entry_of_a_loop_only_that_entry_runs(ran, system):
    inner = [
        {"type": "llm", "id": "one", "text": "1 {{item}}"},
        {"type": "llm", "id": "two", "text": "2 {{item}} {{one}}"},
    ]
    first = ran({"type": "for_each", "id": "all", "items": "topic", "steps": inner}, topic="a\nb\nc")
    again = ended(repeating.again(first, actor=system, start="1[2].2"))
    assert again.output == first.output
    fresh = {path for path, row in steps(again).items() if not row.reused}
    assert fresh == {"1", "1[2].2"}
    assert again.calls == 1


def test_after_a_failure_it_goes_on_at_the_step_that_failed(ran, system):
    first = ran(STEPS[0], {"type": "parser", "id": "data", "format": "json"}, STEPS[1])
    assert (first.status, first.error_step) == (RunStatus.FAILED, "data")
    again = ended(repeating.again(first, actor=system, start="2"))
    assert again.status == RunStatus.FAILED
    assert again.calls == 0


def test_then_is_what_ran_then_and_now_is_what_is_live_now(scope, ran, system):
    prompt = factories.prompt(scope, name="Ask", spec=declare(PromptSpec(messages=[MessageSpec(text="Old {{topic}}")])))
    first = ran({"type": "llm", "id": "answer", "prompt": prompt.slug})
    spec = declare(PromptSpec(messages=[MessageSpec(text="New {{topic}}")]))
    prompts.save_version(prompt, actor=system, spec=spec, publish=True)
    then, now = (ended(repeating.again(first, actor=system, now=now)) for now in (False, True))
    assert "Old rain" in then.output
    assert "New rain" in now.output


def test_other_inputs_are_checked(ran, system):
    first = ran()
    again = ended(repeating.again(first, actor=system, inputs={"topic": "snow"}))
    assert "snow" in again.output
    with pytest.raises(InvalidInput, match="is needed"):
        repeating.again(first, actor=system, inputs={"topic": ""})
    with pytest.raises(InvalidInput, match="no variable"):
        repeating.again(first, actor=system, inputs={"topic": "x", "other": "y"})


def test_prompts_run_again_too(scope, system):
    prompt = factories.prompt(scope)
    version = documents.version_of(prompt)
    first = ended(
        runs.start_prompt(
            actor=system, prompt=prompt, spec=documents.spec_of(version), version=version, inputs={"topic": "rain"}
        )
    )
    again = ended(repeating.again(first, actor=system))
    assert (again.output, again.prompt_version) == (first.output, first.prompt_version)


def test_a_double_click_is_one_run(ran, system):
    first = ran()
    one, two = (repeating.again(first, actor=system, start="3", client_key="k") for _ in range(2))
    assert one.pk == two.pk
    assert ended(one).status == RunStatus.SUCCEEDED
    assert Run.objects.count() == 2


def test_refusals_say_why(scope, ran, system, member):
    first = ran()
    with pytest.raises(NotFound, match="no step 9"):
        repeating.again(first, actor=system, start="9")
    with pytest.raises(InvalidInput, match="same inputs and versions"):
        repeating.again(first, actor=system, start="2", now=True)
    with pytest.raises(PermissionRefused):
        repeating.again(first, actor=actors.Actor(scope, member("viewer"), "viewer"))
    shelf.archive(first.workflow, actor=system)
    first.workflow.refresh_from_db()
    with pytest.raises(InvalidInput, match="archived"):
        repeating.again(first, actor=system)
    scope.store_texts = StoreTexts.NOTHING
    scope.save()
    unkept = ran()
    with pytest.raises(InvalidInput, match="not kept"):
        repeating.again(unkept, actor=system)


# ---- one step alone


def spec_of(*some):
    return WorkflowSpec.model_validate({"inputs": [{"name": "topic"}], "steps": list(some)})


def test_a_step_is_tried_alone_with_the_values_that_it_needs(scope, system):
    spec = spec_of(*STEPS)
    assert repeating.names_for_step(spec, ("steps", 2)) == ["mid"]
    run = ended(
        repeating.try_step(actor=system, workflow=None, spec=spec, location=("steps", 2), values={"mid": "<my words>"})
    )
    assert "Polish <my words>" in run.output
    assert [row.step_id for row in run.steps.all()] == ["final"]
    assert (run.calls, run.title) == (1, "Trying the step “final”")


def test_the_step_before_is_given_by_its_name(scope, system):
    spec = spec_of(STEPS[0], {"type": "parser", "id": "list", "format": "list"})
    assert repeating.names_for_step(spec, ("steps", 1)) == ["draft"]
    run = ended(
        repeating.try_step(actor=system, workflow=None, spec=spec, location=("steps", 1), values={"draft": "- a\n- b"})
    )
    assert run.output == ["a", "b"]


def test_a_nested_step_and_values_that_are_not_texts(scope, system):
    inner = [
        {"type": "set", "id": "one", "value": "{{item.name}}"},
        {"type": "template", "id": "two", "text": "{{one}}!"},
    ]
    spec = spec_of({"type": "for_each", "id": "all", "items": "topic", "steps": inner})
    place = ("steps", 0, "steps", 0)
    assert repeating.names_for_step(spec, place) == ["item"]
    run = ended(
        repeating.try_step(actor=system, workflow=None, spec=spec, location=place, values={"item": {"name": "Ann"}})
    )
    assert run.output == "Ann"


def test_a_step_with_steps_in_it_is_tried_with_them(scope, system):
    branch = {
        "type": "branch",
        "id": "way",
        "conditions": [{"value": "topic", "operator": "is", "to": "rain"}],
        "yes": [{"type": "template", "id": "wet", "text": "wet {{draft}}"}],
        "failure": {"action": "go_to", "go_to": "end"},
    }
    spec = spec_of(STEPS[0], branch, {"type": "template", "id": "end", "text": "x"})
    assert set(repeating.names_for_step(spec, ("steps", 1))) == {"topic", "draft"}
    values = {"topic": "Rain", "draft": "day"}
    run = ended(repeating.try_step(actor=system, workflow=None, spec=spec, location=("steps", 1), values=values))
    assert run.output == "wet day"


@pytest.mark.parametrize("place", [("steps", 9), ("steps",), ("steps", 0, "yes", 0), ("steps", "x"), (), ("steps", -1)])
def test_a_place_without_a_step_is_not_found(place):
    with pytest.raises(NotFound):
        repeating.names_for_step(spec_of(*STEPS), place)


def test_missing_values_are_named(scope, system):
    with pytest.raises(InvalidInput, match="Give a value for: mid"):
        repeating.try_step(actor=system, workflow=None, spec=spec_of(*STEPS), location=("steps", 2), values={})


def test_entries_that_failed_and_were_left_empty_stay_so(ran, system):
    inner = [
        {"type": "template", "id": "copy", "text": "{{item}}"},
        {"type": "parser", "id": "number", "source": "copy", "format": "number"},
        {"type": "llm", "id": "say", "text": "{{number}}"},
    ]
    loop = {"type": "for_each", "id": "all", "items": "topic", "if_one_fails": "leave_empty", "steps": inner}
    first = ran(loop, topic="1\nx\n3")
    again = ended(repeating.again(first, actor=system, start="1[3].3"))
    assert (again.output, again.output[1]) == (first.output, None)
    assert {path for path, row in steps(again).items() if not row.reused} == {"1", "1[3].3"}
    anew = ended(repeating.again(first, actor=system, start="1[2].2"))
    assert {path for path, row in steps(anew).items() if not row.reused} == {"1", "1[2].2"}
