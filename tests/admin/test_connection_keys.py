"""“Replace the key…”, health in the list, and the page of the test: by role, without a key anywhere."""

from __future__ import annotations

import logging

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from llm_admin.choices import Role
from llm_admin.models import Connection, Deployment, DeploymentPrice, LanguageModel
from llm_admin.services import actors, connection_health, connections
from tests import factories
from tests.servers.openai_server import OpenAIServer

LIST = reverse("admin:llm_admin_connection_changelist")
KEY, NEW = "sk-planted-7Gq2Zt9wLm4xRv8nBc3y", "sk-renewed-8Hr3Au0xMn5ySw9oCd4z"
BAD = "sk-planted-never-works-bad"
ALL = Connection.objects.with_scopes_disabled()


@pytest.fixture
def operator(member, login):
    return login(member(Role.OPERATOR, "olga"))


@pytest.fixture
def server():
    with OpenAIServer() as one:
        yield one


@pytest.fixture
def acme(system, scope, server):
    connection = Connection(name="Acme", provider="openai", base_url=server.base_url)
    return connections.save(connection, actor=system, key=KEY)


def page(connection, name="key"):
    return reverse(f"admin:llm_admin_connection_{name}", args=[connection.pk])


def test_the_way_to_it(operator, acme):
    html = operator.get(page(acme, "change")).content.decode()
    assert page(acme) in html
    assert "Entered <time" in html
    assert "Replace the key…</a>" in html
    assert page(acme, "history") in html


def test_without_a_key_one_is_entered(operator, acme):
    ALL.filter(pk=acme.pk).update(api_key=None)
    assert "Enter a key…</a>" in operator.get(page(acme, "change")).content.decode()


def test_replacing_it(operator, acme):
    response = operator.post(page(acme), {"key": NEW}, follow=True)
    assert "is replaced, and the new one works" in response.content.decode()
    assert ALL.get(pk=acme.pk).secret() == NEW
    history = operator.get(page(acme, "history")).content.decode()
    assert "Replaced the key; the new one works." in history


def test_a_key_that_does_not_work_is_refused_and_may_be_taken_anyway(operator, acme):
    assert 'name="anyway"' not in operator.get(page(acme)).content.decode()
    refused = operator.post(page(acme), {"key": BAD})
    html = refused.content.decode()
    assert refused.status_code == 422
    assert "The old key is still in use" in html
    assert "Key refused" in html
    assert 'name="anyway"' in html
    assert ALL.get(pk=acme.pk).secret() == KEY
    taken = operator.post(page(acme), {"key": BAD, "anyway": "on"}, follow=True)
    assert "does not work yet" in taken.content.decode()
    assert ALL.get(pk=acme.pk).secret() == BAD
    assert "Does not work" in operator.get(LIST).content.decode()


@pytest.mark.parametrize(("key", "words"), [("", "Enter the new key."), ("two words", "spaces")])
def test_what_is_wrong_stands_at_the_field(operator, acme, key, words):
    response = operator.post(page(acme), {"key": key})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert 'aria-invalid="true"' in response.content.decode()


def test_a_key_in_a_variable(operator, acme, system, monkeypatch):
    monkeypatch.setenv("ACME_KEY", KEY)
    acme.api_key_env = "ACME_KEY"
    connections.save(acme, actor=system)
    html = operator.get(page(acme)).content.decode()
    assert "ACME_KEY" in html
    assert 'name="key"' not in html
    assert operator.post(page(acme), {"key": NEW}).status_code == 409


def test_no_page_message_history_or_log_line_shows_a_key(operator, acme, caplog):
    caplog.set_level(logging.DEBUG)
    answers = [
        operator.get(page(acme)),
        operator.post(page(acme), {"key": BAD}),
        operator.post(page(acme), {"key": BAD, "anyway": "on"}, follow=True),
        operator.post(page(acme, "test"), headers={"hx-request": "true"}),
        operator.post(page(acme), {"key": NEW}, follow=True),
        operator.get(LIST),
        operator.get(page(acme, "history")),
        operator.get(page(acme, "change")),
        operator.get(reverse("admin:llm_admin_health")),
    ]
    entries = "".join(f"{one.object_repr}{one.change_message}" for one in LogEntry.objects.all())
    text = caplog.text + entries + "".join(one.content.decode() for one in answers)
    assert not [key for key in (KEY, NEW, BAD) if key in text]
    assert entries


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR])
def test_only_operators(member, login, acme, role):
    client = login(member(role))
    assert client.get(page(acme)).status_code == 403
    assert client.post(page(acme), {"key": NEW, "anyway": "on"}).status_code == 403
    assert ALL.get(pk=acme.pk).secret() == KEY


def test_another_workspace_s_connection(operator, server):
    other = actors.system(factories.workspace())
    theirs = connections.save(Connection(name="Theirs", provider="openai"), actor=other, key=KEY)
    assert operator.get(page(theirs)).status_code == 404
    assert operator.post(page(theirs), {"key": NEW, "anyway": "on"}).status_code == 404
    assert ALL.get(pk=theirs.pk).secret() == KEY


# ---- health in the list, and the test


def test_the_list_says_how_each_is_in_words(operator, acme, system):
    model = LanguageModel.objects.create(workspace=system.workspace, alias="fast", name="Fast")
    Deployment.objects.create(model=model, connection=acme, provider_model="echo")
    html = operator.get(LIST).content.decode()
    assert html.count("Not tested yet") == 2
    connection_health.store(acme.pk, healthy=True, check_ms=123)
    html = operator.get(LIST).content.decode()
    for words in ("Works", "just now", "tested in 123 ms", "Used by", "Fast"):
        assert words.lower() in html.lower()
    connection_health.store(acme.pk, healthy=False, problem="Key refused: <b>no</b>.")
    html = operator.get(LIST).content.decode()
    assert "Does not work" in html
    assert "Key refused: &lt;b&gt;no&lt;/b&gt;." in html


def test_the_test_shows_the_call_and_its_cost(operator, acme, system):
    model = LanguageModel.objects.create(workspace=system.workspace, alias="fast", name="Fast")
    deployment = Deployment.objects.create(model=model, connection=acme, provider_model="echo")
    html = operator.post(page(acme, "test"), headers={"hx-request": "true"}).content.decode()
    assert "A call of <code>echo</code> took" in html
    assert 'id="connection-health" hx-swap-oob="true"' in html
    assert "Works</span>" in html
    assert "unknown" in html
    DeploymentPrice.objects.create(deployment=deployment, input_per_million=1, output_per_million=2)
    html = operator.post(page(acme, "test"), headers={"hx-request": "true"}).content.decode()
    assert "$0.0000" in html


def test_ollama_on_this_machine_is_told_which_setting_to_change(operator, settings):
    settings.LLM_ADMIN = {**settings.LLM_ADMIN, "OUTGOING_PRIVATE_HOSTS": []}
    fields = {"name": "Ollama", "provider": "openai", "base_url": "http://localhost:11434/v1", "api_key_env": ""}
    response = operator.post(reverse("admin:llm_admin_connection_add"), fields)
    (problem,) = response.context["adminform"].form.errors["base_url"]
    assert 'add “localhost:11434” to LLM_ADMIN["OUTGOING_PRIVATE_HOSTS"]' in problem
    settings.LLM_ADMIN = {**settings.LLM_ADMIN, "OUTGOING_PRIVATE_HOSTS": ["localhost:11434"]}
    assert operator.post(reverse("admin:llm_admin_connection_add"), fields).status_code == 302
