"""The page on which somebody decides: who may, what is kept, and what the second of two is told."""

from __future__ import annotations

import pytest
from django.urls import reverse

from llm_admin.choices import ApprovalStatus, Role, RunStatus
from llm_admin.models import Approval, Run
from tests import factories


def page(approval):
    return reverse("admin:llm_admin_approval_change", args=[approval.pk])


def decide(client, approval, decision="approve", **fields):
    address = reverse("admin:llm_admin_approval_decide", args=[approval.pk])
    return client.post(address, {"decision": decision, "text": approval.proposed, "word": ""} | fields)


def stored(approval):
    return Approval.objects.get(pk=approval.pk)


def test_the_page_has_everything_for_deciding(author, asked):
    html = author.get(page(asked())).content.decode()
    for words in ("Is it true?", "Dear all, it rains.", "the rain", "A first draft", "Step 1", "Approve", "Decline"):
        assert words in html


def test_approving_an_edited_text_keeps_both_and_shows_what_was_changed(author, asked):
    approval = asked()
    assert decide(author, approval, text="Dear all, it snows.", word="Weather").status_code == 302
    after = stored(approval)
    assert (after.status, after.text, after.word, str(after.decided_by)) == (
        ApprovalStatus.APPROVED, "Dear all, it snows.", "Weather", "ada",
    )  # fmt: skip
    assert Run.objects.get(pk=approval.run_id).status == RunStatus.PENDING
    html = author.get(page(approval)).content.decode()
    assert "<del>rains</del><ins>snows</ins>" in html
    for words in ("Approved", "ada", "Weather", "Dear all, it rains."):
        assert words in html
    assert "<textarea" not in html


def test_declining_needs_a_word(author, asked):
    approval = asked()
    answer = decide(author, approval, "decline", text="My long edit")
    assert answer.status_code == 422
    assert "Say in a word why" in answer.content.decode()
    assert "My long edit" in answer.content.decode()
    assert stored(approval).status == ApprovalStatus.PENDING
    assert decide(author, approval, "decline", word="Too wet").status_code == 302
    assert stored(approval).status == ApprovalStatus.DECLINED


def test_neither_approving_nor_declining_is_refused(author, asked):
    approval = asked()
    assert decide(author, approval, "perhaps").status_code == 422
    assert stored(approval).status == ApprovalStatus.PENDING


def test_the_second_of_two_learns_who_decided_and_keeps_their_text(author, member, login, asked, client):
    approval = asked()
    decide(author, approval)
    answer = decide(login(member(username="bo")), approval, text="Bo's own words")
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "ada has decided this already: approved." in html
    assert "Bo&#x27;s own words" in html
    assert stored(approval).text == "Dear all, it rains."


@pytest.mark.parametrize(
    ("role", "needs", "status"),
    [
        (Role.VIEWER, "author", 403),
        (Role.AUTHOR, "operator", 403),
        (Role.AUTHOR, "author", 302),
        (Role.OPERATOR, "author", 302),
        (Role.ADMIN, "", 302),
    ],
)
def test_roles(role, needs, status, member, login, asked):
    approval = asked(role=needs)
    assert decide(login(member(role)), approval).status_code == status
    assert (stored(approval).status == ApprovalStatus.PENDING) == (status == 403)


def test_of_named_people_only_they_may(member, login, asked):
    bo, approval = member(username="bo"), None
    approval = asked(role="", people=[bo])
    assert decide(login(member(username="cy")), approval).status_code == 403
    assert login(bo).get(page(approval)).status_code == 200
    assert decide(login(bo), approval).status_code == 302


def test_whoever_started_the_run_may_look_but_not_decide(author, ada, asked):
    html = author.get(page(asked(role="admin", owner=ada))).content.decode()
    assert "Waits for a decision. Admins may decide." in html
    assert 'name="decision"' not in html


def test_other_workspaces_and_a_get_reach_nothing(author, login, asked):
    approval = asked()
    assert author.get(reverse("admin:llm_admin_approval_decide", args=[approval.pk])).status_code == 405
    stranger = login(factories.member(factories.workspace(), role=Role.ADMIN))
    assert stranger.get(page(approval)).status_code == 404
    assert decide(stranger, approval).status_code == 404
    assert stored(approval).status == ApprovalStatus.PENDING


def test_a_loop_shows_only_the_steps_of_its_own_entry(author, asked):
    approval = asked()
    steps = approval.run.steps
    steps.filter(path="2").update(path="2[2].2")
    Approval.objects.update(path="2[2].2")
    for path, title in (("2[1].1", "Of the first entry"), ("2[2].1", "Of the second entry")):
        row = steps.get(path="1")
        row.pk, row.path, row.title = None, path, title
        row.save(force_insert=True)
    html = author.get(page(approval)).content.decode()
    assert "Of the second entry" in html
    assert "Of the first entry" not in html
    assert "Step 1" in html


def test_a_form_without_its_text_approves_what_was_proposed(author, asked):
    approval = asked()
    address = reverse("admin:llm_admin_approval_decide", args=[approval.pk])
    assert author.post(address, {"decision": "approve"}).status_code == 302
    assert stored(approval).text == approval.proposed
