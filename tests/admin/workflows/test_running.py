"""Running what stands in the studio, saved or not."""

from __future__ import annotations

import json
import time

import pytest
from django.urls import reverse

from llm_admin.choices import Role, RunSource
from llm_admin.models import LanguageModel, Run, Workflow
from llm_admin.services import documents
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.admin.workflows.pages import (
    RUN,
    data,
    page,
    run,
)


def test_unsaved_steps_can_be_run(author, prompt):
    assert run(author).status_code == 200
    started = Run.objects.get()
    assert (started.source, started.title, started.workflow) == (RunSource.STUDIO, "New workflow (not saved)", None)
    assert started.inputs == {"thing": "kite", "audience": "everyone"}
    assert started.spec["prompts"]["brief"]["slug"] == "weather-report"
    assert not Workflow.objects.exists()


def test_a_version_is_named_only_while_it_is_unchanged(author, workflow):
    run(author, workflow, data("Second"))
    run(author, workflow, data("Changed"))
    newer, older = Run.objects.all()
    assert (older.title, older.workflow_version.number) == ("Product page v2", 2)
    assert (newer.title, newer.workflow_version) == ("Product page (unsaved changes)", None)
    assert newer.workflow == workflow


def test_the_answer_is_a_panel_with_every_step_to_come(author, workflow):
    html = run(author, workflow).content.decode()
    assert 'data-step="1"' in html
    assert 'data-step="2"' in html
    assert "data-run-open" in html


def test_a_double_click_is_one_run(author, workflow):
    first = run(author, workflow, client_key="abc")
    again = run(author, workflow, client_key="abc")
    assert Run.objects.count() == 1
    assert first.context["run"].pk == again.context["run"].pk


def test_a_model_for_all_steps(author, workflow, scope):
    LanguageModel.objects.create(workspace=scope, alias="fast", name="Fast")
    run(author, workflow, model="fast")
    assert Run.objects.get().spec["model"] == "fast"


def test_what_cannot_run_is_told_at_its_place(author, workflow):
    raw = data()
    raw["steps"][1]["messages_from"] = "nowhere"
    answer = run(author, workflow, raw)
    assert answer.status_code == 422
    assert "Step 2, Messages from: Nothing before this step is called “nowhere”." in answer.content.decode()
    shown = json.loads(answer.headers["HX-Trigger"])["llm:problems"]["problems"]
    assert shown[0]["location"] == ["steps", 1, "messages_from"]
    assert not Run.objects.exists()


def test_a_missing_input_is_told_at_the_run_form(author, workflow):
    answer = run(author, workflow, **{"input-thing": ""})
    assert answer.status_code == 422
    shown = json.loads(answer.headers["HX-Trigger"])["llm:problems"]["problems"]
    assert shown == [{"location": ["inputs", "thing"], "message": "“The thing” is needed; fill it in."}]


def test_a_prompt_that_is_gone_is_told_at_its_step(author, workflow, prompt, system):
    documents.delete(prompt, actor=system)
    answer = run(author, workflow)
    assert answer.status_code == 422
    assert "Step 1, Prompt: There is no prompt “weather-report”" in answer.content.decode()


def test_recent_runs_are_one_s_own(author, workflow, member, login):
    run(author, workflow)
    url = reverse("admin:llm_admin_workflow_runs", args=[workflow.pk])
    shown = author.get(url).content.decode()
    assert reverse("admin:llm_admin_run_change", args=[Run.objects.get().pk]) in shown
    other = login(member(Role.AUTHOR)).get(url).content.decode()
    assert "You have not run this workflow yet" in other


@pytest.mark.django_db(transaction=True)
def test_a_run_from_the_studio_goes_through_all_its_steps(workspace, member, login):
    with workspace_scope(workspace):
        workflow = factories.workflow(workspace, name="Titles")
        client = login(member(Role.AUTHOR))
        raw = documents.spec_of(documents.newest(workflow)).model_dump(mode="json")
        answer = client.post(
            RUN, {"spec": json.dumps(raw), "workflow": workflow.pk, "version": 1, "input-topic": "rain"}
        )
        assert answer.status_code == 200
        started = Run.objects.get()
        deadline = time.monotonic() + 30
        while started.is_open and time.monotonic() < deadline:
            time.sleep(0.05)
            started.refresh_from_db()
        assert started.status == "succeeded"
        assert [step.step_id for step in started.steps.all()] == ["question", "answer", "data"]
        assert "title" in started.output
        again = client.get(page(workflow, run=started.pk)).content.decode()
        assert 'data-step="3"' in again
        assert "Outcome" in again


def test_recent_runs_name_their_version_or_say_that_it_was_not_saved(author, workflow):
    run(author, workflow, data("Second"))
    run(author, workflow, data("Changed"))
    html = author.get(reverse("admin:llm_admin_workflow_runs", args=[workflow.pk])).content.decode()
    assert html.index("Unsaved steps") < html.index(">v2<")
