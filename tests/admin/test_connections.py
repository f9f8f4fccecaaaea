"""Connections: a key goes in and never comes out, goes to no other server, and the test says what to do."""

from __future__ import annotations

import logging
import socket

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.choices import Role
from llm_admin.exceptions import Conflict, InvalidInput, NotFound, PermissionRefused
from llm_admin.models import Connection, Deployment, LanguageModel
from llm_admin.services import actors, connection_trial, connections
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.servers.openai_server import OpenAIServer

LIST = reverse("admin:llm_admin_connection_changelist")
ADD = reverse("admin:llm_admin_connection_add")
KEY = "sk-planted-7Gq2Zt9wLm4xRv8nBc3y"
ALL = Connection.objects.with_scopes_disabled()


@pytest.fixture
def operator(member, login):
    return login(member(Role.OPERATOR, "olga"))


@pytest.fixture
def made(system, scope):
    """make(name=..., key=...) -> a stored connection."""

    def make(name="Acme", key=KEY, **fields):
        connection = Connection(**{"name": name, "provider": "openai"} | fields)
        return connections.save(connection, actor=system, key=key)

    return make


def page(connection):
    return reverse("admin:llm_admin_connection_change", args=[connection.pk])


def trial(connection):
    return reverse("admin:llm_admin_connection_test", args=[connection.pk])


def form(**fields):
    return {"name": "Acme", "provider": "openai", "base_url": "", "api_key_env": "", "key": ""} | fields


def errors(response):
    return response.context["adminform"].form.errors


def stored(name="Acme"):
    return ALL.get(name=name)


# ---- the key


def test_the_key_is_stored_encrypted(operator):
    response = operator.post(ADD, form(key=KEY))
    assert response.status_code == 302
    assert stored().secret() == KEY
    with database.cursor() as cursor:
        cursor.execute("SELECT api_key FROM llm_admin_connection WHERE name = 'Acme'")
        (raw,) = cursor.fetchone()
    assert raw
    assert KEY not in raw


def test_no_page_message_history_or_log_line_shows_the_key(operator, caplog):
    caplog.set_level(logging.DEBUG)
    answers = [operator.post(ADD, form(key=KEY), follow=True)]
    connection = stored()
    answers += [
        operator.get(page(connection)),
        operator.get(LIST),
        operator.post(page(connection), form(key=KEY + "2", name=""), follow=True),  # comes back with an error
        operator.post(page(connection), form(base_url="http://127.0.0.1:9/v1", key=KEY), follow=True),
        operator.post(trial(connection), headers={"hx-request": "true"}),
        operator.post(trial(connection), follow=True),
        operator.get(reverse("admin:llm_admin_connection_history", args=[connection.pk])),
        operator.get(reverse("admin:llm_admin_connection_delete", args=[connection.pk])),
    ]
    assert [a.status_code for a in answers] == [200] * len(answers)
    assert all(KEY not in a.content.decode() for a in answers)
    assert all(KEY not in f"{entry.object_repr} {entry.change_message}" for entry in LogEntry.objects.all())
    assert LogEntry.objects.exists()
    assert KEY not in caplog.text


def test_a_history_with_nothing_in_it_says_so_in_our_words(operator, made):
    html = operator.get(reverse("admin:llm_admin_connection_history", args=[made().pk])).content.decode()
    assert "Nobody has changed this on its page yet." in html
    assert "admin site" not in html


def test_the_page_says_only_that_a_key_is_stored(operator, made):
    html = operator.get(page(made())).content.decode()
    assert "A key is stored. Leave this empty to keep it." in html
    assert KEY[-4:] not in html
    assert 'type="password"' in html


def test_an_empty_field_keeps_the_key_and_a_new_one_replaces_it(operator, made):
    connection = made()
    operator.post(page(connection), form(name="Renamed"))
    assert stored("Renamed").secret() == KEY
    operator.post(page(connection), form(key="sk-another-key-123456"))
    assert stored().secret() == "sk-another-key-123456"


def test_the_box_removes_the_key(operator, made):
    connection = made(base_url="http://localhost:11434/v1")
    operator.post(page(connection), form(base_url="http://localhost:11434/v1", remove_key="on"))
    assert stored().secret() == ""


def test_a_variable_replaces_the_stored_key(operator, made, monkeypatch):
    monkeypatch.setenv("ACME_KEY", "from-the-environment")
    operator.post(page(made()), form(api_key_env="ACME_KEY"))
    assert stored().secret() == "from-the-environment"
    assert stored().api_key is None


def test_a_missing_variable_is_said_at_once(operator):
    response = operator.post(ADD, form(api_key_env="NOBODY_SET_THIS_KEY"), follow=True)
    assert "NOBODY_SET_THIS_KEY is not set in the environment" in response.content.decode()


def test_the_stored_key_goes_to_no_other_server(operator, made):
    connection = made()
    for elsewhere in ("https://evil.example/v1", "http://api.openai.com/v1", "https://api.openai.com:444/v1"):
        response = operator.post(page(connection), form(base_url=elsewhere))
        assert "Enter the key again" in str(errors(response)["key"])
        assert stored().base_url == ""
    same_server = operator.post(page(connection), form(base_url="https://api.openai.com/v1/"))
    assert same_server.status_code == 302
    assert (
        operator.post(page(connection), form(base_url="https://new.example/v1", key="sk-new-key-1")).status_code == 302
    )


def test_the_stored_key_does_not_follow_to_another_provider(made, system):
    connection = made()
    connection.provider = "fake"
    with pytest.raises(InvalidInput, match="Enter the key again"):
        connections.save(connection, actor=system)


@pytest.mark.parametrize(
    "name", ["SECRET_KEY", "SECRET_KEY_FALLBACKS", "DATABASE_URL", "PGPASSWORD", "REDIS_URL", "DB_PASSWORD", "PATH"]
)
def test_our_own_secrets_are_no_keys(operator, name):
    response = operator.post(ADD, form(api_key_env=name))
    assert "belongs to this server" in str(errors(response)["api_key_env"])
    assert not ALL.filter(name="Acme").exists()


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "ACME_TOKEN", "MISTRAL_SECRET", "GROQ"])
def test_providers_variables_are_fine(operator, name):
    assert operator.post(ADD, form(api_key_env=name)).status_code == 302


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"key": KEY, "api_key_env": "ACME_KEY"}, "key", "not both"),
        ({"key": "two words"}, "key", "spaces"),
        ({"key": "schlüssel"}, "key", "no key has"),
        ({}, "key", "needs a key"),
        ({"base_url": "ftp://x.example/", "key": KEY}, "base_url", "no web address"),
        ({"base_url": "api.example.com", "key": KEY}, "base_url", "no web address"),
        ({"base_url": "http://[half", "key": KEY}, "base_url", "no web address"),
        ({"base_url": "http://x.example:port/", "key": KEY}, "base_url", "no web address"),
        ({"base_url": "https://me:secret@x.example/v1", "key": KEY}, "base_url", "no user name"),
        ({"base_url": "https://x.example/v1?key=1", "key": KEY}, "base_url", "Only the address"),
        ({"provider": "nobody", "key": KEY}, "provider", "nobody"),
        ({"name": "Demo (no AI)", "key": KEY}, "name", "of this name already"),
    ],
)
def test_what_is_wrong_stands_at_its_field(operator, fields, place, words):
    response = operator.post(ADD, form(**fields))
    assert response.status_code == 200
    assert words in str(errors(response)[place])
    assert ALL.count() == 1  # the demo's


def test_a_server_inside_a_docker_network_has_no_dot(operator):
    assert operator.post(ADD, form(base_url="http://ollama:11434/v1/")).status_code == 302
    assert stored().base_url == "http://ollama:11434/v1"


# ---- trying it


def try_out(client, connection):
    return client.post(trial(connection), headers={"hx-request": "true"}).content.decode()


def test_a_working_connection_lists_its_models(operator, made):
    with OpenAIServer() as server:
        html = try_out(operator, made(base_url=server.base_url))
    assert "It works." in html
    assert "words" in html
    assert "<html" not in html


def test_it_works_without_javascript(operator, made):
    with OpenAIServer() as server:
        response = operator.post(trial(made(base_url=server.base_url)), follow=True)
    assert "It works" in response.content.decode()


def test_nobody_listens(operator, made):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    html = try_out(operator, made(base_url=f"http://127.0.0.1:{port}/v1"))
    assert "It does not work yet." in html
    assert "Provider not reachable" in html
    assert "Check the base URL" in html


def test_no_answer_in_time(system, made, monkeypatch):
    monkeypatch.setattr(connection_trial, "TIMEOUT", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = made(base_url=f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
        result = connection_trial.try_out(connection, actor=system)
    assert result.problem.startswith("Took too long")
    assert "firewall" in result.advice
    assert result.milliseconds < 5000


def test_a_variable_that_is_not_set(system, made):
    result = connection_trial.try_out(made(key="", api_key_env="NOBODY_SET_THIS_KEY"), actor=system)
    assert "NOBODY_SET_THIS_KEY is not set" in result.problem


def test_a_key_that_cannot_be_decrypted_is_not_sent(system, made):
    connection = made()
    with database.cursor() as cursor:
        cursor.execute("UPDATE llm_admin_connection SET api_key = 'gAAAAABother' WHERE id = %s", [connection.pk])
    result = connection_trial.try_out(Connection.objects.get(pk=connection.pk), actor=system)
    assert "SECRET_KEY was changed" in result.problem


def test_the_demo_connection_works(operator, scope):
    assert "It works." in try_out(operator, Connection.objects.get(provider="fake"))


# ---- who may


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR])
def test_only_operators(member, login, made, role):
    connection, client = made(), login(member(role))
    assert client.get(LIST).status_code == 403
    assert client.get(ADD).status_code == 403
    assert client.get(page(connection)).status_code == 403
    assert client.post(page(connection), form(name="Taken over")).status_code == 403
    assert client.post(trial(connection)).status_code == 403
    assert ALL.filter(name="Acme").exists()


def test_services_refuse_an_author(member, made, workspace):
    connection = made()
    actor = actors.Actor(workspace, member(Role.AUTHOR), Role.AUTHOR)
    for act in (connections.save, connections.delete, connection_trial.try_out):
        with pytest.raises(PermissionRefused):
            act(connection, actor=actor)


def test_another_workspaces_connection(operator, system):
    other = factories.workspace()
    with workspace_scope(other):
        theirs = Connection.objects.get()
    assert operator.post(trial(theirs)).status_code == 404
    assert operator.post(page(theirs), form(name="Mine", provider="fake")).status_code == 302
    assert ALL.get(pk=theirs.pk).name == "Demo (no AI)"
    with pytest.raises(NotFound):
        connection_trial.try_out(theirs, actor=system)


def test_the_same_name_in_another_workspace_is_free(operator):
    other = actors.system(factories.workspace())
    connections.save(Connection(name="Acme", provider="openai"), actor=other, key=KEY)
    assert operator.post(ADD, form(key=KEY)).status_code == 302
    assert ALL.filter(name="Acme").count() == 2


# ---- list and deletion


def test_the_list(operator, made, system):
    connection = made(base_url="https://acme.example/v1")
    model = LanguageModel.objects.create(workspace=system.workspace, alias="fast", name="Fast")
    Deployment.objects.create(model=model, connection=connection, provider_model="acme-1")
    html = operator.get(LIST).content.decode()
    for words in ("Acme", "OpenAI or compatible", "https://acme.example/v1", "Stored here", "Fast"):
        assert words in html


@pytest.mark.slow  # rows by the hundred
def test_the_list_takes_equally_many_queries_at_3_and_300(operator, made):
    def count():
        with CaptureQueriesContext(database) as queries:
            assert operator.get(LIST).status_code == 200
        return len(queries)

    made("a"), made("b")
    few = count()
    for number in range(297):
        Connection.objects.create(workspace_id=ALL.first().workspace_id, name=f"c{number}", provider="openai")
    assert count() == few


def test_a_connection_in_use_stays(operator, system, scope):
    demo = Connection.objects.get(provider="fake")
    with pytest.raises(Conflict, match="used by Demo model"):
        connections.delete(demo, actor=system)
    operator.post(reverse("admin:llm_admin_connection_delete", args=[demo.pk]), {"post": "yes"})
    assert Connection.objects.filter(pk=demo.pk).exists()


def test_an_unused_connection_is_deleted(operator, made):
    connection = made()
    operator.post(reverse("admin:llm_admin_connection_delete", args=[connection.pk]), {"post": "yes"})
    assert not ALL.filter(name="Acme").exists()


@pytest.mark.skipif(database.vendor != "sqlite", reason="reads all of SQLite's tables")
def test_nothing_in_the_database_holds_the_key(operator):
    operator.post(ADD, form(key=KEY))
    with database.cursor() as cursor:
        # A virtual table has no rows of its own: they are in tables beside it.
        cursor.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%%'")
        rows = [row for (name,) in cursor.fetchall() for row in cursor.execute(f'SELECT * FROM "{name}"').fetchall()]
    held = [value.encode() if isinstance(value, str) else value for row in rows for value in row]
    held = [value for value in held if isinstance(value, bytes)]
    assert any(b"Acme" in value for value in held)
    assert not any(KEY.encode() in value for value in held)
