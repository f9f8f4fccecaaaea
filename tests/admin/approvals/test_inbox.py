"""The inbox: what waits for me first, counted in the sidebar."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from llm_admin.choices import ApprovalStatus, Role
from llm_admin.services import catalogue
from tests import factories

LIST = reverse("admin:llm_admin_approval_changelist")


def queries(client, address):
    catalogue.forget()
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def badge(html):
    found = re.search(r'class="llm-badge">(\d+\+?)', html)
    return found and found[1]


def test_what_waits_for_me_comes_first(author, ada, member, asked):
    mine = asked(title="For authors")
    asked(title="For admins", role="admin", owner=ada)
    asked(title="Long decided", status=ApprovalStatus.DECLINED, decided_by=member(), decided_at=timezone.now())
    html = author.get(LIST).content.decode()
    assert html.index("For authors") < html.index("For admins") < html.index("Long decided")
    assert html.count("Waits for you") == 1
    for words in ("Is it true?", mine.run.title, "Authors, operators and admins", "None"):
        assert words in html


def test_nobody_sees_what_is_none_of_their_business(author, asked):
    asked(title="For admins", role="admin")
    assert "For admins" not in author.get(LIST).content.decode()


def test_the_sidebar_counts_what_waits_for_me(author, ada, asked):
    assert badge(author.get(LIST).content.decode()) is None
    asked()
    asked(role="", people=[ada])
    asked(role="admin", owner=ada)
    asked(status=ApprovalStatus.APPROVED)
    assert badge(author.get(reverse("admin:index")).content.decode()) == "2"


def test_a_viewer_has_nothing_to_decide_and_no_count(member, login, asked):
    asked()
    html = login(member(Role.VIEWER)).get(LIST).content.decode()
    assert "Fit to be sent?" not in html
    assert badge(html) is None
    assert "Nothing to approve" in html


@pytest.mark.slow  # rows by the hundred
def test_it_takes_equally_many_queries_at_3_and_300(author, ada, asked):
    for _ in range(3):
        asked(people=[ada])
    few = queries(author, LIST)
    for _ in range(297):
        asked(people=[ada])
    assert queries(author, LIST) == few


def test_another_workspace_shows_nothing_of_it(login, asked):
    asked(title="Over here")
    elsewhere = factories.member(factories.workspace(), role=Role.ADMIN)
    assert "Over here" not in login(elsewhere).get(LIST).content.decode()
