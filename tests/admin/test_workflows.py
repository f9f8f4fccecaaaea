"""The list of workflows and the studio: what is shown, offered, saved, refused and run, and by whom."""

from __future__ import annotations

import json
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.choices import Role, RunSource
from llm_admin.models import LanguageModel, Membership, Run, Workflow, WorkflowVersion
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.schemas.steps.base import StepSpec
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import actors, catalogue, documents, prompts, workflows
from llm_admin.tenancy import across_workspaces, workspace_scope
from tests import factories

LIST = reverse("admin:llm_admin_workflow_changelist")
ADD = reverse("admin:llm_admin_workflow_add")
CARD = reverse("admin:llm_admin_workflow_card")
FIELDS = reverse("admin:llm_admin_workflow_fields")
VARIABLES = reverse("admin:llm_admin_workflow_variables")
RUN = reverse("admin:llm_admin_workflow_run")


@pytest.fixture
def author(member, login):
    return login(member(Role.AUTHOR, "ada"))


@pytest.fixture
def reader(member, login):
    return login(member(Role.VIEWER, "vera"))


@pytest.fixture
def prompt(scope):
    """Wants a product and an audience."""
    return factories.prompt(scope, name="Weather report", spec=factories.chat_spec("{{product}} for {{audience}}"))


@pytest.fixture
def workflow(scope, prompt):
    """v1 is Live, v2 a draft with another title."""
    made = workflows.create(actor=actors.system(scope), name="Product page", spec=spec(), description="From a name")
    workflows.save_version(made, actor=actors.system(scope), spec=spec(title="Second"))
    return made


def data(title="", **changes):
    """As the page posts it: the prompt's inputs by variable."""
    steps = [
        {
            "type": "prompt",
            "id": "brief",
            "prompt": "weather-report",
            "inputs": {"product": "A {{thing}}", "audience": ""},
        },
        {"type": "llm", "id": "answer", "title": title, "messages_from": "brief"},
    ]
    inputs = [{"name": "thing", "type": "text", "label": "The thing"}, {"name": "audience", "default": "all"}]
    return {"schema_version": 1, "inputs": inputs, "steps": steps, "output": ""} | changes


def spec(title=""):
    raw = data(title)
    raw["steps"][0]["inputs"] = [{"name": "product", "value": "A {{thing}}"}]
    return WorkflowSpec.model_validate(raw)


def page(workflow, **query):
    return reverse("admin:llm_admin_workflow_change", args=[workflow.pk], query=query or None)


def posted(raw=None, **fields):
    text = raw if isinstance(raw, str) else json.dumps(raw or data())
    return {"name": "Product page", "description": "", "note": "", "based_on": "2", "spec": text} | fields


def numbers(workflow):
    """(newest, Live)"""
    return documents.newest(Workflow.objects.get(pk=workflow.pk)).number, documents.version_of(workflow).number


def queries_of(client, url):
    catalogue.forget()  # what is cached for a second would make the counts differ
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def choices(card, name):
    return [choice["value"] for choice in card.schema["properties"][name]["choices"]]


# ---- the list


def test_the_list_shows_what_is_live_and_the_steps(author, workflow):
    html = author.get(LIST).content.decode()
    assert "Product page" in html
    assert "From a name" in html
    assert ">v1</span> (newest: v2)" in html
    assert "2: Prompt → Model" in html
    assert "<time" in html


def test_an_empty_list_says_what_workflows_are_for_and_offers_the_first_step(author, reader, login, member):
    html = login(member(Role.AUTHOR)).get(LIST).content.decode()
    assert "No workflows yet" in html
    assert f'href="{ADD}"' in html
    assert f'href="{ADD}"' not in login(member(Role.VIEWER)).get(LIST).content.decode()


@pytest.mark.parametrize(("words", "found"), [("product", True), ("from a name", True), ("weather", False)])
def test_search_finds_names_and_descriptions(author, workflow, words, found):
    assert ("2: Prompt" in author.get(LIST, {"q": words}).content.decode()) is found


def test_another_workspace_s_workflows_are_not_listed(author, workflow):
    elsewhere = factories.workspace()
    with workspace_scope(elsewhere):
        factories.workflow(elsewhere, name="Secret plan")
    assert "Secret plan" not in author.get(LIST).content.decode()


def test_the_list_takes_equally_many_queries_at_3_and_300(author, workflow, scope):
    one = documents.spec_of(documents.newest(workflow))
    for number in range(2):
        factories.workflow(scope, name=f"More {number}", spec=one)
    few = queries_of(author, LIST)
    for number in range(297):
        factories.workflow(scope, name=f"Many {number}", spec=one)
    assert queries_of(author, LIST) == few


def test_somebody_without_a_workspace_is_refused(outsider, login, workflow):
    client = login(outsider)
    for url in (LIST, ADD, page(workflow), CARD + "?type=llm", VARIABLES):
        answer = client.get(url)
        assert answer.status_code in (403, 404)
        assert "Product page" not in answer.content.decode()


# ---- opening the studio


def test_a_new_workflow_begins_empty_with_every_step_type_on_offer(author):
    answer = author.get(ADD)
    assert answer.status_code == 200
    assert answer.context["cards"] == []
    html = answer.content.decode()
    for name in STEP_SPECS.names():
        assert f'data-type="{name}"' in html
        assert STEP_SPECS.get(name).help in html


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
    assert html.count("data-django-jsonform-container") == 3  # the inputs, and two steps
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


def test_the_studio_takes_equally_many_queries_however_many_prompts_and_steps(author, workflow, prompt, scope, system):
    few = queries_of(author, page(workflow))
    for number in range(297):
        factories.prompt(scope, name=f"Prompt {number}")
    steps = [{"type": "prompt", "id": f"s{n}", "prompt": f"prompt-{n}"} for n in range(60)]
    workflows.save_version(workflow, actor=system, spec=WorkflowSpec.model_validate({"steps": steps}))
    answer = author.get(page(workflow))
    assert len(answer.context["cards"]) == 60
    assert len(choices(answer.context["cards"][0], "prompt")) == 298
    assert queries_of(author, page(workflow)) == few


def test_a_viewer_reads_and_can_change_nothing(reader, workflow):
    html = reader.get(page(workflow)).content.decode()
    assert "You are reading <strong>v2</strong>" in html
    assert html.count("&quot;readonly&quot;: true") == 3
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


# ---- saving


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


# ---- what the page asks for while somebody works in it


def test_a_new_card_gets_a_free_name(author, prompt):
    assert author.get(CARD, {"type": "llm"}).context["card"].data["id"] == "answer"
    card = author.get(CARD, {"type": "llm", "taken": ["answer", "answer_2", "brief"]}).context["card"]
    assert card.data["id"] == "answer_3"
    assert choices(card, "prompt") == ["", "weather-report"]


def test_there_is_no_card_for_an_unknown_type(author):
    assert author.get(CARD, {"type": "magic"}).status_code == 404


def test_somebody_else_s_step_type_is_offered_and_drawn_like_ours(author, workflow, monkeypatch):
    class ShoutStep(StepSpec):
        label = "Shout"
        icon = "campaign"
        help = "Makes a text loud."
        result = "loud"
        type: str = "shout"

    monkeypatch.setitem(STEP_SPECS._table, "shout", ShoutStep)
    assert "Add shout step" in author.get(page(workflow)).content.decode()
    html = author.get(CARD, {"type": "shout"}).content.decode()
    assert "campaign" in html
    assert author.get(CARD, {"type": "shout"}).context["card"].data["id"] == "loud"
    author.post(ADD, posted(data(steps=[{"type": "shout", "id": "loud"}]), name="Loud"))
    assert documents.newest(Workflow.objects.get(name="Loud")).spec["steps"][0]["type"] == "shout"


def test_variables_of_the_chosen_prompt_and_label(author, prompt, system):
    version = prompts.save_version(prompt, actor=system, spec=factories.chat_spec("Only {{place}}"))
    documents.move_label(prompt, actor=system, label="staging", number=version.number)
    assert author.get(VARIABLES, {"prompt": prompt.slug}).json() == {"variables": ["product", "audience"]}
    assert author.get(VARIABLES, {"prompt": prompt.slug, "label": "staging"}).json() == {"variables": ["place"]}
    assert author.get(VARIABLES, {"prompt": "nothing"}).json() == {"variables": []}
    assert author.get(VARIABLES).json() == {"variables": []}


def test_variables_of_another_workspace_s_prompt_stay_there(author, scope):
    elsewhere = factories.workspace()
    with workspace_scope(elsewhere):
        theirs = factories.prompt(elsewhere, spec=factories.chat_spec("{{secret_name}}"))
    assert author.get(VARIABLES, {"prompt": theirs.slug}).json() == {"variables": []}


def test_the_run_form_follows_unsaved_inputs_and_keeps_what_was_typed(author):
    inputs = [
        {"name": "city", "label": "Your city"},
        {"name": ""},
        {"name": "mood", "type": "text", "default": "sunny"},
    ]
    answer = author.post(FIELDS, {"inputs": json.dumps(inputs), "input-city": "Bern & Basel"})
    html = answer.content.decode()
    assert [field["variable"].name for field in answer.context["fields"]] == ["city", "mood"]
    assert "Your city" in html
    assert "Bern &amp; Basel" in html
    assert 'value="sunny"' in html
    assert "just run it" in author.post(FIELDS, {"inputs": "[]"}).content.decode()
    assert author.get(FIELDS).status_code == 405


# ---- running


def run(client, workflow=None, raw=None, **fields):
    values = {"input-thing": "kite", "input-audience": "everyone"} | fields
    if workflow:
        values |= {"workflow": workflow.pk, "version": 2}
    return client.post(RUN, {"spec": json.dumps(raw or data()), **values}, headers={"HX-Request": "true"})


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
