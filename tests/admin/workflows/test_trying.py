"""“Try this step”: its form with the last run's values, and the run of that step alone."""

from __future__ import annotations

import json
import time

import pytest

from llm_admin.choices import Role, RunSource
from llm_admin.models import Run, RunStep
from llm_admin.services import documents
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.admin.workflows.pages import TRY, TRY_FIELDS, branch_step, data, loop_step, text_step

PARSER = {"type": "parser", "id": "facts", "source": "thing", "format": "json"}
STEPS = [PARSER, branch_step([text_step("b", "{{facts.a}} of {{thing}}")], [text_step("d")]), text_step("e", "{{way}}")]
INNER = ["steps", 1, "yes", 0]


def asked(client, location, steps=STEPS, url=TRY_FIELDS, **fields):
    raw = fields.pop("raw", None) or data(steps=steps)
    return client.post(url, {"spec": json.dumps(raw), "location": json.dumps(location), **fields})


def values_of(answer):
    return {one["name"]: one["value"] for one in answer.context["fields"]}


def ran(workflow, owner, values, steps=()):
    run = Run.objects.create(
        workspace=workflow.workspace,
        kind="workflow",
        workflow=workflow,
        title="Before",
        spec={},
        inputs=values,
        status="succeeded",
        source=RunSource.STUDIO,
        owner=owner,
        created_at=workflow.created_at,
    )
    for path, step_id, given, output in steps:
        RunStep.objects.create(
            run=run, path=path, step_id=step_id, type="x", input=given, output=output, started_at=workflow.created_at
        )
    return run


def test_there_is_a_field_for_each_name_that_the_step_uses(author, scope):
    answer = asked(author, INNER)
    assert answer.status_code == 200
    assert values_of(answer) == {"facts": "", "thing": ""}
    kinds = {one["name"]: one.get("kind") for one in answer.context["fields"]}
    assert kinds == {"facts": "json", "thing": None}, "an input has the kind that was declared"
    assert "There is no earlier run" in answer.content.decode()


def test_the_last_run_s_values_are_filled_in(author, ada, workflow, scope):
    ran(workflow, ada, {"thing": "old"}, [("1", "facts", {"thing": "old"}, {"a": "old"})])
    ran(workflow, ada, {"thing": "kite"}, [("1", "facts", {"thing": "kite"}, {"a": 1, "b": [2]})])
    answer = asked(author, INNER, workflow=workflow.pk)
    assert values_of(answer)["thing"] == "kite"
    assert json.loads(values_of(answer)["facts"]) == {"a": 1, "b": [2]}
    html = answer.content.decode()
    assert html.count("data-last=") == 2
    assert "Copy last run’s values" in html


def test_a_step_in_a_loop_gets_what_one_entry_gave_it(author, ada, workflow, scope):
    steps = [loop_step(text_step("c", "{{item}} and {{thing}}"))]
    ran(workflow, ada, {"thing": "x"}, [("1[2].1", "c", {"item": "second", "thing": "x"}, "second and x")])
    assert values_of(asked(author, ["steps", 0, "steps", 0], steps, workflow=workflow.pk)) == {
        "item": "second",
        "thing": "x",
    }


def test_other_people_s_runs_fill_nothing_in(author, member, workflow, scope):
    ran(workflow, member(Role.AUTHOR, "otto"), {"thing": "secret"})
    assert "secret" not in asked(author, INNER, workflow=workflow.pk).content.decode()


def test_what_a_prompt_takes_by_name_is_asked_for_too(author, prompt, scope):
    steps = [{"type": "prompt", "id": "brief", "prompt": "weather-report", "inputs": {"product": "A {{thing}}"}}]
    assert list(values_of(asked(author, ["steps", 0], steps))) == ["audience", "thing"]


def test_a_problem_of_the_steps_is_told_before_anything_runs(author, scope):
    answer = asked(author, ["steps", 0], [text_step("a"), text_step("b", "{{nowhere}}")])
    assert answer.status_code == 422
    assert "Step 2, Text: Nothing before this step is called “nowhere”." in answer.content.decode()


def test_a_value_of_the_wrong_kind_is_told_at_its_field(author, scope):
    fields = {"value-facts": "{", "kind-facts": "json", "value-thing": "kite"}
    answer = asked(author, INNER, url=TRY, **fields)
    assert answer.status_code == 422
    (told,) = json.loads(answer.headers["HX-Trigger"])["llm:problems"]["problems"]
    assert told["location"] == ["values", "facts"]
    assert told["message"].startswith("“facts” is not JSON")
    assert not Run.objects.exists()


def test_what_the_step_s_prompt_lacks_is_told_at_its_own_number(author, prompt, scope, system):
    steps = [text_step("a"), {"type": "prompt", "id": "brief", "prompt": "weather-report", "inputs": {}}]
    documents.delete(prompt, actor=system)
    answer = asked(author, ["steps", 1], steps, url=TRY)
    assert answer.status_code == 422
    assert "Step 2, Prompt: There is no prompt “weather-report”" in answer.content.decode()


@pytest.mark.parametrize("location", ["", "7", "[]", '["steps", 9]', '["steps", 1, "maybe", 0]', '["steps", {"a": 1}]'])
def test_a_place_where_no_step_is_has_nothing_to_try(author, scope, location):
    for url in (TRY, TRY_FIELDS):
        answer = author.post(url, {"spec": json.dumps(data(steps=STEPS)), "location": location})
        assert answer.status_code in (404, 422)


def test_trying_is_for_those_who_may_run(reader, scope, workflow):
    for url in (TRY, TRY_FIELDS):
        assert asked(reader, INNER, url=url).status_code == 403
        assert reader.get(url).status_code == 405
    assert not Run.objects.exists()


def test_another_workspace_s_workflow_is_not_found(author, scope):
    elsewhere = factories.workspace()
    with workspace_scope(elsewhere):
        theirs = factories.workflow(elsewhere, name="Secret plan")
    for url in (TRY, TRY_FIELDS):
        assert asked(author, INNER, url=url, workflow=theirs.pk).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_only_that_step_runs_with_the_values_that_were_typed(workspace, member, login):
    with workspace_scope(workspace):
        client = login(member(Role.AUTHOR))
        fields = {"value-facts": '{"a": "three"}', "kind-facts": "json", "value-thing": "kites", "client_key": "k"}
        answer = asked(client, INNER, url=TRY, **fields)
        assert answer.status_code == 200
        assert "data-run-open" in answer.content.decode() or "three of kites" in answer.content.decode()
        again = asked(client, INNER, url=TRY, **fields)
        assert again.context["run"].pk == answer.context["run"].pk, "a double click is one run"
        started = Run.objects.get()
        deadline = time.monotonic() + 30
        while started.is_open and time.monotonic() < deadline:
            time.sleep(0.05)
            started.refresh_from_db()
        assert (started.status, started.output) == ("succeeded", "three of kites")
        assert [step.step_id for step in started.steps.all()] == ["b"]
