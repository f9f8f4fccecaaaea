"""The workspace settings page: effective at once, for admins of this workspace; and new workspaces."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from llm_admin.choices import CacheAnswers, Role, StoreTexts
from llm_admin.exceptions import NotFound, PermissionRefused
from llm_admin.models import LanguageModel, Workspace
from llm_admin.services import actors, workspace_settings
from llm_admin.tenancy import workspace_scope
from tests import factories

SETTINGS = reverse("admin:llm_admin_workspace_settings")
ADD = reverse("admin:llm_admin_workspace_add")


@pytest.fixture
def admin(member, login):
    return login(member(Role.ADMIN, "boss"))


def page(workspace):
    return reverse("admin:llm_admin_workspace_change", args=[workspace.pk])


def form(workspace, **fields):
    data = {
        "name": workspace.name,
        "default_model": workspace.default_model_id,
        "store_texts": StoreTexts.MASKED,
        "currency": "USD",
        "currency_rate": "1",
        "cache_answers": CacheAnswers.DETERMINISTIC,
        "cache_hours": "24",
    }
    return data | fields


def errors(response):
    return response.context["adminform"].form.errors


def test_it_leads_to_the_settings_of_the_current_workspace(admin, workspace):
    response = admin.get(SETTINGS, follow=True)
    assert response.redirect_chain == [(page(workspace), 302)]
    assert response.context["adminform"].form.instance == workspace
    assert 'value="1"' in response.content.decode()


def test_everything_is_saved(admin, workspace):
    other = LanguageModel.objects.create(workspace=workspace, alias="fast", name="Fast")
    data = form(
        workspace,
        name="Marketing",
        default_model=other.pk,
        store_texts=StoreTexts.NOTHING,
        currency="EUR",
        currency_rate="0.92",
    )
    assert admin.post(page(workspace), data).url == SETTINGS
    workspace.refresh_from_db()
    assert (workspace.name, workspace.default_model) == ("Marketing", other)
    assert (workspace.store_texts, workspace.currency, workspace.currency_rate) == ("nothing", "EUR", Decimal("0.92"))


def test_only_models_of_this_workspace_that_are_on(admin, workspace):
    off = LanguageModel.objects.create(workspace=workspace, alias="off", name="Off", enabled=False)
    theirs = factories.workspace().default_model
    html = admin.get(page(workspace)).content.decode()
    for model in (off, theirs):
        assert f'<option value="{model.pk}"' not in html
        assert "valid choice" in str(errors(admin.post(page(workspace), form(workspace, default_model=model.pk))))
    workspace.refresh_from_db()
    assert workspace.default_model.alias == "demo"


@pytest.mark.parametrize(
    ("fields", "place", "words"),
    [
        ({"name": ""}, "name", "required"),
        ({"currency": "euro"}, "currency", "at most 3"),
        ({"currency": "eur"}, "currency", "Three capital letters"),
        ({"currency_rate": "0"}, "currency_rate", "greater than or equal to"),
        ({"currency_rate": "0.92"}, "currency_rate", "1 US dollar"),
        ({"store_texts": "all"}, "store_texts", "valid choice"),
    ],
)
def test_what_is_wrong_stands_at_its_field(admin, workspace, fields, place, words):
    assert words in str(errors(admin.post(page(workspace), form(workspace, **fields)))[place])


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR, Role.OPERATOR])
def test_only_admins(member, login, workspace, role):
    client = login(member(role))
    assert client.get(SETTINGS).status_code == 403
    assert client.get(page(workspace)).status_code == 403
    assert client.post(page(workspace), form(workspace, name="Mine")).status_code == 403
    assert SETTINGS not in client.get(reverse("admin:llm_admin_help")).content.decode()
    with pytest.raises(PermissionRefused):
        workspace_settings.change(workspace, actor=actors.Actor(workspace, None, role), name="Mine")


def test_another_workspaces_settings_are_out_of_reach(admin, workspace, system):
    other = factories.workspace("Legal")
    assert admin.get(page(other)).status_code == 302
    assert "Legal" not in admin.get(page(other), follow=True).content.decode().replace(page(other), "")
    admin.post(page(other), form(other, name="Mine"))
    other.refresh_from_db()
    assert other.name == "Legal"
    with pytest.raises(NotFound):
        workspace_settings.change(other, actor=system, name="Mine")


def test_nobody_deletes_a_workspace_here(login, workspace):
    client = login(factories.user("root", is_superuser=True))
    assert (
        client.post(reverse("admin:llm_admin_workspace_delete", args=[workspace.pk]), {"post": "yes"}).status_code
        == 403
    )


# ---- new workspaces


def test_a_superuser_makes_a_workspace_and_is_in_it(login, workspace):
    client = login(factories.user("root", is_superuser=True))
    assert ADD in client.get(SETTINGS, follow=True).content.decode()
    response = client.post(ADD, {"name": "Legal", "slug": "legal"}, follow=True)
    made = Workspace.objects.get(slug="legal")
    assert response.context["adminform"].form.instance == made
    assert "you are in it now" in response.content.decode()
    assert made.default_model.alias == "demo"
    with workspace_scope(made):
        assert made.default_model.deployments.count() == 1


def test_the_short_name_is_taken_or_wrong(login, workspace):
    client = login(factories.user("root", is_superuser=True))
    for slug, words in (("default", "already exists"), ("Über uns", "valid")):
        assert words in str(errors(client.post(ADD, {"name": "X", "slug": slug}))["slug"])
    assert Workspace.objects.count() == 1


def test_admins_make_no_workspaces(admin, member):
    assert admin.get(ADD).status_code == 403
    assert admin.post(ADD, {"name": "Legal", "slug": "legal"}).status_code == 403
    assert ADD not in admin.get(SETTINGS, follow=True).content.decode()
    with pytest.raises(PermissionRefused):
        workspace_settings.create(user=member(Role.ADMIN), slug="legal", name="Legal")
    assert Workspace.objects.count() == 1
