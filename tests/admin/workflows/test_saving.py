"""Saving from the studio: versions, Live, what is refused and where, conflicts, deleting."""

from __future__ import annotations

import pytest
from django.urls import reverse

from llm_admin.models import Workflow
from llm_admin.services import documents, workflows
from tests import factories
from tests.admin.workflows.pages import (
    ADD,
    LIST,
    data,
    numbers,
    page,
    posted,
    run,
    spec,
)


def test_the_first_version_is_live(author, prompt):
    answer = author.post(ADD, posted(name="Fresh", note="begun", _publish=""))
    made = Workflow.objects.get(name="Fresh")
    assert answer.url == page(made)
    assert numbers(made) == (1, 1)
    saved = documents.spec_of(documents.newest(made))
    assert saved == spec()
    assert documents.newest(made).note == "begun"


def test_a_variable_left_empty_is_not_mapped(author, prompt):
    author.post(ADD, posted(name="Fresh"))
    step = documents.spec_of(documents.newest(Workflow.objects.get(name="Fresh"))).steps[0]
    assert [(m.name, m.value) for m in step.inputs] == [("product", "A {{thing}}")]


def test_a_draft_is_a_new_version_and_live_stays(author, workflow):
    answer = author.post(page(workflow), posted(data("Third"), note="tighter", _draft=""), follow=True)
    assert "Saved as draft v3. Live is still v1." in answer.content.decode()
    assert numbers(workflow) == (3, 1)
    assert documents.spec_of(documents.version_of(workflow, number=2)).steps[1].title == "Second"
    assert documents.version_of(workflow, number=3).created_by.username == "ada"


def test_publishing_moves_live(author, workflow):
    answer = author.post(page(workflow), posted(data("Third"), _publish=""), follow=True)
    assert "v3 is saved, and Live now." in answer.content.decode()
    assert numbers(workflow) == (3, 3)


def test_what_is_the_newest_version_already_makes_no_new_one(author, workflow):
    answer = author.post(page(workflow), posted(data("Second"), name="Renamed", _draft=""), follow=True)
    assert "so there is no new version" in answer.content.decode()
    assert numbers(workflow) == (2, 1)
    assert Workflow.objects.get().name == "Renamed"
    author.post(page(workflow), posted(data("Second"), name="Renamed", _publish=""))
    assert numbers(workflow) == (2, 2)


def test_restoring_makes_a_new_version(author, workflow):
    url = reverse("admin:llm_admin_workflow_restore", args=[workflow.pk])
    assert "v1 is restored as v3" in author.post(url, {"number": 1}, follow=True).content.decode()
    assert numbers(workflow) == (3, 1)
    assert author.get(url).status_code == 405
    assert author.post(url, {"number": 77}).status_code == 404


def test_what_is_refused_comes_back_whole_with_its_places(author, workflow):
    raw = data()
    raw["steps"][0]["inputs"]["audience"] = "{{nobody}}"
    raw["steps"][1]["parameters"] = {"temperature": 1.5, "max_tokens": None, "top_p": None, "stop": ["END"]}
    answer = author.post(page(workflow), posted(raw, name="Other name", note="why"))
    assert answer.status_code == 422
    assert answer.context["summary"] == [
        "Step 1, What the prompt's variables get: Nothing before this step is called “nobody”."
    ]
    problem = answer.context["state"]["problems"][0]
    assert problem["location"] == ("steps", 0, "inputs", "audience"), "by the variable, as the form has it"
    html = answer.content.decode()
    for typed in ("Other name", "why", "{{nobody}}", "END", "The thing"):
        assert typed in html
    assert answer.context["cards"][0].data["inputs"]["audience"] == "{{nobody}}"
    assert answer.context["cards"][1].data["parameters"]["temperature"] == 1.5
    assert numbers(workflow) == (2, 1)
    assert Workflow.objects.get().name == "Product page"


def test_several_problems_are_told_at_once_in_words(author, prompt):
    raw = data(output="nothing")
    raw["inputs"].append({"name": "no good"})
    raw["steps"][1]["id"] = ""
    raw["steps"].append({"type": "magic", "id": "x"})
    answer = author.post(ADD, posted(raw))
    assert answer.status_code == 422
    summary = "\n".join(answer.context["summary"])
    assert "Input 3, Name: A name has letters, digits and underscores" in summary
    assert "Step 2, Result name: This must not be empty." in summary
    assert "Step 3: There is no step type “magic”" in summary
    assert "steps ›" not in summary


@pytest.mark.parametrize("fields", [{"name": " "}, {"name": "WEATHER  plan"}])
def test_a_name_is_needed_and_taken_once(author, workflow, scope, fields):
    factories.workflow(scope, name="Weather plan")
    answer = author.post(page(workflow), posted(data("Third"), **fields))
    assert answer.status_code == 422
    assert answer.context["state"]["problems"][0]["location"] == ("name",)
    assert numbers(workflow) == (2, 1), "nothing of it was saved"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"steps": 7}', "[" * 100_000])
def test_a_form_that_did_not_arrive_whole_saves_nothing(author, workflow, text):
    answer = author.post(page(workflow), posted(text or " "))
    assert answer.status_code == 422
    assert "did not arrive whole" in answer.content.decode()
    assert numbers(workflow) == (2, 1)


@pytest.mark.parametrize(
    "step",
    [
        {"type": "llm", "id": "a", "inputs": 5},
        {"type": "llm", "id": "a", "inputs": "nonsense"},
        {"type": "llm", "id": "a", "inputs": [1, {"value": 3}]},
        {"type": "llm", "id": "a", "inputs": {"b": 3, "": ["x"]}},
        {"type": "llm", "id": ["a"], "prompt": {"x": 1}, "prompt_label": 7, "parameters": None},
        {"type": ["llm"], "id": "a"},
        {"type": "prompt"},
        {"id": "a"},
        [],
        None,
    ],
)
def test_whatever_a_hand_made_request_holds_is_refused_with_a_place(author, step):
    for answer in (author.post(ADD, posted(data(steps=[step]))), run(author, raw=data(steps=[step]))):
        assert answer.status_code == 422
        assert "Step 1" in answer.content.decode()


def test_a_secret_in_a_text_is_refused_at_its_step(author, prompt):
    key = "sk-" + "abcdefghij0123456789" * 2
    raw = data(steps=[{"type": "llm", "id": "answer", "text": f"Use {key}"}])
    answer = author.post(ADD, posted(raw))
    assert answer.status_code == 422
    assert answer.context["summary"][0].startswith("Step 1, Text: This text holds")


def test_a_conflict_keeps_everything_and_saving_again_is_a_choice(author, workflow, system):
    workflows.save_version(workflow, actor=system, spec=spec(title="Somebody else's"))
    answer = author.post(page(workflow), posted(data("Mine"), _publish=""))
    assert answer.status_code == 409
    assert "saved v3 since you opened this page" in answer.context["draft"].conflict
    assert answer.context["cards"][1].data["title"] == "Mine"
    assert numbers(workflow) == (3, 1)
    author.post(page(workflow), posted(data("Mine"), based_on=answer.context["draft"].based_on, _publish=""))
    assert numbers(workflow) == (4, 4)


def test_deleting_one_and_several(author, workflow, scope):
    more = [factories.workflow(scope, name=f"Extra {n}", spec=spec()) for n in range(2)]
    url = reverse("admin:llm_admin_workflow_delete", args=[workflow.pk])
    assert "with its 2 versions" in author.get(url).content.decode()
    assert author.post(url, {"post": "yes"}).status_code == 302
    chosen = {"action": "delete_selected", "_selected_action": [one.pk for one in more], "post": "yes"}
    assert author.post(LIST, chosen).status_code == 302
    assert not Workflow.objects.exists()
