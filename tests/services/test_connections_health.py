"""What is known of connections: from tests and from real calls, stored rarely; keys that are replaced; keys anew."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import connection as database

from llm_admin.choices import ErrorKind, Role
from llm_admin.exceptions import CallFailed, Conflict, InvalidInput, NotFound, PermissionRefused
from llm_admin.jobs.writer import WRITER
from llm_admin.models import Connection, Deployment, DeploymentPrice, LanguageModel
from llm_admin.services import (
    actors,
    connection_health,
    connection_keys,
    connection_trial,
    connections,
    models,
    route_state,
    secrets,
)
from llm_admin.services.connection_keys import KeyRefused
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.servers.openai_behaviour import Behaviour, error
from tests.servers.openai_server import OpenAIServer

KEY, NEW = "sk-planted-7Gq2Zt9wLm4xRv8nBc3y", "sk-renewed-8Hr3Au0xMn5ySw9oCd4z"
BAD = "sk-planted-never-works-bad"  # the server refuses what ends in -bad
ALL = Connection.objects.with_scopes_disabled()


@pytest.fixture
def server():
    with OpenAIServer() as one:
        yield one


@pytest.fixture
def acme(system, scope, server):
    return connections.save(Connection(name="Acme", provider="openai", base_url=server.base_url), actor=system, key=KEY)


@pytest.fixture
def fast(acme, system):
    """A model that runs on Acme as “echo”, at 1 and 2 dollars per million tokens."""
    model = LanguageModel.objects.create(workspace=system.workspace, alias="fast", name="Fast")
    deployment = Deployment.objects.create(model=model, connection=acme, provider_model="echo")
    DeploymentPrice.objects.create(deployment=deployment, input_per_million=1, output_per_million=2)
    return deployment


def health(connection):
    return ALL.values_list("healthy", "problem").get(pk=connection.pk)


# ---- the test


def test_a_test_lists_models_makes_a_tiny_call_and_is_remembered(acme, fast, server, system):
    server.script("echo", Behaviour(text="ok", usage={"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}))
    trial = connection_trial.try_out(acme, actor=system)
    assert trial.problem == ""
    assert "echo" in trial.models
    assert (trial.call.model, trial.call.problem, trial.call.cost_nano) == ("echo", "", 7 * 1000 + 3 * 2000)
    (request,) = server.requests
    assert request.body["max_tokens"] == 5
    stored = ALL.get(pk=acme.pk)
    assert (stored.healthy, stored.problem) == (True, "")
    assert stored.checked_at is not None
    assert stored.check_ms is not None


def test_without_a_price_its_cost_is_unknown(acme, fast, server, system):
    DeploymentPrice.objects.all().delete()
    assert connection_trial.try_out(acme, actor=system).call.cost_nano is None


def test_without_a_model_the_first_that_chats_is_called(acme, server, system):
    server.model_list = {"object": "list", "data": [{"id": n} for n in ("a-embedding-1", "dall-e-3", "echo", "zeta")]}
    trial = connection_trial.try_out(acme, actor=system)
    assert (trial.problem, trial.call.model) == ("", "echo")


def test_a_model_that_nobody_uses_and_does_not_chat_is_no_failure(acme, server, system):
    server.model_list = {"object": "list", "data": [{"id": "404"}]}
    trial = connection_trial.try_out(acme, actor=system)
    assert (trial.problem, health(acme)) == ("", (True, ""))
    assert "does not exist" in trial.call.problem


def test_a_server_that_lists_nothing_makes_no_call(acme, server, system):
    server.model_list = {"object": "list", "data": []}
    trial = connection_trial.try_out(acme, actor=system)
    assert (trial.problem, trial.call, server.requests) == ("", None, [])


def test_a_model_in_use_that_fails_is_a_failure(acme, fast, server, system):
    server.script("echo", error(404, "The model `echo` does not exist.", code="model_not_found"))
    trial = connection_trial.try_out(acme, actor=system)
    assert trial.problem == "echo: Request refused: The model `echo` does not exist."
    assert "name of the model" in trial.advice
    assert health(acme) == (False, trial.problem)


def test_a_refused_key_is_remembered_without_it(acme, server, system):
    connection = connections.save(acme, actor=system, key=BAD)
    trial = connection_trial.try_out(connection, actor=system)
    assert trial.problem.startswith("Key refused")
    healthy, problem = health(acme)
    assert healthy is False
    assert BAD not in problem + trial.problem + trial.advice


def test_our_own_refusal_names_the_setting_and_gives_no_other_advice(acme, server, system, settings):
    settings.LLM_ADMIN = {**settings.LLM_ADMIN, "OUTGOING_PRIVATE_HOSTS": []}
    trial = connection_trial.try_out(acme, actor=system)
    assert f"“127.0.0.1:{server.port}” to LLM_ADMIN" in trial.problem
    assert trial.advice == ""
    assert server.connections == 0


@pytest.mark.parametrize("changes", [{"key": NEW}, {"base_url": "https://new.example/v1", "key": NEW}])
def test_after_a_change_nothing_is_known(acme, system, changes):
    connection_health.store(acme.pk, healthy=True, check_ms=5)
    acme.refresh_from_db()
    key = changes.pop("key", "")
    for name, value in changes.items():
        setattr(acme, name, value)
    connections.save(acme, actor=system, key=key)
    stored = ALL.get(pk=acme.pk)
    assert (stored.healthy, stored.checked_at, stored.check_ms) == (None, None, None)


def test_another_name_changes_nothing_that_is_known(acme, system):
    connection_health.store(acme.pk, healthy=True, check_ms=5)
    acme.refresh_from_db()
    changed_at, acme.name = acme.key_changed_at, "Renamed"
    connections.save(acme, actor=system)
    stored = ALL.get(pk=acme.pk)
    assert (stored.name, stored.healthy, stored.key_changed_at) == ("Renamed", True, changed_at)


@pytest.mark.parametrize("by", ["test", "key", "address", "place"])
def test_what_was_repaired_rests_no_longer(acme, fast, system, server, by):
    """Its calls would go to the next place for minutes after an operator made it work again."""
    route_state.set_rest(fast.pk, route_state.Rest(3, 9e12, 1))
    if by == "test":
        connection_trial.try_out(acme, actor=system)
    elif by == "key":
        connection_keys.replace(acme, actor=system, key=NEW)
    elif by == "address":
        acme.base_url = f"http://localhost:{server.port}/v1"
        connections.save(acme, actor=system, key=NEW)
    else:
        models.save_deployment(fast, actor=system)
    assert route_state.rest_of(fast.pk) == route_state.WELL


def test_a_test_that_fails_wakes_nobody(acme, fast, system):
    route_state.set_rest(fast.pk, resting := route_state.Rest(3, 9e12, 1))
    connection = connections.save(acme, actor=system)
    Connection.objects.filter(pk=acme.pk).update(base_url="http://127.0.0.1:9/v1")
    connection.refresh_from_db()
    assert connection_trial.try_out(connection, actor=system).problem
    assert route_state.rest_of(fast.pk) == resting


# ---- real calls


@pytest.fixture
def noting(acme, monkeypatch):
    """Writes at once, in this thread, and is counted; the clock stands still until it is moved."""
    secrets.redactor()
    connection_health.forget()
    written, clock = [], [1000.0]

    def write(operation):
        written.append(1)
        operation()

    monkeypatch.setattr(WRITER, "post", write)
    monkeypatch.setattr(connection_health.time, "monotonic", lambda: clock[0])

    def note(failure=None, later=0.0):
        clock[0] += later
        connections.note_outcome(acme.pk, failure)
        return len(written)

    yield note
    connection_health.forget()


DOWN = CallFailed(ErrorKind.PROVIDER_DOWN, "no connection to the server")


def test_calls_say_how_a_connection_is(noting, acme):
    noting()
    assert health(acme) == (True, "")
    noting(DOWN, later=2)
    assert health(acme) == (False, "Provider not reachable: no connection to the server.")
    noting(later=2)
    assert health(acme) == (True, "")


def test_the_same_news_is_stored_once_a_minute(noting):
    assert noting() == 1
    assert [noting(later=0.5) for _ in range(100)][-1] == 1
    assert noting(later=11) == 2


def test_a_connection_that_flaps_is_stored_once_a_second(noting):
    counts = [noting(DOWN if number % 2 else None, later=0.01) for number in range(200)]  # two seconds
    assert counts[-1] <= 3


@pytest.mark.parametrize(
    "kind", [ErrorKind.RATE_LIMIT, ErrorKind.CONTEXT_TOO_LONG, ErrorKind.CONTENT_FILTER, ErrorKind.BAD_REQUEST]
)
def test_what_is_no_fault_of_the_connection_says_nothing(noting, acme, kind):
    assert noting(CallFailed(kind, "as it is")) == 0
    assert health(acme) == (None, "")


def test_a_key_in_a_provider_s_words_is_masked(noting, acme):
    noting(CallFailed(ErrorKind.AUTHENTICATION, f"no such key: {KEY}"))
    assert KEY not in health(acme)[1]
    assert health(acme)[1].startswith("Key refused")


@pytest.mark.django_db(transaction=True)
def test_the_writer_s_thread_stores_it(system):
    with workspace_scope(system.workspace):
        demo = Connection.objects.get()
    secrets.redactor()
    connections.note_outcome(demo.pk, DOWN)
    WRITER.write_sync(lambda: None)  # what was posted before is durable now
    assert health(demo)[0] is False
    connection_health.forget()


def test_no_connection_no_news(noting):
    connections.note_outcome(None, DOWN)
    assert noting() == 1


# ---- replacing the key


def test_a_new_key_is_tried_and_takes_the_place(acme, server, member, workspace):
    olga = member(Role.OPERATOR, "olga")
    before = acme.key_changed_at
    connection_keys.replace(acme, actor=actors.Actor(workspace, olga, Role.OPERATOR), key=f" {NEW} ")
    stored = ALL.get(pk=acme.pk)
    assert (stored.secret(), stored.healthy) == (NEW, True)
    assert stored.key_changed_at > before
    assert server.others[-1].headers["authorization"] == f"Bearer {NEW}"
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.get_change_message()) == (
        olga,
        str(acme.pk),
        "Replaced the key; the new one works.",
    )


def test_a_key_that_does_not_work_leaves_the_old_one(acme, system):
    before = ALL.values().get(pk=acme.pk)
    with pytest.raises(KeyRefused, match="Key refused") as refused:
        connection_keys.replace(acme, actor=system, key=BAD)
    assert BAD not in str(refused.value)
    assert ALL.values().get(pk=acme.pk) == before


def test_unless_it_is_wanted(acme, system):
    trial = connection_keys.replace(acme, actor=system, key=BAD, anyway=True)
    assert trial.problem.startswith("Key refused")
    assert ALL.get(pk=acme.pk).secret() == BAD
    assert health(acme)[0] is False


@pytest.mark.parametrize(
    ("key", "words"), [("", "Enter the new key"), ("two words", "spaces"), ("schlüssel", "no key")]
)
def test_what_is_no_key_is_not_tried(acme, system, server, key, words):
    with pytest.raises(InvalidInput, match=words):
        connection_keys.replace(acme, actor=system, key=key, anyway=True)
    assert server.others == []


def test_a_key_in_a_variable_is_replaced_there(acme, system, monkeypatch):
    monkeypatch.setenv("ACME_KEY", KEY)
    acme.api_key_env = "ACME_KEY"
    connections.save(acme, actor=system)
    with pytest.raises(Conflict, match="variable ACME_KEY"):
        connection_keys.replace(acme, actor=system, key=NEW)


def test_of_two_people_the_second_is_told(acme, system):
    second = Connection.objects.get(pk=acme.pk)
    connection_keys.replace(acme, actor=system, key=NEW)
    with pytest.raises(Conflict, match="Somebody else"):
        connection_keys.replace(second, actor=system, key="sk-of-the-second-1")
    assert ALL.get(pk=acme.pk).secret() == NEW


def test_who_may_replace_it(acme, member, workspace):
    author = actors.Actor(workspace, member(Role.AUTHOR), Role.AUTHOR)
    with pytest.raises(PermissionRefused):
        connection_keys.replace(acme, actor=author, key=NEW)
    with pytest.raises(NotFound):
        connection_keys.replace(acme, actor=actors.system(factories.workspace()), key=NEW)


# ---- encrypting anew


@pytest.fixture
def keys_of_settings(settings):
    """change(SALT_KEY=..., ...) as a restart of the server with other settings does it."""
    field = Connection._meta.get_field("api_key")

    def change(**values):
        for name, value in values.items():
            setattr(settings, name, value)
        for cached in ("keys", "f"):
            field.__dict__.pop(cached, None)

    yield change
    for cached in ("keys", "f"):
        field.__dict__.pop(cached, None)


def raw(connection):
    with database.cursor() as cursor:
        cursor.execute("SELECT api_key FROM llm_admin_connection WHERE id = %s", [connection.pk])
        return cursor.fetchone()[0]


def reencrypt():
    out = StringIO()
    call_command("reencrypt_keys", stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"SALT_KEY": ["new-salt", "llm-console.connection-keys"]}, {"SALT_KEY": ["new-salt"]}),
        (
            {"SECRET_KEY": "n" * 60, "SECRET_KEY_FALLBACKS": ["only-the-old-one"]},
            {"SECRET_KEY_FALLBACKS": []},
        ),
    ],
    ids=["salt", "secret"],
)
def test_after_it_the_former_keys_are_not_needed(acme, keys_of_settings, settings, first, then):
    if "SECRET_KEY" in first:
        first = first | {"SECRET_KEY_FALLBACKS": [settings.SECRET_KEY]}
    elsewhere = factories.workspace()
    other = connections.save(Connection(name="Theirs", provider="openai"), actor=actors.system(elsewhere), key=NEW)
    before = raw(acme)
    keys_of_settings(**first)
    assert reencrypt() == "2 keys encrypted anew.\n"
    assert raw(acme) != before
    keys_of_settings(**then)
    assert (ALL.get(pk=acme.pk).secret(), ALL.get(pk=other.pk).secret()) == (KEY, NEW)


def test_a_key_that_cannot_be_read_stays_as_it_is(acme, keys_of_settings):
    before = raw(acme)
    keys_of_settings(SALT_KEY="quite-another")
    with pytest.raises(CommandError, match="Not readable.*Acme"):
        reencrypt()
    assert raw(acme) == before
    keys_of_settings(SALT_KEY="llm-console.connection-keys")
    assert ALL.get(pk=acme.pk).secret() == KEY


def test_no_key_stands_in_what_is_stored(acme, system):
    connection_keys.replace(acme, actor=system, key=BAD, anyway=True)
    with workspace_scope(system.workspace):
        rows = json.dumps(list(Connection.objects.defer("api_key").values("name", "problem", "options")))
    assert BAD not in rows + raw(acme)
