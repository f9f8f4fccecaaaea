"""What no page of ours sends: it is refused with a sentence, or shown as text; never a 500, never stored."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse

from llm_admin.choices import Role
from llm_admin.models import Prompt, PromptTest, PromptVersion, Run
from llm_admin.services import documents, prompts, shelf
from tests import factories

DEEP = "[" * 700 + "]" * 700


@pytest.fixture
def ada(member, login):
    return login(member(Role.AUTHOR, "ada"))


@pytest.fixture
def prompt(scope):
    return factories.prompt(scope, name="Weather")


def at(name, *args):
    return reverse(f"admin:llm_admin_prompt_{name}", args=args)


def posted(extra="{}", **fields):
    messages = json.dumps([{"role": "user", "text": "About {{topic}}"}])
    spec = f'{{"kind": "chat", "messages": {messages}, "parameters": {{"extra": {extra}}}}}'
    return {"name": "Weather", "based_on": "1", "base": "1", "input-topic": "x", "spec": spec} | fields


@pytest.mark.parametrize("odd", [f'{{"a": {DEEP}}}', '{"a": 1e999}', '{"a": NaN}'], ids=["deep", "1e999", "NaN"])
def test_settings_that_no_database_holds_are_refused_wherever_they_are_sent(ada, prompt, odd):
    for url in (
        at("change", prompt.pk),
        at("review", prompt.pk),
        at("merge", prompt.pk),
        at("try"),
        at("convert"),
        at("draft", prompt.pk),
        at("add"),
    ):
        fields = posted(odd, dirty="1", draft_tab="a", prompt=str(prompt.pk))
        assert ada.post(url, fields).status_code == 422, url
    assert PromptVersion.objects.count() == 1
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("kind", "value"),
    [("json", DEEP), ("json", "[1e999]"), ("json", '{"a": -1e999}'), ("list", DEEP), ("list", "[1e999]")],
    ids=["json, deep", "json, 1e999", "json, -1e999", "list, deep", "list, 1e999"],
)
def test_values_that_no_database_holds_are_refused_at_their_variable(ada, prompt, kind, value):
    spec = {"messages": [{"text": "{{topic}}"}], "variables": [{"name": "topic", "type": kind}]}
    answer = ada.post(at("try"), {"spec": json.dumps(spec), "input-topic": value})
    assert answer.status_code == 422
    assert json.loads(answer["HX-Trigger"])["llm:problems"]["problems"][0]["location"] == ["inputs", "topic"]
    assert not Run.objects.exists()


@pytest.mark.parametrize("messages", [5, "x", {"a": 1}, [1], None, [{"role": [1], "text": {}}]])
def test_a_draft_whose_messages_are_no_messages_is_compared_all_the_same(ada, prompt, messages):
    fields = posted(dirty="1", draft_tab="a") | {"spec": json.dumps({"messages": messages})}
    assert ada.post(at("draft", prompt.pk), fields).status_code == 200
    assert "All messages" in ada.get(at("draft_difference", prompt.pk)).content.decode()
    assert ada.get(at("change", prompt.pk)).status_code == 200


def test_values_to_begin_a_test_input_with_are_refused_when_they_are_too_deep(ada, prompt):
    answer = ada.post(at("tests_form", prompt.pk), posted(values=f'{{"topic": {DEEP}}}'))
    assert answer.status_code == 422
    assert not PromptTest.objects.exists()


@pytest.mark.parametrize("field", ["name", "description", "note"])
def test_nul_in_a_field_is_told_and_nothing_is_saved(ada, prompt, field):
    answer = ada.post(at("change", prompt.pk), posted(**{field: "a\x00b"}))
    assert answer.status_code == 422
    assert "holds a NUL character" in answer.content.decode()
    assert Prompt.objects.get().last_number == 1


def test_nul_in_a_click_s_key_is_no_key(ada, prompt):
    ada.post(at("try"), posted(client_key="\x00", prompt=str(prompt.pk)))
    assert Run.objects.get().client_key is None


@pytest.mark.parametrize("page", ["changelist", "at"])
def test_nul_in_an_address_is_not_understood(ada, prompt, page):
    url = at(page) if page == "changelist" else at(page, prompt.pk)
    assert ada.get(f"{url}?folder=%00&label=%00").status_code == 400


def test_saving_a_text_does_not_undo_what_somebody_else_called_the_prompt_meanwhile(ada, prompt, system):
    shelf.rename(prompt, actor=system, name="Climate")
    prompts.change(prompt, actor=system, name="Climate", description="Theirs")
    before = {"name_before": "Weather", "description_before": "", "description": ""}
    html = ada.post(at("review", prompt.pk), posted(**before)).content.decode()
    assert "Climate" not in html
    assert ada.post(at("change", prompt.pk), posted(**before)).status_code == 302
    now = Prompt.objects.get()
    assert (now.name, now.description, now.last_number) == ("Climate", "Theirs", 2)
    assert documents.spec_of(documents.newest(now)).messages[0].text == "About {{topic}}"


def test_a_name_that_was_changed_here_wins(ada, prompt, system):
    shelf.rename(prompt, actor=system, name="Climate")
    ada.post(at("change", prompt.pk), posted(name="Mine", name_before="Weather"))
    assert Prompt.objects.get().name == "Mine"


def test_the_studio_sends_what_it_began_with(ada, prompt):
    html = ada.get(at("change", prompt.pk)).content.decode()
    assert 'name="name_before" value="Weather"' in html
