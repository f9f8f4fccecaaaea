"""Members: adding people (and their accounts), roles, and the last admin, who stays."""

from __future__ import annotations

import threading

import pytest
from django.contrib.auth import authenticate, get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import connection as database
from django.db import connections
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.choices import Role
from llm_admin.exceptions import Conflict, InvalidInput, PermissionRefused
from llm_admin.models import Membership
from llm_admin.services import actors, catalogue, members
from tests import factories

LIST = reverse("admin:llm_admin_membership_changelist")
ADD = reverse("admin:llm_admin_membership_add")
USERS = reverse("admin:auth_user_changelist")
ALL = Membership.objects.with_scopes_disabled()
User = get_user_model()


@pytest.fixture
def boss(member):
    return member(Role.ADMIN, "boss")


@pytest.fixture
def admin(boss, login):
    return login(boss)


def page(membership):
    return reverse("admin:llm_admin_membership_change", args=[membership.pk])


def membership(user):
    return ALL.get(user=user)


def add(client, username, role=Role.AUTHOR, **fields):
    return client.post(ADD, {"username": username, "role": role, "email": ""} | fields)


def errors(response):
    return response.context["adminform"].form.errors


# ---- adding


def test_a_new_person_gets_an_account_whose_password_is_shown_once(admin, workspace):
    response = add(admin, "ada", email="ada@example.org")
    password = response.context["password"]
    assert response.status_code == 200
    assert password in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    ada = authenticate(RequestFactory().get("/"), username="ada", password=password)
    assert (ada.email, ada.is_staff, ada.is_superuser) == ("ada@example.org", True, False)
    assert (membership(ada).workspace, membership(ada).role) == (workspace, Role.AUTHOR)
    later = [admin.get(LIST), admin.get(page(membership(ada))), add(admin, "ada")]
    assert all(password not in one.content.decode() for one in later)
    assert all(password not in cookie.value for cookie in admin.cookies.values())


def test_the_new_person_can_work(admin):
    password = add(admin, "ada").context["password"]
    theirs = Client()
    response = theirs.post(reverse("admin:login"), {"username": "ada", "password": password}, follow=True)
    assert response.status_code == 200
    assert response.context["user"].username == "ada"
    assert theirs.get(reverse("admin:llm_admin_languagemodel_changelist")).status_code == 200


def test_an_existing_account_becomes_a_member_and_keeps_its_password(admin):
    ada = factories.user("ada")
    before = ada.password
    assert add(admin, " ada ", Role.OPERATOR).url == LIST
    ada.refresh_from_db()
    assert ada.password == before
    assert membership(ada).role == Role.OPERATOR


def test_membership_elsewhere_does_not_matter(admin, workspace):
    ada = factories.member(factories.workspace(), username="ada")
    assert add(admin, "ada").status_code == 302
    assert ALL.filter(user=ada).count() == 2


@pytest.mark.parametrize("details", [{"is_staff": False}, {"is_active": False}])
def test_an_account_that_may_not_sign_in_is_left_alone(admin, details):
    factories.user("customer", **details)
    assert "may not sign in here" in str(errors(add(admin, "customer"))["username"])
    assert User.objects.filter(username="customer", **details).exists()
    assert not ALL.filter(user__username="customer").exists()


@pytest.mark.parametrize(
    ("username", "fields", "place", "words"),
    [
        ("", {}, "username", "required"),
        ("two words", {}, "username", "valid username"),
        ("boss", {}, "username", "a member already"),
        ("ada", {"email": "no"}, "email", "valid email"),
        ("ada", {"role": "emperor"}, "role", "valid choice"),
    ],
)
def test_what_is_wrong_stands_at_its_field(admin, username, fields, place, words):
    response = add(admin, username, **fields)
    assert words in str(errors(response)[place])
    assert User.objects.count() == 1


# ---- roles, removal, the last admin


def test_a_changed_role_is_effective_at_once(admin, member):
    ada = member(Role.VIEWER, "ada")
    theirs = Client()
    theirs.force_login(ada)
    connections_list = reverse("admin:llm_admin_connection_changelist")
    assert theirs.get(connections_list).status_code == 403
    admin.post(page(membership(ada)), {"role": Role.OPERATOR})
    assert theirs.get(connections_list).status_code == 200


def test_removing_somebody_keeps_the_account(admin, member):
    ada = member(Role.AUTHOR, "ada")
    admin.post(reverse("admin:llm_admin_membership_delete", args=[membership(ada).pk]), {"post": "yes"})
    assert not ALL.filter(user=ada).exists()
    assert User.objects.filter(username="ada").exists()


def test_the_last_admin_is_neither_demoted_nor_removed(admin, boss):
    mine = membership(boss)
    response = admin.post(page(mine), {"role": Role.AUTHOR})
    assert "last admin" in str(errors(response)["role"])
    response = admin.post(reverse("admin:llm_admin_membership_delete", args=[mine.pk]), {"post": "yes"})
    assert response.status_code == 409
    assert "last admin" in response.content.decode()
    assert membership(boss).role == Role.ADMIN


def test_an_inactive_admin_does_not_count(admin, boss, member):
    gone = member(Role.ADMIN, "gone")
    gone.is_active = False
    gone.save()
    assert "last admin" in str(errors(admin.post(page(membership(boss)), {"role": Role.AUTHOR}))["role"])


def test_with_another_admin_everything_is_possible(admin, boss, member):
    member(Role.ADMIN, "second")
    assert admin.post(page(membership(boss)), {"role": Role.AUTHOR}).status_code == 302
    assert membership(boss).role == Role.AUTHOR


def test_a_superuser_may_remove_the_last_admin(boss, workspace):
    actor = actors.Actor(workspace, factories.user("root", is_superuser=True), Role.ADMIN)
    members.remove(membership(boss), actor=actor)
    assert not ALL.filter(user=boss).exists()


def test_removing_others_while_being_the_last_admin(admin, member):
    ada = member(Role.AUTHOR, "ada")
    assert admin.post(page(membership(ada)), {"role": Role.VIEWER}).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_two_admins_who_remove_each_other_leave_one(workspace, member):
    one, two = member(Role.ADMIN, "one"), member(Role.ADMIN, "two")
    start, refused = threading.Barrier(2), []

    def remove(who, other):
        start.wait()
        try:
            members.remove(membership(other), actor=actors.Actor(workspace, who, Role.ADMIN))
        except Conflict as error:
            refused.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=remove, args=pair) for pair in ((one, two), (two, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ALL.filter(role=Role.ADMIN).count() == 1
    assert len(refused) == 1


# ---- who may


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR, Role.OPERATOR])
def test_only_admins(member, login, boss, role):
    client, mine = login(member(role)), membership(boss)
    assert client.get(LIST).status_code == 403
    assert client.get(page(mine)).status_code == 403
    assert add(client, "ada").status_code == 403
    assert client.post(page(mine), {"role": Role.VIEWER}).status_code == 403
    assert not User.objects.filter(username="ada").exists()
    assert membership(boss).role == Role.ADMIN


def test_services_refuse_an_operator(member, boss, workspace):
    actor = actors.Actor(workspace, member(Role.OPERATOR), Role.OPERATOR)
    for act in (
        lambda: members.add(actor=actor, username="ada", role=Role.VIEWER),
        lambda: members.change_role(membership(boss), actor=actor, role=Role.VIEWER),
        lambda: members.remove(membership(boss), actor=actor),
    ):
        with pytest.raises(PermissionRefused):
            act()


def test_the_service_refuses_a_bad_role(system, boss):
    with pytest.raises(InvalidInput, match="role"):
        members.change_role(membership(boss), actor=system, role="emperor")


def test_members_of_another_workspace_are_not_listed(admin):
    theirs = factories.member(factories.workspace(), username="stranger")
    assert "stranger" not in admin.get(LIST).content.decode()
    assert admin.post(page(membership(theirs)), {"role": Role.VIEWER}).status_code == 302
    assert membership(theirs).role == Role.AUTHOR


@pytest.mark.slow  # rows by the hundred
def test_the_list_takes_equally_many_queries_at_3_and_300(admin, workspace):
    def make(count, prefix):
        people = User.objects.bulk_create(User(username=f"{prefix}{number}") for number in range(count))
        ALL.bulk_create(Membership(workspace=workspace, user=one) for one in people)

    def queries():
        catalogue.forget()
        with CaptureQueriesContext(database) as found:
            assert admin.get(LIST).status_code == 200
        return len(found)

    make(2, "a")
    few = queries()
    make(297, "b")
    assert queries() == few


# ---- users and groups


def test_superusers_manage_users(login, workspace):
    root = factories.user("root", is_superuser=True)
    client = login(root)
    html = client.get(USERS).content.decode()
    assert "root" in html
    assert "nav-sidebar" in html
    for name in ("auth_user_add", "auth_group_changelist", "auth_group_add"):
        assert client.get(reverse(f"admin:{name}")).status_code == 200
    for name, args in (("auth_user_change", [root.pk]), ("auth_user_password_change", [root.pk])):
        assert client.get(reverse(f"admin:{name}", args=args)).status_code == 200


def test_nobody_else_does_not_even_with_djangos_permissions(admin, boss):
    boss.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    group = Group.objects.create(name="editors")
    assert admin.get(USERS).status_code == 403
    assert admin.get(reverse("admin:auth_group_change", args=[group.pk])).status_code == 403
    response = admin.post(reverse("admin:auth_user_change", args=[boss.pk]), {"is_superuser": "on"})
    assert response.status_code == 403
    assert USERS not in admin.get(LIST).content.decode()


@pytest.mark.parametrize(("first_name", "shown"), [("", "boss"), ("Ada", "Ada (boss)")])
def test_the_page_names_the_person(admin, boss, first_name, shown):
    User.objects.filter(pk=boss.pk).update(first_name=first_name)
    html = admin.get(page(membership(boss))).content.decode()
    assert shown in html
    assert f"[&#x27;{first_name or 'boss'}" not in html  # a list, as Python writes it
