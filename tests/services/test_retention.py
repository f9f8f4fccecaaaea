"""What is old is removed, and nothing else: by the settings of each workspace, in pieces, on record."""

from __future__ import annotations

import datetime as dt
import os
import random
import subprocess
import sys
import uuid

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from llm_admin.choices import BatchStatus, FeedbackValue, PruneStarter, PruneStatus, Role, RowStatus, RunStatus
from llm_admin.exceptions import Conflict, InvalidInput, PermissionRefused
from llm_admin.jobs.writer import WRITER
from llm_admin.models import (
    Batch,
    BatchRow,
    InteractionFeedback,
    InteractionLog,
    InteractionText,
    PruneRecord,
    Run,
    RunStep,
)
from llm_admin.selectors import feedback as feedback_counts
from llm_admin.selectors import usage
from llm_admin.selectors.usage import UsageFilter
from llm_admin.services import actors, batches, feedback, retention, retention_parts, retention_preview
from llm_admin.tenancy import workspace_scope
from tests import factories, log_rows
from tests.servers.console import ROOT, wait_until

NOW = timezone.now()
pytestmark = pytest.mark.django_db(transaction=True)  # the writer has a connection of its own


def ago(days):
    return NOW - dt.timedelta(days=days)


def run_of(where, days, **values):
    """As if it had been started then: its id begins with the time."""
    moment = ago(days)
    pk = uuid.UUID(int=retention_parts.first_id(moment).int + random.getrandbits(60))
    values = {"inputs": {"topic": "tea"}, "output": "Tea.", "spec": {"kept": True}, "ended_at": moment} | values
    made = log_rows.run(where, id=pk, **values)
    Run._base_manager.filter(pk=made.pk).update(created_at=moment)
    return made


def call_of(where, days, **values):
    row = log_rows.log(where, at=ago(days), **values)
    log_rows.text(row)
    return row


def keep(where, *, texts=None, rows=None):
    where.keep_texts_days, where.keep_logs_days = texts, rows
    where.save()


def pruned(where, **more):
    record = retention._begin(where, PruneStarter.TICKER, None, whole=more.get("whole", True))
    retention.work(record.pk, pause=0)
    record.refresh_from_db()
    return record


def alive(model, rows):
    kept = set(model._base_manager.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    return [row.pk in kept for row in rows]


def test_texts_go_first_and_rows_later(scope):
    keep(scope, texts=10, rows=30)
    calls = [call_of(scope, days) for days in (1, 9, 11, 29, 31, 50)]
    runs = [run_of(scope, days) for days in (1, 9, 11, 29, 31, 50)]
    record = pruned(scope)
    assert alive(InteractionLog, calls) == [True, True, True, True, False, False]
    assert alive(InteractionText, calls) == [True, True, False, False, False, False]
    assert alive(Run, runs) == [True, True, True, True, False, False]
    assert [bool(run.spec) for run in Run.objects.filter(pk__in=[run.pk for run in runs]).order_by("-id")] == [
        True,
        True,
        False,
        False,
    ]
    assert (record.status, record.texts, record.runs_emptied, record.logs, record.runs) == ("finished", 2, 2, 2, 2)
    assert record.rows_before <= timezone.now() - dt.timedelta(days=30)
    assert retention.sentence(record) == "Removed the texts of 2 calls, the texts of 2 runs, 2 calls and 2 runs."
    again = pruned(scope)
    assert again.removed == 0
    assert retention.sentence(again) == "Nothing was old enough."


def test_what_goes_on_is_not_touched(scope):
    keep(scope, texts=5, rows=10)
    waiting = run_of(scope, 40, kind="workflow", status=RunStatus.WAITING, ended_at=None)
    parent = run_of(scope, 40)
    run_of(scope, 39, parent=parent, status=RunStatus.RUNNING, ended_at=None)
    batch = Batch.objects.create(
        workspace=scope, title="Open", spec={}, total=1, status=BatchStatus.PAUSED, created_at=ago(40)
    )
    in_batch = run_of(scope, 40, batch=batch)
    row = BatchRow.objects.create(batch=batch, number=1, inputs={"topic": "tea"}, run=in_batch)
    just_ended = run_of(scope, 40, ended_at=ago(1))
    kept = [waiting, parent, in_batch, just_ended]
    calls = [call_of(scope, 40, run=run) for run in (waiting, in_batch)]
    RunStep.objects.create(run=waiting, path="1", step_id="a", type="llm", output="Tea.", started_at=ago(40))
    record = pruned(scope)
    assert record.removed == 0
    assert all(run.spec and run.output for run in Run.objects.filter(pk__in=[run.pk for run in kept]))
    assert alive(InteractionText, calls) == [True, True]
    assert RunStep.objects.get(run=waiting).output == "Tea."
    row.refresh_from_db()
    assert row.inputs


def test_an_ended_batch_goes_with_its_rows(scope, system):
    keep(scope, texts=10, rows=30)
    spec = {"workflow": {"inputs": [{"name": "topic"}]}}
    made = {}
    for days in (5, 20, 40):
        made[days] = Batch.objects.create(
            workspace=scope,
            title="Rows",
            spec=spec,
            total=1,
            status=BatchStatus.STOPPED,
            created_at=ago(days),
            ended_at=ago(days),
        )
        BatchRow.objects.create(
            batch=made[days], number=1, inputs={"topic": "tea"}, original={"a": 1}, status=RowStatus.STOPPED
        )
    record = pruned(scope)
    rows = {row.batch_id: row for row in BatchRow.objects.all()}
    assert rows[made[5].pk].inputs and rows[made[5].pk].original
    assert rows[made[20].pk].inputs == rows[made[20].pk].original == {}
    assert made[40].pk not in rows and not Batch.objects.filter(pk=made[40].pk).exists()
    assert (record.rows_emptied, record.batches) == (1, 1)
    with pytest.raises(Conflict, match="what the stopped rows held is gone"):
        batches.resume(made[20], actor=system)


def test_the_texts_of_steps_and_of_failures_go_too(scope):
    keep(scope, texts=10)
    run = run_of(scope, 20, kind="workflow", status=RunStatus.FAILED, error_kind="function", error_message="No “tea”")
    step = RunStep.objects.create(
        run=run, path="1", step_id="a", type="llm", input="tea", output="x", error_message="No", started_at=ago(20)
    )
    call = call_of(scope, 20, run=run, tried=[{"deployment": "a", "error": "the words", "error_kind": "timeout"}])
    pruned(scope)
    step.refresh_from_db()
    run.refresh_from_db()
    call.refresh_from_db()
    assert (step.input, step.output, step.error_message) == (None, None, "")
    assert (run.spec, run.inputs, run.output, run.error_kind) == ({}, {}, None, "function")
    assert run.error_message == retention_parts.WORDS_GONE
    assert call.tried == [{"deployment": "a", "error": "", "error_kind": "timeout"}]


def test_what_people_thought_stays_counted_and_their_notes_go(scope, system):
    keep(scope, texts=10, rows=30)
    prompt = factories.prompt(scope)
    version = prompt.versions.get()
    calls = [call_of(scope, days, prompt=prompt, prompt_version=version) for days in (5, 20, 40)]
    for call in calls:
        feedback.give(actor=system, subject=call, value=FeedbackValue.UP, note="Nice")
    pruned(scope)
    assert feedback_counts.counts([version.pk]) == {version.pk: feedback_counts.Counted(up=3)}
    assert feedback_counts.counts_between(UsageFilter(ago(41), ago(39))).up == 1
    assert [one.note for one in InteractionFeedback.objects.order_by("id")] == ["Nice", "", ""]


def test_another_workspace_is_not_touched(scope):
    keep(scope, texts=1, rows=1)
    other = factories.workspace()
    calls, run = [call_of(other, 50)], run_of(other, 50)
    pruned(scope)
    assert alive(InteractionLog, calls) == alive(InteractionText, calls) == [True]
    assert Run._base_manager.get(pk=run.pk).spec


@pytest.mark.parametrize("seed", range(4))
def test_random_rows_are_kept_exactly_when_they_are_young(scope, monkeypatch, seed):
    """Small slices, so that every kind of border is met; interrupted at a random place, and begun again."""
    monkeypatch.setattr(retention_parts, "SLICE", 3)
    monkeypatch.setattr(retention_parts, "HEAVY_SLICE", 2)
    chance = random.Random(seed)
    texts, rows = chance.choice([None, 5, 20]), chance.choice([7, 15, None])
    keep(scope, texts=texts, rows=rows or (None if texts else 7))
    rows = scope.keep_logs_days
    ages = [chance.choice([1, 4.9, 5.1, 6, 8, 14, 16, 25]) for _ in range(25)]
    states = [chance.choice([RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.WAITING]) for _ in ages]
    runs = [
        run_of(scope, age, status=state, ended_at=None if state == RunStatus.WAITING else ago(age))
        for age, state in zip(ages, states, strict=True)
    ]
    calls = [call_of(scope, age, run=run) for age, run in zip(ages, runs, strict=True)]

    record = retention._begin(scope, PruneStarter.TICKER, None, whole=True)
    left = chance.randrange(1, 8)

    def dies_later(operation):
        nonlocal left
        left -= 1
        if left < 0:
            raise RuntimeError("killed")
        return WRITER.write_sync(operation)

    try:
        retention.work(record.pk, write=dies_later, pause=0)
    except RuntimeError:
        PruneRecord.objects.filter(pk=record.pk).update(lease_expires_at=ago(1))
    finished = pruned(scope)
    record.refresh_from_db()
    assert {record.status, finished.status} <= {PruneStatus.FINISHED, PruneStatus.INTERRUPTED}

    def young(days, limit):
        return limit is None or days < limit

    open_ = [state == RunStatus.WAITING for state in states]
    expected_rows = [held or young(age, rows) for age, held in zip(ages, open_, strict=True)]
    expected_texts = [held or (young(age, rows) and young(age, texts)) for age, held in zip(ages, open_, strict=True)]
    assert alive(InteractionLog, calls) == alive(Run, runs) == expected_rows
    assert alive(InteractionText, calls) == expected_texts
    with_spec = set(Run.objects.exclude(spec={}).values_list("pk", flat=True))
    assert [run.pk in with_spec for run in runs] == expected_texts
    assert record.logs + finished.logs == expected_rows.count(False)


def test_the_ticker_looks_once_an_hour_and_only_where_something_may_go(scope):
    other = factories.workspace()
    keep(scope, texts=10)
    first = retention.due()
    assert [record.workspace_id for record in first] == [scope.pk]
    assert first[0].whole
    assert retention.due() == []
    retention.work(first[0].pk, pause=0)
    assert retention.due() == []
    PruneRecord.objects.update(created_at=ago(0.1))
    second = retention.due()
    assert [record.whole for record in second] == [False]
    assert not PruneRecord._base_manager.filter(workspace=other).exists()


def test_a_pass_that_died_is_marked_and_the_next_one_goes_on(scope):
    keep(scope, rows=10)
    died = retention._begin(scope, PruneStarter.TICKER, None, whole=True)
    assert retention._begin(scope, PruneStarter.PERSON, None, whole=True) is None
    PruneRecord.objects.filter(pk=died.pk).update(lease_expires_at=ago(1))
    call = call_of(scope, 20)
    assert retention.due() != []
    died.refresh_from_db()
    assert died.status == PruneStatus.INTERRUPTED
    retention.work(died.pk, pause=0)  # it lives after all: nothing is its own
    assert alive(InteractionLog, [call]) == [True]


def test_of_passes_that_found_nothing_only_the_newest_stays(scope):
    keep(scope, texts=10)
    pruned(scope)
    pruned(scope, whole=False)
    pruned(scope, whole=False)
    assert PruneRecord.objects.filter(whole=False).count() == 1
    assert PruneRecord.objects.filter(whole=True).count() == 1
    call_of(scope, 11)
    assert pruned(scope, whole=False).texts == 1
    pruned(scope)
    assert [record.texts for record in PruneRecord.objects.order_by("id")] == [1, 0]


def test_a_preview_changes_nothing_and_says_how_many(scope, system):
    calls = [call_of(scope, days) for days in (1, 11, 12, 40)]
    run_of(scope, 40)
    found = retention_preview.preview(actor=system, texts_days=10, logs_days=30)
    assert found.sentence == "This would remove the texts of 2 calls, 1 call with all that is known of it and 1 run."
    nothing = retention_preview.preview(actor=system, texts_days=None, logs_days=90)
    assert nothing.sentence == "Nothing is old enough yet."
    assert alive(InteractionText, calls) == [True] * 4


def test_only_admins_may(scope, member):
    keep(scope, texts=10)
    author = actors.Actor(scope, member(Role.OPERATOR), Role.OPERATOR)
    with pytest.raises(PermissionRefused):
        retention.start(actor=author)
    with pytest.raises(PermissionRefused):
        retention_preview.preview(actor=author, texts_days=1, logs_days=None)
    keep(scope)
    with pytest.raises(InvalidInput, match="keeps everything"):
        retention.start(actor=actors.system(scope))


def test_the_command_removes_in_each_workspace_what_its_settings_say(workspace, capsys):
    keep(workspace, texts=10)
    other = factories.workspace("Other")
    keep(other, rows=30)
    ours, theirs = call_of(workspace, 20), call_of(other, 40)
    call_command("prune", "--dry-run")
    said = capsys.readouterr().out
    assert "This would remove the texts of 1 call" in said
    assert alive(InteractionText, [ours, theirs]) == [True, True]
    call_command("prune", workspace=other.slug)
    assert alive(InteractionLog, [ours, theirs]) == [True, False]
    call_command("prune")
    assert "Removed the texts of 1 call." in capsys.readouterr().out
    with workspace_scope(workspace):
        record = PruneRecord.objects.get()
        assert (record.started_by, record.status) == (PruneStarter.COMMAND, PruneStatus.FINISHED)
    keep(workspace)
    with pytest.raises(CommandError, match="keeps everything"):
        call_command("prune", workspace=workspace.slug)


def test_numbers_stay_when_their_rows_go(scope):
    keep(scope, rows=10)
    calls = [call_of(scope, days, cost_nano=days, latency_ms=days * 10) for days in (1, 9, 11, 12, 12, 40)]
    span = UsageFilter(ago(60), ago(-1))
    before = usage.totals(span)
    assert before.calls == 6
    assert pruned(scope).logs == 4
    assert usage.totals(span) == before
    late = call_of(scope, 12)  # somebody's clock, or a recovery: it comes after its time was closed
    assert usage.totals(UsageFilter(ago(1.5), ago(-1))).calls == 1
    assert pruned(scope).logs == 1
    assert alive(InteractionLog, [*calls, late]) == [True, True, False, False, False, False, False]


WRITES = """
import datetime, django, sys
django.setup()
from django.utils import timezone
from llm_admin.jobs.writer import WRITER, Insert
from llm_admin.models import InteractionLog
print("ready", flush=True)
sys.stdin.readline()
for number in range(120):
    now = timezone.now()
    row = InteractionLog(
        workspace_id=int(sys.argv[1]), created_at=now, status="succeeded", source="code", latency_ms=1, cost_nano=1
    )
    WRITER.write_sync(Insert(row))
print("done", flush=True)
"""


def test_another_process_writes_all_the_while(scope, monkeypatch):
    monkeypatch.setattr(retention_parts, "SLICE", 50)
    keep(scope, rows=10)
    old = [log_rows.unsaved(scope, at=ago(20 + n / 1000), cost_nano=1) for n in range(600)]
    InteractionLog.objects.bulk_create(old)
    InteractionText.objects.bulk_create([InteractionText(log_id=one.pk, workspace=scope, messages=[]) for one in old])
    given = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "SECRET_KEY": django_settings.SECRET_KEY,
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
    }
    command = [sys.executable, "-W", "ignore", "-c", WRITES, str(scope.pk)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=given, cwd=ROOT, text=True, **pipes) as other:
        assert other.stdout.readline() == "ready\n"
        other.stdin.write("go\n")
        other.stdin.flush()
        record = pruned(scope)
        said, errors = other.communicate(timeout=60)
    assert (said, other.returncode) == ("done\n", 0), errors
    assert (record.status, record.logs) == ("finished", 600)
    assert InteractionLog.objects.count() == 120
    assert usage.totals(UsageFilter(ago(30), ago(-1))).calls == 720


def test_from_the_settings_it_goes_in_the_background(scope, system):
    keep(scope, texts=10, rows=30)
    calls = [call_of(scope, days) for days in (1, 20, 40)]
    record = retention.start(actor=system)
    wait_until(lambda: PruneRecord.objects.get(pk=record.pk).ended_at, 30, what="the removal")
    assert alive(InteractionLog, calls) == [True, True, False]
    record.refresh_from_db()
    assert (record.status, record.started_by, record.executor) == ("finished", PruneStarter.PERSON, "")


async def test_the_ticker_begins_it(transactional_db):
    where = await sync_to_async(_old_workspace)()
    await retention.tick()
    ended = PruneRecord._base_manager.filter(workspace=where, started_by=PruneStarter.TICKER, ended_at__isnull=False)
    await sync_to_async(wait_until)(ended.exists, 30, what="the removal")
    assert not await sync_to_async(InteractionLog._base_manager.filter(workspace=where).exists)()


def _old_workspace():
    where = factories.workspace()
    keep(where, rows=5)
    call_of(where, 6)
    return where
