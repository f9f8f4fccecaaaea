"""What stands around every page: the workspace switcher, the demo banner, and the pages for errors."""

from __future__ import annotations

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.choices import Role
from llm_admin.models import Connection, Deployment, LanguageModel, Workspace
from llm_admin.services import actors, catalogue, models, workspace_settings
from llm_admin.tenancy import workspace_scope
from tests import factories

HOME = reverse("admin:index")
HELP = reverse("admin:llm_admin_help")
MODELS = reverse("admin:llm_admin_languagemodel_changelist")
SWITCH = reverse("admin:llm_admin_workspace_switch")
BANNER = "Demo model: these answers come from no AI."
SWITCHER = "llm-switcher"


@pytest.fixture
def other(workspace):
    return factories.workspace("Legal department")


@pytest.fixture
def ada(member, other):
    """An author here, a viewer in the other workspace."""
    user = member(Role.AUTHOR, "ada")
    with workspace_scope(other):
        other.memberships.create(user=user, role=Role.VIEWER)
    return user


def text(response):
    return response.content.decode()


def switch(client, workspace, **fields):
    return client.post(SWITCH, {"id": workspace.pk} | fields)


def current(client):
    return client.get(HELP).context["llm_workspace"]


# ---- the switcher


def test_one_workspace_is_invisible(login, member):
    assert SWITCHER not in text(login(member()).get(HELP))


def test_superusers_with_one_workspace_see_none_either(login, workspace):
    assert SWITCHER not in text(login(factories.user("root", is_superuser=True)).get(HELP))


def test_two_workspaces_are_offered_and_the_current_one_is_marked(login, ada, workspace, other):
    html = text(login(ada).get(HELP))
    assert SWITCHER in html
    assert f'name="id" value="{other.pk}"' in html
    marked = html.split('aria-current="true"')
    assert len(marked) == 2
    assert f'value="{workspace.pk}"' in marked[0][-80:]


def test_only_ones_own_workspaces_are_offered(login, ada, other):
    factories.workspace("Secret project")
    assert "Secret project" not in text(login(ada).get(HELP))
    assert "Secret project" in text(login(factories.user("root", is_superuser=True)).get(HELP))


def test_switching_stays_for_the_session(login, ada, other):
    client = login(ada)
    response = switch(client, other, next=HELP)
    assert response.url == HOME
    assert "You are now in the workspace “Legal department”." in text(client.get(HELP))
    assert current(client) == other
    fresh = Client()
    fresh.force_login(ada)
    assert current(fresh).slug == "default"


def test_from_a_list_and_from_its_objects_one_lands_on_that_list(login, ada, other, workspace):
    client = login(ada)
    model = workspace.default_model
    change = reverse("admin:llm_admin_languagemodel_change", args=[model.pk])
    assert switch(client, other, next=MODELS + "?q=x").url == MODELS
    switch(client, workspace)
    assert switch(client, other, next=change).url == MODELS
    assert client.get(MODELS).status_code == 200


def test_a_list_that_one_may_not_see_over_there_is_not_opened(login, member, other):
    user = member(Role.OPERATOR, "olga")
    with workspace_scope(other):
        other.memberships.create(user=user, role=Role.VIEWER)
    connections = reverse("admin:llm_admin_connection_changelist")
    assert switch(login(user), other, next=connections).url == HOME


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/admin/",
        "//evil.example/",
        "/nowhere/",
        "javascript:alert(1)",
        "",
        "\\\\evil",
        "http://[half",
    ],
)
def test_other_addresses_lead_home(login, ada, other, address):
    assert switch(login(ada), other, next=address).url == HOME


def test_only_posting_switches(login, ada, other):
    client = login(ada)
    assert client.get(SWITCH, {"id": other.pk}).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    assert switch(strict, other).status_code == 403
    assert current(client).slug == "default"


@pytest.mark.parametrize("wanted", ["", "abc", "0", "99999"])
def test_a_workspace_that_does_not_exist(login, ada, wanted):
    client = login(ada)
    assert client.post(SWITCH, {"id": wanted}).status_code == 404
    assert current(client).slug == "default"


def test_somebody_elses_workspace(login, ada):
    client = login(ada)
    assert switch(client, factories.workspace("Secret project")).status_code == 404
    assert current(client).slug == "default"


def test_a_workspace_that_one_was_removed_from_is_left(login, ada, other):
    client = login(ada)
    switch(client, other)
    with workspace_scope(other):
        other.memberships.all().delete()
    assert current(client).slug == "default"


# ---- the banner


def connect_real_one(workspace):
    with workspace_scope(workspace):
        acme = Connection.objects.create(workspace=workspace, name="Acme", provider="openai")
        model = LanguageModel.objects.create(workspace=workspace, alias="fast", name="Fast")
        Deployment.objects.create(model=model, connection=acme, provider_model="acme-1")
    return model


@pytest.mark.parametrize("url", [HOME, HELP, MODELS, reverse("admin:llm_admin_run_changelist")])
def test_the_banner_stands_on_every_page(login, member, url):
    assert BANNER in text(login(member()).get(url))


@pytest.mark.parametrize(("role", "linked"), [(Role.AUTHOR, False), (Role.OPERATOR, True)])
def test_operators_get_the_link_and_others_a_hint(login, member, role, linked):
    html = text(login(member(role)).get(HELP))
    link = f'<a href="{reverse("admin:llm_admin_connection_add")}">Connect a real one</a>'
    assert (link in html) == linked
    assert ("Ask an operator to connect a real one." in html) == (not linked)


def test_a_real_default_model_ends_it_at_once(login, member, workspace, monkeypatch):
    monkeypatch.setattr(catalogue, "LIFETIME", 3600)
    client, real = login(member()), connect_real_one(workspace)
    assert BANNER in text(client.get(HELP))
    workspace_settings.change(workspace, actor=actors.system(workspace), default_model=real)
    assert BANNER not in text(client.get(HELP))


def test_the_first_place_that_is_on_decides(workspace, system):
    real = connect_real_one(workspace)
    workspace.default_model = real
    assert not models.answers_come_from_no_ai(workspace)
    with workspace_scope(workspace):
        demo = Connection.objects.get(provider="fake")
        Deployment.objects.create(model=real, connection=demo, provider_model="demo", priority=0)
        assert models.answers_come_from_no_ai(workspace)
        Deployment.objects.filter(connection=demo, model=real).update(enabled=False)
    assert not models.answers_come_from_no_ai(workspace)


def test_without_a_default_model_there_is_no_banner(workspace):
    workspace.default_model = None
    assert not models.answers_come_from_no_ai(workspace)


def test_the_banner_is_cached(workspace, login, member):
    client = login(member())
    client.get(HELP)
    with CaptureQueriesContext(database) as queries:
        client.get(HELP)
    assert not [q for q in queries.captured_queries if "llm_admin_deployment" in q["sql"]]


def test_the_header_takes_equally_many_queries_with_2_and_60_workspaces(login, workspace):
    client = login(factories.user("root", is_superuser=True))

    def queries():
        catalogue.forget()
        with CaptureQueriesContext(database) as found:
            assert client.get(HELP).status_code == 200
        return len(found)

    Workspace.objects.create(slug="a", name="A")
    few = queries()
    Workspace.objects.bulk_create(Workspace(slug=f"w{number}", name=f"W{number}") for number in range(58))
    assert queries() == few


def test_somebody_without_a_workspace_is_told_what_to_do(login, outsider, workspace):
    html = text(login(outsider).get(HELP))
    assert "You are not a member of any workspace yet." in html
    assert BANNER not in html


# ---- pages for errors


def test_not_allowed(login, member):
    response = login(member(Role.VIEWER)).get(reverse("admin:llm_admin_connection_changelist"))
    assert response.status_code == 403
    assert "Your role in this workspace does not include it" in text(response)
    assert HOME in text(response)


def test_not_found(login, member):
    response = login(member()).get("/nowhere/")
    assert response.status_code == 404
    assert "There is nothing at this address" in text(response)


def test_our_own_mistake(login, member, monkeypatch):
    def broken(*_):
        raise RuntimeError("planted secret")

    monkeypatch.setattr("llm_admin.admin.site.workspaces.switch", broken)
    client = login(member())
    client.raise_request_exception = False
    response = client.post(SWITCH, {"id": 1})
    assert response.status_code == 500
    assert "Something went wrong on our side" in text(response)
    assert "planted secret" not in text(response)


def test_a_page_that_was_open_for_too_long(member):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(member())
    response = strict.post(SWITCH, {"id": 1})
    assert response.status_code == 403
    assert "open for too long" in text(response)


def test_htmx_shows_what_went_wrong(login, member):
    """Without this, a refused fragment would vanish without a word."""
    assert "(403|404|409|422|503)" in text(login(member()).get(HELP))


def test_a_request_that_django_refuses(member, login):
    response = login(member()).get(HOME, headers={"host": "elsewhere.example.org"})
    assert response.status_code == 400
    assert "did not understand this request" in text(response)


# ---- in place of unfold's words


def test_nothing_found_and_nothing_there_yet_are_two_things(login, member, workspace):
    operator = login(member(Role.OPERATOR))
    address = reverse("admin:llm_admin_connection_changelist")
    found_nothing = text(operator.get(address, {"q": "no such thing"}))
    assert "No connection matches what you search for." in found_nothing
    assert "Show all connections" in found_nothing
    assert "No connections yet" not in found_nothing


def test_a_refused_form_says_that_nothing_was_saved(login, member):
    response = login(member(Role.OPERATOR)).post(reverse("admin:llm_admin_connection_add"), {"name": ""})
    assert "Nothing was saved. Please correct what is marked in red." in text(response)


def test_a_wrong_password_is_complained_about_once(client, db):
    html = text(client.post(reverse("admin:login"), {"username": "nobody", "password": "wrong"}))
    assert "correct username and password" in html
    assert "Nothing was saved" not in html
