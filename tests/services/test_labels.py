"""Moving, removing and undoing labels: who may, what is kept of it, and what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from llm_admin.choices import Role
from llm_admin.exceptions import Conflict, InvalidInput, NotFound, PermissionRefused
from llm_admin.selectors import label_history
from llm_admin.services import documents, labels
from llm_admin.services.actors import Actor
from tests import factories


@pytest.fixture(params=["prompt", "workflow"])
def document(request, scope, system):
    """Three versions, the first one Live."""
    if request.param == "prompt":
        return factories.prompt(scope, versions=3)
    made = factories.workflow(scope)
    for _ in range(2):
        documents.save_version(made, actor=system, spec=documents.spec_of(documents.newest(made)))
    return made


@pytest.fixture
def author(scope, member):
    return Actor(scope, member(Role.AUTHOR, "ada"), Role.AUTHOR)


def moves(document, name):
    return [(event.from_number, event.to_number) for event in label_history.events_of(document).filter(name=name)][::-1]


def at(document, name):
    return documents.version_of(document, label=name).number


def test_a_move_is_an_event_with_who_and_why(document, author):
    event = labels.move(document, actor=author, label="Staging ", number=2, reason="To try")
    assert (event.name, event.actor.username, event.reason) == ("staging", "ada", "To try")
    labels.move(document, actor=author, label="staging", number=3)
    assert moves(document, "staging") == [(None, 2), (2, 3)]
    assert at(document, "staging") == 3
    assert document.labels.filter(name="staging").count() == 1


def test_a_move_to_where_it_is_leaves_no_trace(document, author):
    assert labels.move(document, actor=author, label="live", number=1) is None
    assert moves(document, "production") == [(None, 1)]


def test_undo_goes_back_and_undoing_that_goes_forth(document, author):
    event = labels.move(document, actor=author, label="production", number=3)
    back = labels.undo(document, actor=author, event_id=event.pk)
    assert at(document, "production") == 1
    labels.undo(document, actor=author, event_id=back.pk)
    assert moves(document, "production") == [(None, 1), (1, 3), (3, 1), (1, 3)]


def test_undo_of_the_first_move_takes_the_label_off_and_of_a_removal_puts_it_back(document, author):
    event = labels.move(document, actor=author, label="staging", number=2)
    removed = labels.undo(document, actor=author, event_id=event.pk)
    assert not document.labels.filter(name="staging").exists()
    labels.undo(document, actor=author, event_id=removed.pk)
    assert at(document, "staging") == 2


def test_only_the_newest_move_of_a_label_is_undone(document, author):
    old = labels.move(document, actor=author, label="production", number=2)
    labels.move(document, actor=author, label="production", number=3)
    with pytest.raises(Conflict, match="moved again since"):
        labels.undo(document, actor=author, event_id=old.pk)
    assert at(document, "production") == 3


def test_an_event_of_another_document_is_not_found(document, author, scope):
    other = factories.prompt(scope, versions=2)
    event = labels.move(other, actor=author, label="staging", number=2)
    theirs = event.pk + 1000 if document.label_events.filter(pk=event.pk).exists() else event.pk
    with pytest.raises(NotFound):
        labels.undo(document, actor=author, event_id=theirs)
    assert at(other, "staging") == 2


def test_a_protected_label_needs_the_permission(document, author, scope):
    scope.protected_labels = "production"
    scope.save()
    for act in (
        lambda: labels.move(document, actor=author, label="production", number=2),
        lambda: labels.remove(document, actor=author, label="production"),
        lambda: labels.undo(document, actor=author, event_id=document.label_events.get().pk),
    ):
        with pytest.raises(PermissionRefused):
            act()
    assert moves(document, "production") == [(None, 1)]
    labels.move(document, actor=author, label="staging", number=2)
    labels.move(document, actor=Actor(scope, None, Role.OPERATOR), label="production", number=2)
    assert at(document, "production") == 2


def test_what_cannot_be_is_refused(document, author, scope):
    for name in ("", "a b", "x" * 37, "Ä", "<b>"):
        with pytest.raises(InvalidInput):
            labels.move(document, actor=author, label=name, number=1)
    with pytest.raises(NotFound):
        labels.move(document, actor=author, label="staging", number=9)
    with pytest.raises(NotFound):
        labels.remove(document, actor=author, label="nowhere")
    with pytest.raises(PermissionRefused):
        labels.move(document, actor=Actor(scope, None, Role.VIEWER), label="staging", number=2)
    assert document.label_events.count() == 1


def test_what_a_label_said_at_any_moment(document, author):
    second = labels.move(document, actor=author, label="production", number=3)
    removed = labels.remove(document, actor=author, label="production")
    now = timezone.now()
    first = document.label_events.order_by("id").first()
    for event, days in ((first, 9), (second, 6), (removed, 3)):
        document.label_events.filter(pk=event.pk).update(at=now - timedelta(days=days))
    for days, number, since, until in (
        (10, None, None, first),
        (9, 1, first, second),
        (7, 1, first, second),
        (6, 3, second, removed),
        (4, 3, second, removed),
        (2, None, removed, None),
    ):
        held = label_history.held_at(document, now - timedelta(days=days))
        assert (held.version and held.version.number, held.since, held.until) == (number, since, until)
    assert label_history.undoable(document) == {removed.pk}
