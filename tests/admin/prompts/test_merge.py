"""Two people save the same prompt: the second gets a choice, and neither text is lost."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from llm_admin.choices import Role
from llm_admin.models import Prompt
from llm_admin.services import documents, prompts
from llm_admin.services.actors import Actor
from tests import factories


@pytest.fixture
def ben(member, scope):
    return Actor(scope, member(Role.AUTHOR, "ben"), Role.AUTHOR)


@pytest.fixture
def ada(member, login):
    return login(member(Role.AUTHOR, "ada"))


@pytest.fixture
def prompt(scope):
    return factories.prompt(scope, name="Weather", spec=factories.chat_spec("Tell me about {{topic}}.", "Be terse."))


def at(prompt, page="merge"):
    return reverse(f"admin:llm_admin_prompt_{page}", args=[prompt.pk])


def spec(user="Tell me about {{topic}}.", system="Be terse.", **details):
    return factories.chat_spec(user, system, **details)


def posted(made, **fields):
    named = {"name": "Weather", "description": "", "note": "", "based_on": "1", "base": "1", "theirs": "2"}
    return named | {"spec": json.dumps(made.model_dump(mode="json"))} | fields


def said(data):
    return [message["text"] for message in data["messages"]]


def test_the_second_save_gets_a_choice_with_both_texts(ada, prompt, ben):
    prompts.save_version(prompt, actor=ben, spec=spec(system="Be strict."))
    answer = ada.post(at(prompt, "change"), posted(spec(system="Be kind."), _draft="1", note="Mine"))
    assert answer.status_code == 409
    html = answer.content.decode()
    assert "ben saved v2 while you were changing v1" in html
    assert "<ins>kind</ins>" in html
    assert "<ins>strict</ins>" in html
    (row,) = answer.context["merge"]["rows"]
    assert (row["part"].both, row["side"]) == (True, "")
    assert said(answer.context["state"]["spec"])[0] == "Be kind."
    assert 'value="Mine"' in html
    assert prompt.versions.count() == 2


def test_what_only_one_changed_is_chosen_already(ada, prompt, ben):
    prompts.save_version(prompt, actor=ben, spec=spec("Tell me more about {{topic}}."))
    answer = ada.post(at(prompt, "change"), posted(spec(system="Be kind."), _draft="1"))
    rows = answer.context["merge"]["rows"]
    assert [(row["part"].title, row["side"]) for row in rows] == [
        ("Message 1: System", "mine"),
        ("Message 2: User", "theirs"),
    ]


def test_put_together_gives_the_editor_one_text_based_on_the_newest_and_saves_nothing(ada, prompt, ben):
    prompts.save_version(prompt, actor=ben, spec=spec("More about {{topic}}.", "Be strict."))
    mine = spec(system="Be kind.")
    answer = ada.post(at(prompt), posted(mine, action="put", **{"choice-message.0": "mine"}))
    assert answer.status_code == 200
    data = answer.json()
    assert said(data["spec"]) == ["Be kind.", "More about {{topic}}."]
    assert said(data["theirs"]) == ["Be strict.", "More about {{topic}}."]
    assert data["basedOn"] == 2
    assert prompt.versions.count() == 2
    made = prompts_spec(data["spec"])
    assert ada.post(at(prompt, "change"), posted(made, based_on="2", _draft="1")).status_code == 302
    saved = documents.spec_of(documents.newest(Prompt.objects.get()))
    assert [m.text for m in saved.messages] == ["Be kind.", "More about {{topic}}."]


def prompts_spec(data):
    from llm_admin.schemas.prompts import PromptSpec

    return PromptSpec.model_validate(data)


def test_both_changes_of_one_message_can_be_taken_when_they_do_not_meet(ada, prompt, ben):
    prompts.save_version(prompt, actor=ben, spec=spec("In short, tell me about {{topic}}."))
    mine = spec("Tell me about {{topic}}, please.")
    shown = ada.post(at(prompt), posted(mine)).content.decode()
    assert "Both, in one text" in shown
    data = ada.post(at(prompt), posted(mine, action="put", **{"choice-message.1": "both"})).json()
    assert said(data["spec"])[1] == "In short, tell me about {{topic}}, please."


def test_without_a_choice_the_question_comes_back_at_its_part(ada, prompt, ben):
    prompts.save_version(prompt, actor=ben, spec=spec("More about {{topic}}.", "Be strict."))
    mine = spec("Less about {{topic}}.", "Be kind.")
    answer = ada.post(at(prompt), posted(mine, action="put", **{"choice-message.0": "theirs"}))
    assert answer.status_code == 422
    rows = answer.context["merge"]["rows"]
    assert [(row["side"], row["missing"]) for row in rows] == [("theirs", False), ("", True)]
    assert "Message 2: User: choose whose text to take." in answer.content.decode()


def test_what_cannot_be_put_together_says_why_and_keeps_the_choices(ada, prompt, ben, scope):
    mine = factories.chat_spec("Tell me about {{topic}}.", "")
    theirs = factories.chat_spec("Be terse.", "")
    theirs = theirs.model_copy(update={"messages": [spec().messages[0]], "variables": []})
    prompts.save_version(prompt, actor=ben, spec=theirs)
    answer = ada.post(at(prompt), posted(mine, action="put"))
    assert answer.status_code == 422
    assert answer.context["merge"]["problems"]
    assert len(answer.context["merge"]["rows"]) == 2


def test_a_third_save_in_between_asks_again(ada, prompt, ben):
    prompts.save_version(prompt, actor=ben, spec=spec(system="Be strict."))
    mine = spec(system="Be kind.")
    together = ada.post(at(prompt), posted(mine, action="put", **{"choice-message.0": "mine"})).json()
    prompts.save_version(prompt, actor=ben, spec=spec(system="Be stricter."))
    made = prompts_spec(together["spec"])
    answer = ada.post(at(prompt, "change"), posted(made, based_on=str(together["basedOn"]), _draft="1"))
    assert answer.status_code == 409
    assert answer.context["merge"]["theirs"] == 3
    assert "ben saved v3 while you were changing v2" in answer.content.decode()
    assert prompt.versions.count() == 3


def test_theirs_is_the_newest_whatever_was_shown(ada, prompt, ben):
    prompts.save_version(prompt, actor=ben, spec=spec(system="Be strict."))
    prompts.save_version(prompt, actor=ben, spec=spec(system="Be stricter."))
    prompts.change(prompt, actor=ben, name="Forecast", description="Renamed")
    data = ada.post(at(prompt), posted(spec(), action="theirs")).json()
    assert (said(data["spec"])[0], data["basedOn"]) == ("Be stricter.", 3)
    assert (data["name"], data["description"]) == ("Forecast", "Renamed")


def test_ones_own_save_in_another_tab_is_called_that(ada, prompt):
    ada.post(at(prompt, "change"), posted(spec(system="Be strict."), _draft="1"))
    answer = ada.post(at(prompt, "change"), posted(spec(system="Be kind."), _draft="1"))
    assert "You saved v2 in another tab" in answer.content.decode()
    assert "The other tab’s" in answer.content.decode()


def test_a_half_written_text_is_told_what_it_lacks(ada, prompt, ben):
    prompts.save_version(prompt, actor=ben, spec=spec(system="Be strict."))
    empty = {"messages": [{"role": "user", "text": " "}]}
    answer = ada.post(at(prompt), {"base": "1", "spec": json.dumps(empty)})
    assert answer.status_code == 422
    assert "Message 1: This message is empty" in answer.content.decode()


@pytest.mark.parametrize("base", ["", "0", "99", "x", "-1"])
def test_a_version_that_does_not_exist_is_not_found(ada, prompt, base):
    assert ada.post(at(prompt), posted(spec(), base=base)).status_code == 404


def test_a_script_in_a_text_stays_text(ada, prompt, ben):
    prompts.save_version(prompt, actor=ben, spec=spec("<script>alert(1)</script> {{topic}}"))
    answer = ada.post(at(prompt), posted(spec("<b>mine</b> {{topic}}")))
    html = answer.content.decode()
    assert "<script>" not in html
    assert "<b>mine" not in html
