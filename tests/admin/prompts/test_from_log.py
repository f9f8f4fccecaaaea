"""A logged call opens in the studio as it was: messages, variables, values, model and settings."""

from __future__ import annotations

import pytest
from django.urls import reverse

from llm_admin.choices import Role, RunStatus
from llm_admin.models import LanguageModel, Run
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.selectors.log_prompts import read_values
from llm_admin.services import documents, runs
from llm_admin.services.actors import Actor
from tests import factories
from tests.log_rows import log, text

ADD = reverse("admin:llm_admin_prompt_add")


def change(prompt):
    return reverse("admin:llm_admin_prompt_change", args=[prompt.pk])


def page_of(row):
    return reverse("admin:llm_admin_interactionlog_change", args=[row.pk])


def logged(scope, person, prompt, spec, version=None, inputs=None, **values):
    actor = Actor(scope, person, Role.AUTHOR)
    run = runs.start_prompt(
        actor=actor, prompt=prompt, spec=spec, version=version, inputs=inputs or {"topic": "rain"}, **values
    )
    Run.objects.filter(pk=run.pk).update(status=RunStatus.SUCCEEDED)
    model = LanguageModel.objects.get(alias=values.get("model") or "demo")
    return log(scope, run=run, prompt=prompt, prompt_version=version, user=person, model=model)


@pytest.fixture(autouse=True)
def demo(scope):
    LanguageModel.objects.update(alias="demo")


def test_a_call_of_a_version_opens_that_version_with_its_values(author, ada, prompt, scope):
    version = documents.version_of(prompt, number=1)
    row = logged(scope, ada, prompt, documents.spec_of(version), version)
    link = f"{change(prompt)}?version=1&amp;from_log={row.pk}"
    assert link in author.get(page_of(row)).content.decode()
    state = author.get(change(prompt), {"version": "1", "from_log": row.pk}).context["state"]
    assert state["spec"] == state["saved"] == version.spec
    assert state["fromLog"]["values"] == {"topic": "rain"}


def test_a_call_of_unsaved_text_opens_as_unsaved_text(author, ada, prompt, scope):
    LanguageModel.objects.create(workspace=scope, alias="other", name="Other")
    spec = factories.chat_spec("Never saved: {{topic}}, {{more}}")
    row = logged(scope, ada, prompt, spec, inputs={"topic": "rain", "more": "wind"}, model="other")
    state = author.get(change(prompt), {"from_log": row.pk}).context["state"]
    assert state["spec"]["messages"][1]["text"] == "Never saved: {{topic}}, {{more}}"
    assert state["spec"] != state["saved"]
    assert state["fromLog"] == {"values": {"topic": "rain", "more": "wind"}, "lists": {}, "model": "other"}


def test_lists_of_messages_come_along(author, ada, scope):
    spec = PromptSpec.model_validate({"messages": [{"role": "placeholder", "name": "past"}, {"text": "And now?"}]})
    prompt = factories.prompt(scope, spec=spec)
    past = [{"role": "user", "text": "Earlier"}]
    row = logged(scope, ada, prompt, spec, documents.newest(prompt), inputs={"past": past})
    state = author.get(change(prompt), {"from_log": row.pk}).context["state"]
    assert state["fromLog"]["lists"] == {"past": past}


def test_a_call_without_a_prompt_opens_as_a_new_one(author, ada, scope):
    model = LanguageModel.objects.get()
    row = log(scope, user=ada, model=model)
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    parameters = {
        "temperature": 0.5,
        "stop": ["END"],
        "reasoning_effort": "low",
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
    }
    messages = [{"role": "system", "content": "Be terse."}, {"role": "user", "content": "Is {{this}} a variable?"}]
    text(row, messages=messages, parameters=parameters)
    assert f"{ADD}?from_log={row.pk}" in author.get(page_of(row)).content.decode()
    spec = author.get(ADD, {"from_log": row.pk}).context["state"]["spec"]
    assert [m["text"] for m in spec["messages"]] == ["Be terse.", "Is {{this}} a variable?"]
    assert spec["model"] == "demo"
    assert (spec["parameters"]["temperature"], spec["parameters"]["stop"]) == (0.5, ["END"])
    assert spec["parameters"]["extra"] == {"reasoning_effort": "low"}
    assert (spec["output"]["format"], spec["output"]["json_schema"]) == ("json", schema)


def test_a_call_inside_a_workflow_gives_the_values_back_from_its_messages(author, ada, prompt, scope):
    version = documents.newest(prompt)  # "Version 2 about {{topic}}."
    sent = [{"role": "system", "content": "You are terse."}, {"role": "user", "content": "Version 2 about a\nstorm."}]
    row = log(scope, user=ada, prompt=prompt, prompt_version=version)
    text(row, messages=sent)
    state = author.get(change(prompt), {"version": "2", "from_log": row.pk}).context["state"]
    assert state["fromLog"]["values"] == {"topic": "a\nstorm"}


@pytest.mark.parametrize(
    ("template", "sent", "values"),
    [
        ("{{a}} and {{b}}", "x (and) and y", {"a": "x (and)", "b": "y"}),
        ("{{a}}, {{a}}!", "x, x!", {"a": "x"}),
        ("{{a}}, {{a}}!", "x, y!", None),
        ("[{{a}}] {not} (this|that)", "[1] {not} (this|that)", {"a": "1"}),
        ("something else", "x", None),
    ],
)
def test_values_read_out_of_messages(template, sent, values):
    spec = factories.chat_spec(template, system_text="")
    assert read_values(spec, [{"role": "user", "content": sent}]) == values


def test_where_no_texts_were_kept_a_sentence_says_so(author, ada, prompt, scope):
    version = documents.newest(prompt)
    row = log(scope, user=ada, prompt=prompt, prompt_version=version)
    html = author.get(change(prompt), {"version": "2", "from_log": row.pk}).content.decode()
    assert "values of this call" in html.replace("&#x27;", "'")
    lone = log(scope, user=ada)
    assert "Open in studio" not in author.get(page_of(lone)).content.decode()
    response = author.get(ADD, {"from_log": lone.pk})
    assert "were not kept, so there is nothing to fill in" in response.content.decode()
    assert "fromLog" not in response.context["state"]


def test_only_those_who_may_see_the_log(ada, member, login, prompt, scope):
    row = logged(scope, ada, prompt, factories.chat_spec("A secret about {{topic}}"))
    asked = {"from_log": row.pk}
    for role, status in ((Role.AUTHOR, 404), (Role.VIEWER, 404), (Role.OPERATOR, 200)):
        response = login(member(role)).get(change(prompt), asked)
        assert response.status_code == status
        assert ("A secret about" in response.content.decode()) == (status == 200)
    elsewhere = factories.member(factories.workspace(), role=Role.ADMIN)
    theirs = factories.workspace()
    assert theirs.pk != scope.pk
    response = login(elsewhere).get(ADD, asked)
    assert response.status_code == 404
    for odd in ("x", "-1", "9" * 30, "0"):
        assert login(ada).get(change(prompt), {"from_log": odd}).status_code == 404


def test_a_viewer_opens_their_own_log_of_a_prompt_but_makes_no_new_one(member, login, prompt, scope):
    viewer = member(Role.VIEWER)
    version = documents.newest(prompt)
    mine, lone = log(scope, user=viewer, prompt=prompt, prompt_version=version), log(scope, user=viewer)
    text(mine), text(lone)
    client = login(viewer)
    assert "Open in studio" in client.get(page_of(mine)).content.decode()
    assert "Open in studio" not in client.get(page_of(lone)).content.decode()
    assert client.get(ADD, {"from_log": lone.pk}).status_code == 403
