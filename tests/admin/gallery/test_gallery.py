"""The templates gallery: four workflows that are there in a click, with their prompts, and run."""

from __future__ import annotations

import pytest
from django.urls import reverse

from llm_admin.choices import ApprovalStatus, Role, RunStatus
from llm_admin.models import Approval, Prompt, Workflow
from llm_admin.services import actors, documents, gallery, prompts, runs
from tests import factories
from tests.services.test_execution import wait_until

PAGE = reverse("admin:llm_admin_gallery")


def use(client, slug):
    return client.post(reverse("admin:llm_admin_gallery_use", args=[slug]))


def test_the_page_shows_four_with_their_steps_and_examples(author):
    html = author.get(PAGE).content.decode()
    assert html.count("Use this<") == 4
    for words in ("Route a support ticket", "Is it a refund?", "Nadia Okafor", "call_split", "how_to_reg"):
        assert words in html


def test_a_click_makes_the_workflow_with_its_prompts_and_opens_it(author, scope):
    answer = use(author, "gallery-triage")
    made = Workflow.objects.get()
    assert answer["Location"] == reverse("admin:llm_admin_workflow_change", args=[made.pk])
    spec = documents.spec_of(documents.version_of(made))
    used = {reference.slug for step in spec.all_steps() if (reference := step.prompt_reference())}
    assert used == set(Prompt.objects.values_list("slug", flat=True))
    assert len(used) == 2
    assert "my lamp (order 48213)" in author.get(answer["Location"]).content.decode()


def test_identical_prompts_are_used_again_and_changed_ones_left_alone(author, scope, system):
    use(author, "gallery-extract")
    use(author, "gallery-extract")
    assert list(Workflow.objects.order_by("pk").values_list("name", flat=True)) == [
        "Read fields into JSON", "Read fields into JSON (2)",
    ]  # fmt: skip
    prompt = Prompt.objects.get()
    prompts.save_version(prompt, actor=system, spec=factories.chat_spec("Something else"), publish=True)
    use(author, "gallery-extract")
    assert set(Prompt.objects.values_list("name", flat=True)) == {"Fields of an invoice", "Fields of an invoice (2)"}


def test_roles(scope, member, login, outsider):
    viewer = login(member(Role.VIEWER))
    assert "Use this<" not in viewer.get(PAGE).content.decode()
    assert use(viewer, "gallery-triage").status_code == 403
    author = login(member())
    assert use(author, "nothing").status_code == 404
    assert author.get(reverse("admin:llm_admin_gallery_use", args=["gallery-triage"])).status_code == 405
    assert login(outsider).get(PAGE).status_code == 403
    assert Workflow.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_each_runs_with_the_demo_model_to_a_sensible_end(scope, member):
    actor = actors.Actor(scope, member(username="ada"), Role.AUTHOR)
    outcomes = {}
    for template in gallery.templates():
        made = gallery.use(template.slug, actor=actor)
        version = documents.version_of(made)
        inputs = {variable.name: variable.default for variable in template.spec.inputs}
        spec = documents.spec_of(version)
        run = runs.start_workflow(actor=actor, workflow=made, spec=spec, version=version, inputs=inputs)
        wait_until(lambda run=run: _rests(run))
        outcomes[template.slug] = (run.status, run.output, run.error_message)
    assert {status for status, _, _ in outcomes.values()} == {RunStatus.SUCCEEDED, RunStatus.WAITING}, outcomes
    assert outcomes["gallery-triage"][1]["category"] == "refund"
    assert outcomes["gallery-extract"][1]["invoice_number"] == "INV-2041"
    assert outcomes["gallery-extract"][1]["amount"] == 1250
    scores = [int(line.split(":")[0]) for line in outcomes["gallery-leads"][1]]
    assert len(scores) == 3
    assert scores[1] == min(scores)  # the student
    asked = Approval.objects.get(status=ApprovalStatus.PENDING)
    assert asked.proposed.startswith("Our new calendar is here.")


def _rests(run):
    run.refresh_from_db()
    return run.status not in (RunStatus.PENDING, RunStatus.RUNNING)
