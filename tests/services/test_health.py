"""The checks: what each finds, that none hangs or breaks the rest, and what machines are told."""

from __future__ import annotations

import json
import sys
import threading
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.db import connections as databases
from django.utils import timezone

import llm_admin
from llm_admin.choices import RunStatus
from llm_admin.models import Connection, Lease, Run
from llm_admin.registry import Registry
from llm_admin.services import connection_health, health, health_checks
from llm_admin.services.health import State
from llm_admin.services.live import LIVE
from llm_admin.services.server import TICKER
from tests import factories


@pytest.fixture
def checks(monkeypatch):
    """A registry of one's own; the built-in checks are not in it."""
    table = Registry("health check")
    monkeypatch.setattr(health, "CHECKS", table)
    return table


@pytest.fixture
def ticking(workspace):
    """A server looks after runs."""
    return Lease.objects.create(name=TICKER, holder="x", expires_at=timezone.now() + timedelta(seconds=9))


def found(name, workspace=None):
    (one,) = health.run([name], workspace=workspace)
    return one.finding


# ---- running them


@pytest.mark.django_db(transaction=True)
def test_a_check_that_hangs_does_not_hang_the_others(checks):
    released, begun = threading.Event(), []

    @llm_admin.register_health_check("slow_thing")
    def hangs(workspace):
        begun.append(1)
        released.wait(60)
        return llm_admin.Finding.works("At last.")

    @llm_admin.register_health_check("quick")
    def quick(workspace):
        return llm_admin.Finding.look("Works, but.")

    try:
        for _ in range(3):
            slow, fast = health.run(timeout=0.2)
            assert (slow.title, slow.finding.state, slow.milliseconds) == ("Slow thing", State.BROKEN, None)
            assert "No answer in time" in slow.finding.sentence
            assert (fast.finding.state, fast.finding.sentence) == (State.LOOK, "Works, but.")
        assert begun == [1], "a check that hangs is not begun again"
    finally:
        released.set()
    assert health.run(["slow_thing"])[0].finding.sentence == "At last."


@pytest.mark.django_db(transaction=True)
def test_each_check_gives_its_database_connection_back(checks):
    seen = []

    @llm_admin.register_health_check("reads")
    def reads(workspace):
        Lease.objects.count()
        seen.append(databases["default"])
        return llm_admin.Finding.works("")

    health.run()
    assert seen[0] is not databases["default"]
    assert seen[0].connection is None


def test_a_check_that_raises_is_broken_and_its_words_are_masked(checks, workspace, system):
    from llm_admin.services import connections

    key = "sk-planted-7Gq2Zt9wLm4xRv8nBc3y"
    connections.save(Connection(name="Acme", provider="openai"), actor=system, key=key)

    @llm_admin.register_health_check("bad")
    def bad(workspace):
        raise ZeroDivisionError(f"by {key}")

    finding = found("bad")
    assert finding.state == State.BROKEN
    assert finding.sentence.startswith("The check failed: ZeroDivisionError: by ")
    assert key not in finding.sentence


def test_a_name_is_registered_once(checks):
    llm_admin.register_health_check("x")(lambda workspace: llm_admin.Finding.works(""))
    with pytest.raises(Exception, match="registered twice"):
        llm_admin.register_health_check("x")(lambda workspace: llm_admin.Finding.works(""))


@pytest.mark.parametrize("given", [None, True, "ok", {"state": "works"}, llm_admin.Finding("works", "a text")])
def test_a_check_that_gives_something_else_is_broken(checks, workspace, given):
    llm_admin.register_health_check("odd")(lambda workspace: given)
    assert "gave no Finding" in found("odd").sentence


@pytest.mark.django_db(transaction=True)
def test_a_check_that_ends_its_thread_is_broken_and_begun_again(checks):
    llm_admin.register_health_check("leaves")(lambda workspace: sys.exit(3))
    assert [found("leaves").sentence for _ in range(2)] == ["The check failed: SystemExit: 3."] * 2


# ---- the built-in ones


def test_everything_works(ticking, scope):
    connection_health.store(Connection.objects.get().pk, healthy=True)
    states = {one.name: one.finding.state for one in health.run()}
    assert states == dict.fromkeys(("database", "migrations", "cache", "jobs", "providers"), State.WORKS)


def test_the_database_is_written_and_left_as_it_was(workspace):
    before = list(Lease.objects.values())
    assert "is written in" in found("database").sentence
    assert list(Lease.objects.values()) == before


def test_a_slow_database_needs_a_look(workspace, monkeypatch):
    monkeypatch.setattr(health_checks, "SLOW_MS", 0)
    assert found("database").state == State.LOOK


def test_a_migration_that_is_not_applied(workspace, monkeypatch):
    monkeypatch.setattr(health_checks, "_migrated", False)
    with database.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'shop'")
    finding = found("migrations")
    assert finding.state == State.BROKEN
    assert "manage.py migrate" in finding.sentence


def test_a_cache_that_keeps_nothing(workspace, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    finding = found("cache")
    assert (finding.state, "CACHES" in finding.sentence) == (State.BROKEN, True)


def test_nobody_looks_after_runs(workspace):
    assert found("jobs").state == State.LOOK
    Lease.objects.create(name=TICKER, holder="x", expires_at=timezone.now() - timedelta(seconds=30))
    finding = found("jobs")
    assert finding.state == State.BROKEN
    assert "Start one" in finding.sentence


@pytest.mark.parametrize(
    "fields",
    [
        {"status": RunStatus.RUNNING, "lease_expires_at": timezone.now() - timedelta(minutes=5)},
        {"status": RunStatus.PENDING, "created_at": timezone.now() - timedelta(minutes=5)},
    ],
    ids=["running", "pending"],
)
def test_runs_that_wait_in_vain(ticking, workspace, fields):
    run = Run._base_manager.create(
        workspace=workspace, kind="prompt", source="code", spec={}, inputs={}, created_at=timezone.now()
    )
    Run._base_manager.filter(pk=run.pk).update(**fields)
    assert found("jobs").sentence.startswith("1 run waits in vain")
    assert found("jobs", workspace).state == State.BROKEN
    assert found("jobs", factories.workspace()).state == State.WORKS


def test_a_loop_that_does_not_answer(ticking, monkeypatch):
    blocked = threading.Event()

    async def block():
        blocked.wait(30)

    monkeypatch.setattr(health_checks, "LOOP_TIMEOUT", 0.1)
    health_checks.LOCAL.submit(block())
    try:
        assert "does not answer" in found("jobs").sentence
    finally:
        blocked.set()
    monkeypatch.setattr(health_checks, "LOOP_TIMEOUT", 30)
    assert found("jobs").state == State.WORKS


def test_connections_are_read_and_nobody_is_asked(scope, workspace):
    demo = Connection.objects.get()
    untested = found("providers", workspace)
    assert (untested.state, untested.sentence) == (State.LOOK, "No connection was tested yet. Test each on its page.")
    connection_health.store(demo.pk, healthy=False, problem="Key refused.")
    used = found("providers", workspace)
    assert (used.state, "“Demo (no AI)”" in used.sentence) == (State.BROKEN, True)
    spare = Connection.objects.create(workspace=workspace, name="Spare", provider="fake", healthy=False)
    connection_health.store(demo.pk, healthy=True)
    assert found("providers", workspace).state == State.LOOK
    assert "Spare" not in found("providers", factories.workspace()).sentence
    spare.delete()
    assert found("providers", workspace).sentence == "1 works."


# ---- for machines


def command(*options):
    out = StringIO()
    call_command("check_health", *options, stdout=out)
    return out.getvalue()


def test_the_command(ticking):
    assert "Database: Works. " in command()
    told = json.loads(command("--json"))
    assert told["healthy"] is True
    assert [one["name"] for one in told["checks"]] == ["database", "migrations", "cache", "jobs", "providers"]
    assert set(told["checks"][0]) == {"name", "state", "sentence", "milliseconds"}


def test_the_command_fails_when_something_does_not_work(ticking, settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    with pytest.raises(CommandError, match="1 of 5 do not work: cache") as failed:
        command("--json")
    assert failed.value.returncode == 1


def test_alive_asks_no_database(client):
    """Without the fixture of the database every query is an error."""
    client.cookies["sessionid"] = "somebody"
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"alive\n")
    assert "no-cache" in answer["Cache-Control"]
    assert client.post("/healthz").status_code == 405


def test_ready(client, workspace, settings):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "checks": {"server": True, "database": True, "migrations": True, "cache": True},
    }
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["cache"]) == (503, False)
    assert b"CACHES" not in answer.content


@pytest.mark.django_db(transaction=True)
def test_ready_as_a_server_says_it(client, workspace):
    """Each check in a thread, with a database connection of its own."""
    assert client.get("/readyz").status_code == 200


def test_not_ready_without_a_database(client, monkeypatch):
    """Nothing of what the database says comes out."""

    def down(workspace):
        raise ConnectionError("postgres://user:word@db.internal/name")

    monkeypatch.setitem(health.CHECKS._table, "database", down)
    monkeypatch.setitem(health.CHECKS._table, "migrations", down)
    monkeypatch.setattr(health, "_masked", lambda text: text)
    monkeypatch.setattr(health.transaction, "get_connection", lambda: type("No", (), {"in_atomic_block": True}))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["database"]) == (503, False)
    assert b"internal" not in answer.content


def test_a_server_that_stops_is_not_ready(client, workspace, monkeypatch):
    monkeypatch.setattr(LIVE, "stopping", True)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["server"]) == (503, False)


def test_probes_are_not_sent_to_https(client, settings, workspace):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
    assert client.get("/admin/").status_code == 301
