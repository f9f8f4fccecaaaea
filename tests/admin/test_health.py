"""The page “Health”: who sees it, what it says, and that it shows nothing of other workspaces."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from llm_admin.choices import Role
from llm_admin.models import Connection, Lease
from llm_admin.services import connection_health, health
from llm_admin.services.server import TICKER
from llm_admin.tenancy import workspace_scope
from tests import factories

PAGE = reverse("admin:llm_admin_health")


@pytest.fixture
def operator(member, login):
    Lease.objects.create(name=TICKER, holder="x", expires_at=timezone.now() + timedelta(seconds=9))
    Connection._base_manager.update(healthy=True)
    return login(member(Role.OPERATOR, "olga"))


def test_it_says_that_everything_works(operator, scope):
    html = operator.get(PAGE).content.decode()
    for words in ("Everything works.", "Database", "Migrations", "Cache", "Jobs", "Providers", "/healthz", "/readyz"):
        assert words in html


def test_it_says_what_does_not(operator, scope):
    connection_health.store(Connection.objects.get().pk, healthy=False, problem="x")
    html = operator.get(PAGE).content.decode()
    assert "1 of 5 does not work." in html
    assert "“Demo (no AI)” did not work" in html


def test_a_registered_check_is_shown_escaped(operator, monkeypatch):
    monkeypatch.setitem(health.CHECKS._table, "vector_index", lambda workspace: health.Finding.look("<i>slow</i>"))
    html = operator.get(PAGE).content.decode()
    assert "Vector index" in html
    assert "&lt;i&gt;slow&lt;/i&gt;" in html
    assert "Everything works; 1 needs a look." in html


def test_it_is_in_the_menu_of_those_who_may(operator):
    assert PAGE in operator.get(reverse("admin:index")).content.decode()


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR])
def test_only_operators(member, login, role):
    client = login(member(role))
    assert client.get(PAGE).status_code == 403
    assert PAGE not in client.get(reverse("admin:index")).content.decode()


def test_nobody_in_particular(client, workspace):
    assert client.get(PAGE).status_code == 302


def test_other_workspaces_are_not_mentioned(operator):
    with workspace_scope(factories.workspace()):
        theirs = Connection.objects.get()
        Connection.objects.filter(pk=theirs.pk).update(name="Theirs alone", healthy=False)
    assert "Theirs" not in operator.get(PAGE).content.decode()


@pytest.mark.slow  # rows by the hundred
def test_as_many_queries_for_300_connections_as_for_one(operator, workspace):
    def count():
        with CaptureQueriesContext(database) as queries:
            assert operator.get(PAGE).status_code == 200
        return len(queries)

    few = count()
    with workspace_scope(workspace):
        for number in range(300):
            Connection.objects.create(workspace=workspace, name=f"c{number}", provider="fake", healthy=False)
    assert count() == few


def test_it_only_reads(operator):
    assert operator.post(PAGE).status_code == 405
