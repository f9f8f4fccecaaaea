"""What the page asks the server for while somebody works in it."""

from __future__ import annotations

import json

from llm_admin.models import Workflow
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.schemas.steps.base import StepSpec
from llm_admin.services import documents, prompts
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.admin.workflows.pages import (
    ADD,
    CARD,
    FIELDS,
    VARIABLES,
    choices,
    data,
    page,
    posted,
)


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
    assert author.get(VARIABLES, {"prompt": prompt.slug}).json()["variables"] == ["product", "audience"]
    assert author.get(VARIABLES, {"prompt": prompt.slug, "label": "staging"}).json()["variables"] == ["place"]
    assert author.get(VARIABLES, {"prompt": "nothing"}).json() == {"variables": [], "keys": []}
    assert author.get(VARIABLES).json() == {"variables": [], "keys": []}


def test_variables_of_another_workspace_s_prompt_stay_there(author, scope):
    elsewhere = factories.workspace()
    with workspace_scope(elsewhere):
        theirs = factories.prompt(elsewhere, spec=factories.chat_spec("{{secret_name}}"))
    assert author.get(VARIABLES, {"prompt": theirs.slug}).json() == {"variables": [], "keys": []}


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
    assert "there is nothing to fill in" in author.post(FIELDS, {"inputs": "[]"}).content.decode()
    assert author.get(FIELDS).status_code == 405
