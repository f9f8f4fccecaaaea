"""The studio's page: what it shows and offers, and to whom."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils.html import escape

from llm_admin.choices import Role
from llm_admin.models import LanguageModel, Membership, Run, Workflow, WorkflowVersion
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import documents, workflows
from llm_admin.tenancy import across_workspaces, workspace_scope
from tests import factories
from tests.admin.workflows.pages import (
    ADD,
    CARD,
    FIELDS,
    RUN,
    choices,
    page,
    posted,
    queries_of,
    spec,
)


def test_a_new_workflow_begins_empty_with_every_step_type_on_offer(author):
    answer = author.get(ADD)
    assert answer.status_code == 200
    assert answer.context["cards"] == []
    html = answer.content.decode()
    for name in STEP_SPECS.names():
        assert f'data-type="{name}"' in html
        assert escape(STEP_SPECS.get(name).help) in html


def test_the_newest_version_is_opened_and_live_is_named(author, workflow):
    answer = author.get(page(workflow))
    html = answer.content.decode()
    assert [card.data["id"] for card in answer.context["cards"]] == ["brief", "answer"]
    assert answer.context["cards"][1].data["title"] == "Second"
    assert "Live: v1" in html
    assert "You are editing <strong>v3</strong>" in html


def test_an_older_version_can_be_opened(author, workflow):
    answer = author.get(page(workflow, version=1))
    assert answer.context["cards"][1].data["title"] == ""
    assert "from v1" in answer.content.decode()
    assert author.get(page(workflow, version=9)).status_code == 404


def test_every_card_is_a_jsonform_of_its_own_type_without_unions(author, workflow):
    html = author.get(page(workflow)).content.decode()
    assert html.count("data-django-jsonform-container") == 4  # the inputs, two steps, and the named outputs
    for card in author.get(page(workflow)).context["cards"]:
        assert card.schema["properties"]["type"]["const"] == card.type.name
        assert "oneOf" not in str(card.schema)
        assert "anyOf" not in str(card.schema)


def test_pickers_offer_prompts_switched_on_models_and_labels(author, workflow, prompt, scope, system):
    LanguageModel.objects.create(workspace=scope, alias="old", name="Old one", enabled=False)
    documents.move_label(prompt, actor=system, label="staging", number=1)
    brief, answer = author.get(page(workflow)).context["cards"]
    assert choices(brief, "prompt") == ["weather-report"]
    assert choices(brief, "prompt_label") == ["", "staging"]
    assert choices(answer, "prompt") == ["", "weather-report"]
    assert choices(answer, "model") == ["", "demo"]


def test_a_prompt_that_was_deleted_stays_visible_as_gone(author, workflow, prompt, system):
    documents.delete(prompt, actor=system)
    brief = author.get(page(workflow)).context["cards"][0]
    assert brief.schema["properties"]["prompt"]["choices"][-1]["title"] == "weather-report (not there any more)"
    assert brief.data["inputs"] == {"product": "A {{thing}}"}
    assert list(brief.schema["properties"]["inputs"]["properties"]) == ["product"]


def test_a_card_maps_each_variable_of_its_prompt(author, workflow):
    mapping = author.get(page(workflow)).context["cards"][0].schema["properties"]["inputs"]
    assert list(mapping["properties"]) == ["product", "audience"]
    assert mapping["properties"]["audience"]["placeholder"] == "{{audience}}"


@pytest.mark.slow  # rows by the hundred
def test_the_studio_takes_equally_many_queries_with_3_and_300_versions(author, workflow, system):
    workflows.save_version(workflow, actor=system, spec=spec(title="Version 3"))
    few = queries_of(author, page(workflow))
    for number in range(4, 301):
        workflows.save_version(workflow, actor=system, spec=spec(title=f"Version {number}"))
    assert workflow.versions.count() == 300
    assert queries_of(author, page(workflow)) == few


@pytest.mark.slow  # rows by the hundred
def test_the_studio_takes_equally_many_queries_with_3_and_300_prompts(author, workflow, scope):
    for _ in range(2):
        factories.prompt(scope)
    few = queries_of(author, page(workflow))
    for _ in range(297):
        factories.prompt(scope)
    assert len(choices(author.get(page(workflow)).context["cards"][0], "prompt")) == 300
    assert queries_of(author, page(workflow)) == few


@pytest.mark.slow  # rows by the hundred
def test_the_studio_takes_equally_many_queries_with_3_and_300_workflows(author, workflow, scope):
    for _ in range(2):
        factories.workflow(scope, spec=spec())
    few = queries_of(author, page(workflow))
    for _ in range(297):
        factories.workflow(scope, spec=spec())
    assert Workflow.objects.count() == 300
    assert queries_of(author, page(workflow)) == few


def test_the_studio_takes_equally_many_queries_with_3_and_60_steps(author, prompt, scope):
    """Each with a prompt of its own, whose variables its card shows."""
    slugs = [factories.prompt(scope).slug for _ in range(60)]

    def with_steps(count):
        steps = [{"type": "prompt", "id": f"s{n}", "prompt": slug} for n, slug in enumerate(slugs[:count])]
        return factories.workflow(scope, spec=WorkflowSpec.model_validate({"steps": steps}))

    few, many = with_steps(3), with_steps(60)
    assert len(author.get(page(many)).context["cards"]) == 60
    assert queries_of(author, page(many)) == queries_of(author, page(few))


def test_a_viewer_reads_and_can_change_nothing(reader, workflow):
    html = reader.get(page(workflow)).content.decode()
    assert "You are reading <strong>v2</strong>" in html
    assert html.count("&quot;readonly&quot;: true") == 4
    for word in ("Save draft", "Add model step", "llm-run-form", "Restore"):
        assert word not in html
    before = WorkflowVersion.objects.count()
    urls = [ADD, page(workflow), RUN, FIELDS, reverse("admin:llm_admin_workflow_restore", args=[workflow.pk])]
    for url in urls:
        assert reader.post(url, posted(name="Taken over", number=1, workflow=workflow.pk)).status_code == 403
    assert reader.get(CARD, {"type": "llm"}).status_code == 403
    workflow.refresh_from_db()
    assert (workflow.name, WorkflowVersion.objects.count(), Run.objects.count()) == ("Product page", before, 0)


def test_a_workflow_of_another_workspace_is_not_found(author, scope):
    elsewhere = factories.workspace()
    with workspace_scope(elsewhere):
        theirs = factories.workflow(elsewhere, name="Secret plan")
    assert author.get(page(theirs)).status_code == 404
    assert author.post(page(theirs), posted()).status_code == 404
    assert author.post(RUN, posted(workflow=theirs.pk)).status_code == 404
    assert author.get(reverse("admin:llm_admin_workflow_runs", args=[theirs.pk])).status_code == 404


def test_a_member_of_both_workspaces_is_taken_to_the_other_one(member, login, scope):
    elsewhere = factories.workspace("Legal")
    person = member(Role.AUTHOR)
    with across_workspaces():
        Membership.objects.create(workspace=elsewhere, user=person, role=Role.AUTHOR)
    with workspace_scope(elsewhere):
        theirs = factories.workflow(elsewhere, name="Contracts")
    answer = login(person).get(page(theirs), follow=True)
    assert answer.status_code == 200
    assert "Contracts" in answer.content.decode()
