"""Thumbs and notes: one of each person for each answer, seen by who sees the answer, counted by version."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from llm_admin import give_feedback, run_prompt, run_workflow
from llm_admin.choices import CallStatus, Role, RunStatus, StoreTexts
from llm_admin.exceptions import Conflict, InvalidInput, NotFound, PermissionRefused
from llm_admin.models import InteractionFeedback, InteractionLog
from llm_admin.selectors import feedback as selected
from llm_admin.selectors.feedback import Counted
from llm_admin.selectors.usage import UsageFilter
from llm_admin.services import actors, feedback
from llm_admin.tenancy import workspace_scope
from tests import factories, log_rows


@pytest.fixture
def version(scope):
    return factories.prompt(scope).versions.get()


def call(scope, version, **values):
    return log_rows.log(scope, prompt=version.prompt, prompt_version=version, **values)


def acts(scope, user, role=Role.AUTHOR):
    return actors.Actor(scope, user, role)


def test_each_person_has_one_opinion_and_may_change_it(scope, version, member):
    log = call(scope, version)
    people = [acts(scope, member(role), role) for role in (Role.OPERATOR, Role.ADMIN)]
    for actor in people:
        feedback.give(actor=actor, subject=log, value="up", note="Good")
    feedback.give(actor=people[0], subject=log, value="down")
    given = selected.given(people[0].user, logs=[log.pk])[(log.pk, None)]
    assert (given.own.value, given.own.note, given.counted) == ("down", "Good", Counted(up=1))
    assert selected.counts([version.pk]) == {version.pk: Counted(up=1, down=1)}
    feedback.remove(actor=people[0], subject=log)
    feedback.remove(actor=people[0], subject=log)
    assert selected.counts([version.pk]) == {version.pk: Counted(up=1)}


def test_people_judge_what_they_see(scope, version, member):
    author, viewer = member(), member(Role.VIEWER)
    own = call(scope, version, user=author)
    shared = log_rows.run(scope, owner=author, shared=True)
    of_shared = call(scope, version, user=author, run=shared)
    assert feedback.find(actor=acts(scope, author), log_id=str(own.pk)) == own
    reader = acts(scope, viewer, Role.VIEWER)
    assert feedback.find(actor=reader, log_id=of_shared.pk) == of_shared
    assert feedback.find(actor=reader, run_id=str(shared.pk)) == of_shared
    assert feedback.give(actor=reader, subject=of_shared, value="up").user == viewer
    for unseen in ({"log_id": own.pk}, {"log_id": "x"}, {"log_id": "9" * 30}, {"run_id": "x"}, {}):
        with pytest.raises(NotFound):
            feedback.find(actor=reader, **unseen)
    stranger = actors.Actor(scope, member(), "")
    with pytest.raises(PermissionRefused):
        feedback.give(actor=stranger, subject=own, value="up")


def test_another_workspace_is_not_reached(scope, version):
    log = call(scope, version)
    elsewhere = actors.system(factories.workspace())
    with pytest.raises(NotFound):
        feedback.find(actor=elsewhere, log_id=log.pk)


def test_what_is_refused(scope, version, system):
    log = call(scope, version)
    for value, note in (("", None), ("great", None), ("up", "x" * 2_001)):
        with pytest.raises(InvalidInput):
            feedback.give(actor=system, subject=log, value=value, note=note)
    running = log_rows.run(scope, status=RunStatus.RUNNING)
    with pytest.raises(Conflict, match="not ended"):
        feedback.find(actor=system, run_id=running.pk)


def test_notes_are_masked_and_only_kept_where_texts_are(scope, version, system):
    log = call(scope, version)
    key = "sk-proj-PLANTED0123456789abcdefghijklmnopqrstuvwxyz"
    assert key not in feedback.give(actor=system, subject=log, value="down", note=f"It says {key}").note
    scope.store_texts = StoreTexts.NOTHING
    assert feedback.give(actor=system, subject=log, value="down", note="A word").note == ""


def test_counts_fit_every_filter_of_the_numbers(scope, version, system, member):
    caller, at = member(), timezone.now() - dt.timedelta(hours=2)
    logs = [
        call(scope, version, at=at, user=caller, cached=True),
        call(scope, version, status=CallStatus.FAILED, error_kind="timeout"),
        log_rows.log(scope),
    ]
    for log, value in zip(logs, ("up", "down", "up"), strict=True):
        feedback.give(actor=system, subject=log, value=value)

    def counted(**given):
        now = timezone.now() + dt.timedelta(minutes=1)
        return selected.counts_between(UsageFilter(now - dt.timedelta(days=1), now, **given))

    assert counted() == Counted(2, 1)
    assert counted(prompt=version.prompt_id) == counted(version=version.pk) == Counted(1, 1)
    assert counted(user=caller.pk) == counted(cached=True) == Counted(1)
    assert counted(status="failed") == counted(error="timeout") == Counted(down=1)
    assert selected.counts_between(UsageFilter(at, at + dt.timedelta(minutes=1))) == Counted(1)
    assert counted(model=5).share_up is None


@pytest.mark.django_db(transaction=True)
def test_code_passes_on_what_its_own_users_think(workspace):
    factories.prompt(workspace, name="Explain")
    run = run_prompt("explain", {"topic": "tea"}).run_id
    give_feedback("up", run_id=run, note="Nice")
    give_feedback("down", run_id=run)
    log = InteractionLog._base_manager.get()
    given = InteractionFeedback._base_manager.get()
    assert (given.log_id, given.run_id, given.value, given.note, given.user) == (log.pk, run, "down", "Nice", None)
    assert given.prompt_version_id == log.prompt_version_id
    person = factories.member(workspace)
    give_feedback("up", log_id=log.pk, user=person)
    assert InteractionFeedback._base_manager.count() == 2
    give_feedback(None, run_id=run)
    assert [one.user for one in InteractionFeedback._base_manager.all()] == [person]
    with pytest.raises(NotFound):
        give_feedback("up", run_id=run, workspace=factories.workspace().slug)
    with pytest.raises(InvalidInput):
        give_feedback("great", run_id=run)


@pytest.mark.django_db(transaction=True)
def test_what_a_workflow_gives_back_is_judged_apart_from_its_calls(workspace):
    flow = factories.workflow(workspace, name="Flow")
    run = run_workflow("flow", {"topic": "tea"}).run_id
    give_feedback("up", run_id=run)
    given = InteractionFeedback._base_manager.get()
    assert (given.log_id, given.run_id, given.workflow_id) == (None, run, flow.pk)
    with workspace_scope(workspace):
        version = flow.versions.get()
        assert selected.of_versions(flow, [version]) == {version.pk: Counted(1)}
        assert list(selected.given(factories.member(workspace), runs=[run])) == [(None, run)]


def test_opinions_of_many_answers_are_one_query(scope, version, system, member):
    runs = [log_rows.run(scope) for _ in range(5)]
    logs = [call(scope, version, run=run) for run in runs]
    for log in logs:
        feedback.give(actor=system, subject=log, value="up")
    with CaptureQueriesContext(connection) as queries:
        found = selected.given(member(), logs=[log.pk for log in logs])
    assert len([one for one in queries if "interactionfeedback" in one["sql"]]) == 1
    assert len(found) == 5
