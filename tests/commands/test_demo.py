"""manage.py demo: the whole demo once, nothing the second time, and never where others could use its accounts."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth import aauthenticate, authenticate, get_user_model
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.models import InteractionLog, Membership, Prompt, PromptVersion, Run, Workflow
from llm_admin.services import demo
from tests import factories

User = get_user_model()
LOGIN = reverse("admin:login")


@pytest.fixture
def asked(monkeypatch):
    monkeypatch.setenv("DEMO", "1")
    monkeypatch.delenv("HOST", raising=False)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(demo, "LOGS", 60)


def run():
    out = StringIO()
    call_command("demo", stdout=out)
    return out.getvalue()


# ---- what it makes


@pytest.mark.usefixtures("asked", "short", "scope")
def test_library_accounts_and_a_month_of_calls():
    out = run()
    assert "10 prompts and workflows" in out
    assert (Prompt.objects.count(), Workflow.objects.count()) == (9, 6)  # some come from the gallery
    assert PromptVersion.objects.count() > 6
    assert dict(Membership.objects.values_list("user__username", "role")) == {
        name: name for name in ("admin", "author", "operator", "viewer")
    }
    assert list(User.objects.filter(is_superuser=True).values_list("username", flat=True)) == ["admin"]
    assert InteractionLog.objects.count() == 60
    assert Run.objects.exists()


@pytest.mark.usefixtures("asked", "short", "scope")
def test_a_second_time_is_silent_and_cheap():
    run()
    before = {user.username: user.password for user in User.objects.all()}
    with CaptureQueriesContext(database) as queries:
        assert run() == ""
    assert len(queries) < 60
    assert {user.username: user.password for user in User.objects.all()} == before
    assert InteractionLog.objects.count() == 60
    assert PromptVersion.objects.count() < 60


@pytest.mark.usefixtures("asked", "short", "scope")
def test_an_account_of_this_name_stays_as_it_is():
    mine = User.objects.create_user("admin", password="a-password-of-my-own")
    run()
    mine.refresh_from_db()
    assert mine.check_password("a-password-of-my-own")
    assert not mine.is_superuser
    assert not Membership.objects.filter(user=mine).exists()
    assert User.objects.filter(username="author").exists()


@pytest.mark.usefixtures("asked", "short", "scope")
def test_past_runs_are_only_made_where_there_are_none(workspace):
    Run.objects.create(workspace=workspace, kind="prompt", spec={}, source="code", created_at="2026-01-01T00:00:00Z")
    assert "past" not in run()
    assert not InteractionLog.objects.exists()


# ---- where it refuses


@pytest.mark.usefixtures("scope")
@pytest.mark.parametrize(
    "environment", [{}, {"DEMO": "0"}, {"DEMO": "1", "HOST": "0.0.0.0"}, {"DEMO": "1", "HOST": "::"}]
)
def test_refused_unless_asked_for_on_a_loopback_address(monkeypatch, environment):
    for name in ("DEMO", "HOST"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(CommandError):
        run()
    assert not User.objects.exists()
    assert not Prompt.objects.exists()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("", False),
    ],
)
def test_loopback(host, loopback):
    assert demo.is_loopback(host) == loopback


# ---- who gets in


@pytest.fixture
def accounts(workspace):
    return [factories.user(name) for name in demo.ACCOUNTS]


def sign_in(username="author", password="demo", **meta):
    client = Client(**meta)
    client.post(LOGIN, {"username": username, "password": password})
    return "_auth_user_id" in client.session


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize("name", list(demo.ACCOUNTS))
@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_from_this_machine(name, address):
    assert sign_in(name, REMOTE_ADDR=address)


@pytest.mark.usefixtures("accounts")
@pytest.mark.parametrize(
    "meta",
    [
        {"REMOTE_ADDR": "192.168.1.7"},
        {"REMOTE_ADDR": "2001:db8::1"},
        {"REMOTE_ADDR": ""},
        {"HTTP_X_FORWARDED_FOR": "203.0.113.9"},
        {"HTTP_FORWARDED": "for=203.0.113.9"},
        {"HTTP_X_REAL_IP": "203.0.113.9"},
    ],
)
def test_from_another_machine_or_through_a_proxy(meta):
    assert not sign_in("author", **meta)
    assert not sign_in("admin", **meta)


@pytest.mark.usefixtures("accounts")
def test_neither_without_a_request():
    assert authenticate(username="author", password="demo") is None
    assert authenticate(RequestFactory().get("/"), username="author", password="demo").username == "author"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("accounts")
async def test_the_asynchronous_way_is_guarded_as_well():
    outside = RequestFactory(REMOTE_ADDR="192.168.1.7").get("/")
    assert await aauthenticate(outside, username="author", password="demo") is None
    inside = RequestFactory().get("/")
    assert (await aauthenticate(inside, username="author", password="demo")).username == "author"


@pytest.mark.usefixtures("accounts")
def test_with_a_password_of_ones_own_the_account_is_like_any_other():
    author = User.objects.get(username="author")
    author.set_password("a-password-of-my-own")
    author.save()
    assert sign_in("author", "a-password-of-my-own", REMOTE_ADDR="192.168.1.7")


def test_other_accounts_are_not_concerned(workspace):
    factories.user("ada")
    assert sign_in("ada", REMOTE_ADDR="192.168.1.7")
