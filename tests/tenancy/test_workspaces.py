"""Workspaces: roles decide, nothing of another one is reachable by any door, no manager answers outside of one."""

from __future__ import annotations

import json

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.urls import reverse
from django_scopes.exceptions import ScopeError

from llm_admin.choices import Role
from llm_admin.exceptions import NotFound
from llm_admin.models import Connection, LanguageModel, Membership, Prompt, Workspace
from llm_admin.permissions import ROLE_PERMISSIONS, role_allows
from llm_admin.services import workspaces
from llm_admin.tenancy import current_workspace, workspace_scope
from tests import factories

HELP = reverse("admin:llm_admin_help")
PERMISSIONS = sorted(set().union(*ROLE_PERMISSIONS.values()))
TENANT_MODELS = [
    model
    for model in apps.get_app_config("llm_admin").get_models()
    # Who one may work for; who has a duty; how far an index over the logs of everybody is.
    if model.__name__ not in ("Workspace", "Lease", "LogIndexMark")
]


@pytest.fixture
def other(workspace):
    return factories.workspace("Elsewhere")


@pytest.fixture
def both(member, other):
    """Somebody who is an operator here and there."""
    user = member(Role.OPERATOR, "olga")
    with workspace_scope(other):
        other.memberships.create(user=user, role=Role.OPERATOR)
    return user


@pytest.fixture
def root(workspace):
    return factories.user("root", is_superuser=True)


def current(client):
    return client.get(HELP).context["llm_workspace"]


def change(instance):
    return reverse(f"admin:llm_admin_{instance._meta.model_name}_change", args=[instance.pk])


# ---- roles


@pytest.mark.parametrize("role", Role.values)
def test_has_perm_is_the_table_of_roles(workspace, member, role):
    user = member(role)
    with workspace_scope(workspace):
        granted = {name for name in PERMISSIONS if user.has_perm(f"llm_admin.{name}")}
    assert granted == ROLE_PERMISSIONS[role]


def test_each_role_may_what_the_one_before_may():
    ladder = [ROLE_PERMISSIONS[role] for role in (Role.VIEWER, Role.AUTHOR, Role.OPERATOR, Role.ADMIN)]
    assert all(lower < higher for lower, higher in zip(ladder, ladder[1:], strict=False))
    assert not any(role_allows(role, "fly") for role in Role.values)


def test_every_permission_of_the_table_exists(db):
    known = set(Permission.objects.filter(content_type__app_label="llm_admin").values_list("codename", flat=True))
    assert set(PERMISSIONS) <= known


def test_djangos_own_permissions_and_groups_do_not_count(workspace, member):
    user = member(Role.VIEWER)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="llm_admin"))
    with workspace_scope(workspace):
        assert user.has_perm("llm_admin.view_prompt")
        assert not user.has_perm("llm_admin.change_prompt")


def test_other_apps_keep_djangos_permissions(workspace, member):
    user = member(Role.ADMIN)
    with workspace_scope(workspace):
        assert not user.has_perm("auth.view_user")
        user.user_permissions.set(Permission.objects.filter(codename="view_user"))
        del user._perm_cache, user._user_perm_cache
        assert user.has_perm("auth.view_user")


def test_the_role_is_that_of_the_current_workspace(workspace, other, member):
    user = member(Role.ADMIN)
    with workspace_scope(other):
        assert not user.has_perm("llm_admin.view_prompt")
        assert not user.has_module_perms("llm_admin")
    with workspace_scope(workspace):
        assert user.has_module_perms("llm_admin")


def test_an_object_of_another_workspace_is_refused(workspace, other, member):
    mine, theirs = factories.prompt(workspace), factories.prompt(other)
    user = member(Role.ADMIN)
    with workspace_scope(workspace):
        assert user.has_perm("llm_admin.change_prompt", mine)
        assert not user.has_perm("llm_admin.change_prompt", theirs)


def test_outside_of_a_workspace_nobody_may_anything(member):
    assert current_workspace() is None
    assert not member(Role.ADMIN).has_perm("llm_admin.view_prompt")


def test_inactive_people_and_outsiders_may_nothing(workspace, member, outsider):
    user = member(Role.ADMIN)
    user.is_active = False
    with workspace_scope(workspace):
        assert not user.has_perm("llm_admin.view_prompt")
        assert not outsider.has_perm("llm_admin.view_prompt")


# ---- managers


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
def test_no_manager_answers_outside_of_a_workspace(db, model):
    for ask in (list, lambda rows: rows.count(), lambda rows: rows.filter(pk=1).first(), lambda rows: rows.update()):
        with pytest.raises(ScopeError):
            ask(model._default_manager.all())


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model.__name__)
def test_inside_of_one_every_query_names_it(workspace, model):
    with workspace_scope(workspace):
        sql = str(model._default_manager.all().query)
    assert '"workspace_id" = ' in sql


@pytest.mark.parametrize("nothing", [None, Workspace(slug="unsaved", name="Unsaved")])
def test_a_scope_needs_a_saved_workspace(nothing):
    with pytest.raises(ValueError, match="saved workspace"):
        workspace_scope(nothing)


# ---- which workspace


def test_after_migrate_there_is_one_that_runs_at_once(workspace):
    assert (workspace.slug, workspace.default_model.alias) == ("default", "demo")
    with workspace_scope(workspace):
        assert Connection.objects.get().provider == "fake"
        assert LanguageModel.objects.get().deployments.get().provider_model == "demo"
    workspaces.ensure_default()
    assert Workspace.objects.count() == 1


def test_the_default_one_first_else_the_first_by_name(login, other):
    user = factories.member(other, username="ada")
    assert current(login(user)) == other
    with workspace_scope(workspaces.default()):
        Membership.objects.create(workspace=workspaces.default(), user=user)
    assert current(login(user)).slug == "default"


def test_somebody_without_any_workspace_sees_nothing(login, outsider, workspace):
    prompt = factories.prompt(workspace, name="Planted")
    client = login(outsider)
    for url in (change(prompt), change(workspace.default_model), reverse("admin:llm_admin_prompt_changelist")):
        response = client.get(url)
        assert response.status_code == 403
        assert "Planted" not in response.content.decode()


# ---- pages of objects


def test_an_object_page_of_ones_other_workspace_takes_one_there(login, both, other):
    client = login(both)
    assert current(client).slug == "default"
    response = client.get(change(other.default_model), follow=True)
    assert response.redirect_chain == [(change(other.default_model), 302)]
    assert response.status_code == 200
    assert "You are now in the workspace “Elsewhere”." in response.content.decode()
    assert current(client) == other


def test_posting_to_it_changes_nothing_and_does_not_switch(login, both, other):
    client = login(both)
    client.post(change(other.default_model), {"name": "Taken over"})
    other.default_model.refresh_from_db()
    assert other.default_model.name == "Demo model"
    assert current(client).slug == "default"


@pytest.mark.parametrize("page", ["change", "delete", "history"])
def test_strangers_cannot_tell_it_from_one_that_is_not_there(login, member, other, page):
    client = login(member(Role.OPERATOR))

    def answer(pk):
        response = client.get(reverse(f"admin:llm_admin_languagemodel_{page}", args=[pk]))
        return response.status_code, response.headers.get("Location")

    assert answer(other.default_model.pk) == answer(99999)
    assert current(client).slug == "default"


def test_superusers_cross_only_by_switching(login, root, other):
    client = login(root)
    assert client.get(change(other.default_model)).headers["Location"] == reverse("admin:index")
    assert current(client).slug == "default"
    client.post(reverse("admin:llm_admin_workspace_switch"), {"id": other.pk})
    assert client.get(change(other.default_model)).status_code == 200


@pytest.mark.parametrize("pk", ["abc", "1' OR 1=1", "99999999999999999999"])
def test_an_address_that_is_no_id(login, member, pk):
    response = login(member(Role.OPERATOR)).get(reverse("admin:llm_admin_languagemodel_change", args=[pk]))
    assert response.status_code == 302


# ---- lists, pickers, search, history


def test_no_list_shows_another_workspaces_rows(login, both, other):
    factories.prompt(other, name="Planted prompt")
    factories.workflow(other, name="Planted workflow")
    with workspace_scope(other):
        Connection.objects.create(workspace=other, name="Planted connection", provider="openai")
        LanguageModel.objects.create(workspace=other, alias="planted", name="Planted model")
    client = login(both)
    for noun in ("prompt", "workflow", "connection", "languagemodel", "run", "interactionlog"):
        url = reverse(f"admin:llm_admin_{noun}_changelist")
        for query in ("", "?q=Planted"):
            response = client.get(url + query)
            assert response.status_code == 200
            assert "Planted p" not in response.content.decode().replace("?q=Planted", "")
            assert "Planted w" not in response.content.decode()
            assert "Planted c" not in response.content.decode()
            assert "Planted m" not in response.content.decode()


def test_filters_by_foreign_keys_do_not_look_across(login, both, other):
    client = login(both)
    url = reverse("admin:llm_admin_languagemodel_changelist")
    response = client.get(url, {"workspace__id__exact": other.pk})
    assert response.status_code in (200, 302, 400)
    assert "Elsewhere" not in response.content.decode().split('class="llm-switcher"')[0]
    assert f"/languagemodel/{other.default_model.pk}/" not in response.content.decode()


def test_autocompletes_only_offer_ones_own(login, both, other, workspace):
    """No form of ours asks for it yet; the address is there all the same."""
    client = login(both)
    url = reverse("admin:autocomplete")
    asked = {"app_label": "llm_admin", "model_name": "workspace", "field_name": "default_model"}
    response = client.get(url, asked | {"term": "demo"})
    found = json.loads(response.content).get("results", []) if response.status_code == 200 else []
    assert str(other.default_model.pk) not in {one["id"] for one in found}


def test_the_menus_search_finds_no_rows(login, both, other, workspace):
    factories.prompt(other, name="Planted")
    factories.prompt(workspace, name="Planted")
    client = login(both)
    for query in ({"s": "Planted"}, {"s": "Planted", "extended": "1"}):
        assert "Planted" not in client.get(reverse("admin:search"), query).content.decode()


def test_pickers_of_every_admin_only_offer_ones_own(rf, workspace, other, both):
    """Every foreign key of every form, also of those to come."""
    with workspace_scope(other):
        theirs = {model: set(model._default_manager.values_list("pk", flat=True)) for model in TENANT_MODELS}
    request = rf.get("/")
    request.user, request.workspace, request.session = factories.user("root", is_superuser=True), workspace, {}
    asked = 0
    with workspace_scope(workspace):
        for model in [*TENANT_MODELS, Workspace]:
            model_admin = admin.site._registry.get(model)
            if model_admin is None or not model_admin.has_change_permission(request):
                continue
            for form in forms_of(model_admin, request):
                for field in form.base_fields.values():
                    rows = getattr(field, "queryset", None)
                    if rows is not None and rows.model in theirs:
                        asked += 1
                        assert not theirs[rows.model] & set(rows.all().values_list("pk", flat=True))
    assert asked >= 2  # a deployment's connection, the workspace's default model


def forms_of(model_admin, request):
    instance = model_admin.model._base_manager.first()
    yield model_admin.get_form(request, instance, change=bool(instance))
    for formset, _ in model_admin.get_formsets_with_inlines(request, instance):
        yield formset.form


def test_the_history_of_another_workspaces_object(login, both, member, other):
    theirs = other.default_model
    url = reverse("admin:llm_admin_languagemodel_history", args=[theirs.pk])
    assert login(member(Role.OPERATOR, "stranger")).get(url).status_code == 302
    assert login(both).get(url, follow=True).context["llm_workspace"] == other


# ---- the same names in two workspaces


def test_names_are_free_in_every_workspace(workspace, other):
    factories.prompt(workspace, name="Welcome")
    factories.prompt(other, name="Welcome")
    for where in (workspace, other):
        with workspace_scope(where):
            assert Prompt.objects.get(name="Welcome").workspace == where


def test_switching_to_an_unknown_one(both):
    with pytest.raises(NotFound):
        workspaces.switch(both, {}, 99999)
    session = {}
    workspaces.switch(both, session, workspaces.default().pk)
    assert session
