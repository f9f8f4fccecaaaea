"""Running again: as it was or as it is now, with the same inputs or others, or from a step on; and sharing a run."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone

from llm_admin.choices import Role, RunStatus, StepStatus
from llm_admin.models import Run, RunStep
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import actors, documents, planning, shelf, workflows
from tests import factories, log_rows


def spec(text="About {{topic}}", inputs=("topic",)):
    return WorkflowSpec.model_validate(
        {
            "inputs": [{"name": name, "required": False} for name in inputs],
            "steps": [
                {"type": "template", "id": "first", "title": "First", "text": text},
                {"type": "template", "id": "second", "title": "Second", "text": "{{first}}!"},
                {"type": "template", "id": "third", "title": "Third", "text": "{{second}}?"},
            ],
        }
    )


@pytest.fixture
def workflow(scope):
    made = factories.workflow(scope, name="Letters", spec=spec())
    workflows.save_version(made, actor=actors.system(scope), spec=spec(inputs=("topic", "tone")), publish=True)
    return made


@pytest.fixture
def run(scope, workflow, ada):
    """Of v1, with three steps; Live is v2 by now."""
    version = documents.version_of(workflow, number=1)
    made = planning.plan_workflow(
        actor=actors.Actor(scope, ada, Role.AUTHOR), workflow=workflow, spec=documents.spec_of(version),
        version=version, inputs={"topic": "rain"}, source="studio",
    )  # fmt: skip
    made.status, made.started_at, made.ended_at = RunStatus.SUCCEEDED, timezone.now(), timezone.now()
    made.save(force_insert=True)
    for path, step_id in (("1", "first"), ("2", "second"), ("3", "third")):
        RunStep.objects.create(
            run=made, path=path, step_id=step_id, type="template", title=step_id, status=StepStatus.SUCCEEDED,
            output=f"result of {step_id}", started_at=timezone.now(), ended_at=timezone.now(),
        )  # fmt: skip
    return made


def page(one):
    return reverse("admin:llm_admin_run_change", args=[one.pk])


def again(one):
    return reverse("admin:llm_admin_run_again", args=[one.pk])


def from_step(client, one, start, **fields):
    return client.post(reverse("admin:llm_admin_run_again_from", args=[one.pk]), {"start": start} | fields)


def newest(besides):
    return Run.objects.exclude(pk=besides.pk).get()


def test_the_form_says_which_versions_and_has_the_inputs_of_then(author, run):
    html = author.get(again(run)).content.decode()
    for words in ("As it was then: v1", "As it is now: Live, v2", "rain</textarea>"):
        assert words in html
    assert "input-tone" not in html
    assert "input-tone" in author.get(again(run), {"now": "1", "input-topic": "rain"}).content.decode()


def test_as_it_was_with_other_inputs(author, run):
    answer = author.post(again(run), {"input-topic": "snow", "now": ""})
    made = newest(run)
    assert (answer.status_code, answer["Location"]) == (302, page(made))
    assert (made.inputs, made.workflow_version_id, made.again_of) == ({"topic": "snow"}, run.workflow_version_id, run)
    assert made.title == "Letters v1"


def test_as_it_is_now(author, run):
    author.post(again(run), {"input-topic": "snow", "input-tone": "dry", "now": "1"})
    made = newest(run)
    assert (made.title, made.inputs) == ("Letters v2", {"topic": "snow", "tone": "dry"})


def test_a_double_click_is_one_run(author, run):
    fields = {"input-topic": "snow", "client_key": "abc"}
    assert author.post(again(run), fields)["Location"] == author.post(again(run), fields)["Location"]
    assert Run.objects.count() == 2


def test_from_the_third_step_the_first_two_are_kept(author, run):
    answer = from_step(author, run, "3", client_key="abc")
    made = newest(run)
    assert answer["Location"] == page(made)
    assert [(row.path, row.reused, row.output) for row in made.steps.all()] == [
        ("1", True, "result of first"),
        ("2", True, "result of second"),
    ]
    assert from_step(author, run, "3", client_key="abc")["Location"] == page(made)
    html = author.get(page(made)).content.decode()
    assert html.count("llm-step-kept") == 2
    assert f'href="{page(run)}">the run before' in html
    assert page(made) in author.get(page(run)).content.decode()


def test_what_cannot_be_repeated_says_why(author, ada, run, workflow, scope):
    shelf.archive(workflow, actor=actors.system(scope))
    answer = author.post(again(run), {"input-topic": "snow"})
    assert (answer.status_code, "is archived" in answer.content.decode()) == (422, True)
    bare = log_rows.run(scope, owner=ada)
    assert "keeps no texts" in author.get(page(bare)).content.decode()
    assert author.get(again(bare)).status_code == 422
    assert from_step(author, run, "9").status_code in (404, 422)
    assert from_step(author, run, "").status_code == 422
    assert Run.objects.count() == 2


def test_roles_and_workspaces(member, login, outsider, run):
    run.shared = True
    run.save(update_fields=["shared"])
    share = reverse("admin:llm_admin_run_share", args=[run.pk])
    viewer = login(member(Role.VIEWER))
    assert viewer.get(page(run)).status_code == 200
    assert viewer.get(again(run)).status_code == 403
    assert viewer.post(again(run), {"input-topic": "x"}).status_code == 403
    assert from_step(viewer, run, "2").status_code == 403
    assert viewer.post(share, {}).status_code == 403
    assert "Run again" not in viewer.get(page(run)).content.decode()
    stranger = login(factories.member(factories.workspace(), role=Role.ADMIN))
    assert stranger.post(again(run), {}).status_code == 404
    assert from_step(stranger, run, "2").status_code == 404
    assert login(outsider).post(again(run), {}).status_code == 403
    assert Run.objects.count() == 1


def test_only_sharing_shows_a_run_to_a_colleague(author, member, run, client):
    colleague = member(username="bo")
    share = reverse("admin:llm_admin_run_share", args=[run.pk])

    def seen_by_colleague():
        client.force_login(colleague, backend="llm_admin.auth.WorkspaceBackend")
        status, posted = client.get(page(run)).status_code, client.post(share, {"shared": ""}).status_code
        return status, posted

    def as_ada():
        client.force_login(run.owner, backend="llm_admin.auth.WorkspaceBackend")

    assert seen_by_colleague() == (404, 404)
    as_ada()
    assert client.post(share, {"shared": "1"}).status_code == 302
    assert "may open this page" in client.get(page(run)).content.decode()
    assert seen_by_colleague() == (200, 403)
    as_ada()
    client.post(share, {"shared": ""})
    assert seen_by_colleague() == (404, 404)
