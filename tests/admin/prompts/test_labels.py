"""The labels' page: moving, adding, removing, undoing; and what a label said at a moment."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlparse

import pytest
from django.utils import timezone

from llm_admin.choices import Role
from llm_admin.services import labels
from llm_admin.services.actors import Actor
from tests import factories
from tests.admin.prompts.history import address, at, html, queries, said


@pytest.fixture(params=["prompt", "workflow"])
def document(request, scope, system):
    """v1 is Live."""
    if request.param == "prompt":
        return factories.prompt(scope, name="Weather", versions=3)
    from llm_admin.services import documents

    made = factories.workflow(scope, name="Weather")
    for _ in range(2):
        documents.save_version(made, actor=system, spec=documents.spec_of(documents.newest(made)))
    return made


def move(client, document, label, number, **more):
    return client.post(address(document, "label_move"), {"label": label, "number": number} | more)


def protect(workspace):
    workspace.protected_labels = "production"
    workspace.save()


def test_a_label_is_added_moved_and_removed_with_its_reasons(author, document):
    answer = move(author, document, "staging", 2, reason="For the team")
    assert answer.url == address(document, "labels")
    assert "staging is v2 now." in said(answer)
    move(author, document, "staging", 3, reason="Better")
    page = html(author.get(address(document, "labels")))
    for words in ("For the team", "Better", "nowhere → v2", "v2 → v3", ">ada<"):
        assert words in page
    author.post(address(document, "label_remove"), {"label": "staging", "reason": "Done"})
    assert at(document, "staging") is None
    assert "v3 → nowhere" in html(author.get(address(document, "labels")))


def test_each_labels_newest_move_has_an_undo_that_works(author, document):
    move(author, document, "staging", 2)
    move(author, document, "live", 2)
    move(author, document, "live", 3)
    page = html(author.get(address(document, "labels")))
    table = page[page.index("<tbody>") :]
    events = re.findall(r'name="event" value="(\d+)"', table)
    assert len(events) == 2
    answer = author.post(address(document, "label_undo"), {"event": events[0]})
    assert "Undone: Live is v2 again." in said(answer)
    assert (at(document), at(document, "staging")) == (2, 2)


def test_an_old_move_is_not_undone(author, document):
    move(author, document, "production", 2)
    event = document.label_events.first().pk
    move(author, document, "production", 3)
    html(author.post(address(document, "label_undo"), {"event": event}), 409)
    assert at(document) == 3


@pytest.mark.parametrize("label", ["", "not a label", "Ä", "x" * 37])
def test_a_label_that_cannot_be_is_refused_at_its_field(author, document, label):
    page = html(move(author, document, label, 2, reason="Kept"), 422)
    assert "A label has up to 36" in page
    assert 'aria-invalid="true"' in page
    assert 'value="Kept"' in page
    assert document.label_events.count() == 1


def test_what_is_not_there_is_not_found(author, document):
    html(move(author, document, "staging", 9), 404)
    html(move(author, document, "staging", "x"), 404)
    html(author.post(address(document, "label_remove"), {"label": "nowhere"}), 404)
    html(author.post(address(document, "label_undo"), {"event": "99999"}), 404)
    assert document.label_events.count() == 1


def test_an_author_moves_an_open_label_and_not_a_protected_one(author, document, scope):
    protect(scope)
    page = html(author.get(address(document, "labels")))
    assert "Live is protected here: only operators and admins" in page
    assert "Move Live" not in page
    html(move(author, document, "production", 2), 403)
    html(author.post(address(document, "label_undo"), {"event": document.label_events.get().pk}), 403)
    assert at(document) == 1
    assert move(author, document, "staging", 2).status_code == 302


def test_an_operator_moves_a_protected_label(member, login, document, scope):
    protect(scope)
    client = login(member(Role.OPERATOR))
    assert "Move Live" in html(client.get(address(document, "labels")))
    assert move(client, document, "production", 3).status_code == 302
    assert at(document) == 3


def test_a_viewer_and_others_change_nothing(member, login, document):
    viewer = login(member(Role.VIEWER))
    page = html(viewer.get(address(document, "labels")))
    assert "Add label" not in page
    assert ">Undo<span" not in page
    for name, data in (("label_move", {"label": "a", "number": 2}), ("label_remove", {"label": "production"})):
        html(viewer.post(address(document, name), data), 403)
    html(viewer.post(address(document, "label_undo"), {"event": document.label_events.get().pk}), 403)
    elsewhere = login(factories.member(factories.workspace(), role=Role.ADMIN))
    html(move(elsewhere, document, "a", 2), 404)
    assert document.label_events.count() == 1


@pytest.mark.slow  # rows by the hundred
def test_equally_many_queries_with_3_and_300_moves(author, document, system):
    for number in (2, 3, 2):
        labels.move(document, actor=system, label="staging", number=number)
    few = queries(author, address(document, "labels"))
    for number in range(297):
        labels.move(document, actor=system, label="staging", number=number % 2 + 1)
    assert document.label_events.count() > 290
    assert queries(author, address(document, "labels")) == few


# ---- what a label said


@pytest.fixture
def moved(document, ada, scope):
    """Live: v1 nine days ago, v3 six days ago, nowhere three days ago. At noon each."""
    actor = Actor(scope, ada, Role.AUTHOR)
    labels.move(document, actor=actor, label="production", number=3, reason="Clearer")
    labels.remove(document, actor=actor, label="production")
    noon = timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)
    for event, days in zip(document.label_events.order_by("id"), (9, 6, 3), strict=True):
        document.label_events.filter(pk=event.pk).update(at=noon - timedelta(days=days))
    return noon


def asked(client, document, moment, **query):
    return client.get(address(document, "at", at=moment.strftime("%Y-%m-%dT%H:%M"), **query))


def test_what_live_said_across_its_moves(author, document, moved):
    page = html(asked(author, document, moved - timedelta(days=7)))
    assert "Live was v1 on" in page
    assert "(then v3)" in page
    page = html(asked(author, document, moved - timedelta(days=6)))
    assert "Live was v3 on" in page
    assert "ada: Clearer" in page
    assert "(then removed)" in page
    assert "Nothing was Live on" in html(asked(author, document, moved - timedelta(days=10)))
    assert "It was removed on" in html(asked(author, document, moved - timedelta(days=1)))
    assert "never had that label" in html(asked(author, document, moved, label="other"))


def test_it_shows_the_text_and_leads_to_that_days_logs(author, scope, ada):
    prompt = factories.prompt(
        scope, spec=factories.chat_spec("An old text of {{topic}}", parameters={"temperature": 0.3})
    )
    page = html(author.get(address(prompt, "at")))
    for words in ("An old text of {{topic}}", "You are terse.", "Temperature", "0.3", "Variable “topic”"):
        assert words in page
    link = re.search(r'href="([^"]+)">Logs of that day', page).group(1).replace("&amp;", "&")
    query = {name: value[0] for name, value in parse_qs(urlparse(link).query).items()}
    day = timezone.localdate()
    assert query["prompt"] == str(prompt.pk)
    assert query["since"].startswith(f"{day}T00:00:00")
    assert query["until"].startswith(f"{day + timedelta(days=1)}T00:00:00")
    assert author.get(link).status_code == 200


@pytest.mark.parametrize(
    "moment", ["yesterday", "2026-13-01T10:00", "0001-01-01T00:00", "9999-12-31T23:59", "2026-05-03"]
)
def test_what_is_no_time_is_refused_at_its_field(author, document, moment):
    page = html(author.get(address(document, "at", at=moment)), 422 if moment != "2026-05-03" else 200)
    assert ("Give a day and a time" in page) == (moment != "2026-05-03")
