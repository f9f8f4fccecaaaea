"""Views of the list that somebody saved, and the columns that somebody chose."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from llm_admin.choices import Role
from llm_admin.models import LogReader, LogView
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.log_rows import log

LIST = reverse("admin:llm_admin_interactionlog_changelist")


def browser(person):
    client = Client()
    client.force_login(person, backend="llm_admin.auth.WorkspaceBackend")
    return client


def post(client, what, **data):
    return client.post(reverse(f"admin:llm_admin_log_view_{what}"), data)


def columns_of(response):
    return [name for name in response.context["cl"].list_display if name != "action_checkbox"]


@pytest.fixture
def two(member, scope):
    """Ada and Bob, authors; each with a failed and a good call."""
    people = [member(Role.AUTHOR, "ada"), member(Role.AUTHOR, "bob")]
    for person in people:
        log(scope, user=person)
        log(scope, user=person, status="failed", error_kind="timeout")
    return [browser(person) for person in people]


def test_a_view_keeps_filters_search_order_and_columns_and_not_the_page(two):
    ada, _ = two
    post(ada, "columns", columns=["when", "cost", "step"], here="")
    here = "status=failed&sort=latency&q=&before=2026-01-01T00:00%2B00:00~1&from=101&odd=1"
    answer = post(ada, "save", name="  Failed   ones ", here=here)
    view = LogView.objects.get()
    assert (view.name, view.query, view.shared) == ("Failed ones", {"status": "failed", "sort": "latency"}, False)
    assert answer.headers["Location"] == f"{LIST}?status=failed&sort=latency&view={view.pk}"
    page = ada.get(answer.headers["Location"])
    assert columns_of(page) == ["when", "cost", "step"]
    assert [row.status for row in page.context["cl"].result_list] == ["failed"]
    assert "(changed)" not in page.content.decode()
    assert "(changed)" in ada.get(LIST, {"view": view.pk, "status": "succeeded"}).content.decode()


def test_ones_own_are_ones_own_and_shared_ones_are_everybodys(two, scope, login, member):
    ada, bob = two
    post(ada, "save", name="Mine", here="status=failed")
    post(ada, "save", name="Ours", here="status=failed", shared="on")
    assert "Mine" not in bob.get(LIST).content.decode()
    assert "Ours" in bob.get(LIST).content.decode()
    mine, ours = LogView.objects.order_by("name")
    for view, status in ((mine, 404), (ours, 403)):
        for what in ("delete", "change"):
            assert post(bob, what, view=view.pk, name="Taken").status_code == status
    elsewhere = factories.workspace()
    other = browser(factories.member(elsewhere, role=Role.ADMIN))
    assert "Ours" not in other.get(LIST).content.decode()
    assert post(other, "delete", view=ours.pk).status_code == 404
    admin = browser(member(Role.ADMIN))
    assert post(admin, "delete", view=mine.pk).status_code == 404
    assert post(admin, "change", view=ours.pk, name="Tidied", shared="on").status_code == 302
    assert {view.name for view in LogView.objects.all()} == {"Mine", "Tidied"}


def test_each_person_has_one_view_that_the_list_opens_with(two):
    ada, bob = two
    post(ada, "save", name="Failed", here="status=failed", shared="on", opens="on")
    view = LogView.objects.get()
    assert ada.get(LIST).headers["Location"] == f"{LIST}?status=failed&view={view.pk}"
    assert ada.get(LIST, {"view": "0"}).status_code == ada.get(LIST, {"status": "failed"}).status_code == 200
    assert bob.get(LIST).status_code == 200
    post(bob, "open", view=view.pk)
    assert bob.get(LIST).status_code == 302
    post(ada, "change", view=view.pk, name="Failed")  # not shared any more
    assert bob.get(LIST).status_code == 200
    post(ada, "open", view="")
    assert ada.get(LIST).status_code == 200


def test_a_name_is_used_once(two):
    ada, bob = two
    for here in ("status=failed", "status=succeeded"):
        post(ada, "save", name="A", here=here)
    post(bob, "save", name="A", here="")
    post(ada, "save", name="B", here="")
    assert [view.query for view in LogView.objects.filter(name="A", owner__username="ada")] == [{"status": "succeeded"}]
    answer = ada.post(
        reverse("admin:llm_admin_log_view_change"), {"view": LogView.objects.get(name="B").pk, "name": "A"}, follow=True
    )
    assert "There is a view with this name already" in answer.content.decode()
    assert LogView.objects.filter(name="B").exists()


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\x00b"])
def test_bad_names_are_refused_in_words(two, name):
    answer = two[0].post(reverse("admin:llm_admin_log_view_save"), {"name": name, "here": ""}, follow=True)
    assert not LogView.objects.exists()
    assert answer.status_code in (200, 400)


@pytest.mark.parametrize("what", ["change", "delete", "open"])
@pytest.mark.parametrize("pk", ["x", "999", "9" * 30, "-1"])
def test_a_view_that_is_gone_is_not_found(two, what, pk):
    assert post(two[0], what, view=pk, name="A").status_code == 404
    assert two[0].get(LIST, {"view": pk}).status_code == 200


def test_columns_are_kept_for_the_person(two, scope):
    ada, bob = two
    post(ada, "columns", columns=["cost", "when", "no-such"], here="status=failed")
    assert columns_of(ada.get(LIST)) == ["when", "cost"]
    assert len(columns_of(bob.get(LIST))) == 10
    post(ada, "columns", here="")
    assert columns_of(ada.get(LIST)) == ["when", "cost"], "without any there would be no list"
    row = ada.get(LIST).context["cl"].result_list[0]
    post(ada, "columns", columns=["number", "tried_before", "cached_tokens", "place", "version_name"], here="")
    html = ada.get(LIST).content.decode()
    assert f"/{row.pk}/change/" in html, "the first column leads to the call"


def test_columns_of_a_view_belong_to_the_view(two):
    ada, bob = two
    post(ada, "save", name="V", here="status=failed", shared="on")
    view = LogView.objects.get()
    post(ada, "columns", columns=["when", "step"], here=f"status=failed&view={view.pk}")
    assert columns_of(bob.get(LIST, {"view": view.pk, "status": "failed"})) == ["when", "step"]
    answer = post(bob, "columns", columns=["cost"], here=f"status=failed&view={view.pk}")
    assert columns_of(bob.get(answer.headers["Location"])) == ["cost"]
    assert columns_of(ada.get(LIST, {"view": view.pk})) == ["when", "step"]


def test_a_deleted_view_opens_nothing(two, scope):
    ada, _ = two
    post(ada, "save", name="V", here="", opens="on")
    post(ada, "delete", view=LogView.objects.get().pk)
    assert ada.get(LIST).status_code == 200
    with workspace_scope(scope):
        assert LogReader.objects.get().view is None
