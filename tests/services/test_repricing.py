"""Past calls priced again: what changes, what stays, what a crash in the middle leaves."""

from __future__ import annotations

import datetime as dt
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from llm_admin.choices import Role
from llm_admin.exceptions import Conflict, InvalidInput, PermissionRefused
from llm_admin.management.commands.reprice import Command
from llm_admin.models import (
    Batch,
    BatchRow,
    Deployment,
    DeploymentPrice,
    InteractionLog,
    LanguageModel,
    LogMinutes,
    Repricing,
    Run,
)
from llm_admin.services import actors, repricing
from llm_admin.services.live import executor_id
from tests import factories
from tests.log_rows import log, run

DAY = dt.timedelta(days=1)


def days_ago(days):
    return timezone.now() - days * DAY


@pytest.fixture
def place(scope):
    return Deployment.objects.get(model__alias="demo")


def price(place, amount, days, **fields):
    return DeploymentPrice.objects.create(
        deployment=place,
        input_per_million=Decimal(amount),
        output_per_million=Decimal(0),
        starts_at=days_ago(days),
        **fields,
    )


def call(where, place, days=1.0, **fields):
    """Of 1,000 input tokens: a price of $1 makes it cost 1,000,000."""
    fields = {"input_tokens": 1_000, "output_tokens": 10, "cost_nano": None} | fields
    return log(where, at=days_ago(days), deployment=place, model=place.model, **fields)


def begun(actor, place, days=30, **fields):
    since = days_ago(days)
    return repricing._new(actor, place.model, [place.pk], since, **fields)


def work(job):
    steps = 0
    while repricing.step(job.pk):
        steps += 1
    job.refresh_from_db()
    return steps


def costs(*logs):
    return [InteractionLog.objects.get(pk=one.pk).cost_nano for one in logs]


def test_each_call_gets_the_price_of_its_moment(scope, place, system):
    old, new = price(place, 1, 20), price(place, 2, 10)
    before, first, second = call(scope, place, 25), call(scope, place, 15), call(scope, place, 5)
    job = begun(system, place)
    work(job)
    assert costs(before, first, second) == [None, 1_000_000, 2_000_000]
    assert list(InteractionLog.objects.order_by("id").values_list("price", flat=True)) == [None, old.pk, new.pk]
    assert (job.status, job.total, job.done, job.changed) == ("finished", 3, 3, 2)
    assert (job.old_nano, job.new_nano, job.unknown_before, job.unknown_after) == (0, 3_000_000, 3, 1)
    assert job.executor == ""


def test_a_price_entered_afterwards_replaces_the_published_one(scope, place, system):
    published = price(place, 1, 20, source="published")
    one = call(scope, place, 5, cost_nano=1_000_000, price=published)
    mine = price(place, 4, 10)
    work(begun(system, place))
    one.refresh_from_db()
    assert (one.cost_nano, one.price_id) == (4_000_000, mine.pk)


@pytest.mark.parametrize(
    "fields",
    [
        {"input_tokens": None},
        {"output_tokens": None},
        {"status": "cancelled", "input_tokens": None, "output_tokens": None},
        {"cached": True, "cost_nano": 0},
        {"at_the_wrong_time": True},
    ],
)
def test_what_cannot_be_known_better_stays(scope, place, system, fields):
    price(place, 1, 20)
    days = 40 if fields.pop("at_the_wrong_time", False) else 5
    one = call(scope, place, days, **fields)
    before = InteractionLog.objects.values().get(pk=one.pk)
    work(begun(system, place))
    assert InteractionLog.objects.values().get(pk=one.pk) == before


def test_a_known_cost_does_not_become_unknown_where_no_price_is_left(scope, place, system):
    one = call(scope, place, 5, cost_nano=77)
    work(begun(system, place))
    assert costs(one) == [77]


def test_other_models_and_workspaces_are_left_alone(scope, place, system):
    price(place, 1, 20)
    other = Deployment.objects.create(model=place.model, connection=place.connection, provider_model="x")
    price(other, 1, 20)
    elsewhere = factories.workspace()
    kept = [call(scope, other), call(elsewhere, place)]
    work(begun(system, place))
    assert [InteractionLog._base_manager.get(pk=one.pk).cost_nano for one in kept] == [None, None]


def test_a_runs_total_is_the_sum_of_its_calls_or_unknown(scope, place, system):
    price(place, 1, 20)
    whole, partly = run(scope), run(scope)
    call(scope, place, run=whole), call(scope, place, run=whole, input_tokens=500)
    call(scope, place, run=partly), call(scope, place, run=partly, input_tokens=None)
    untouched = run(scope, cost_nano=5)
    work(begun(system, place))
    found = [Run.objects.get(pk=one.pk).cost_nano for one in (whole, partly, untouched)]
    assert found == [1_500_000, None, 5]


def test_a_batchs_row_costs_what_its_run_costs(scope, place, system):
    price(place, 1, 20)
    one = run(scope)
    batch = Batch.objects.create(
        workspace=scope, title="Rows", spec={}, total=1, status="finished", created_at=timezone.now()
    )
    row = BatchRow.objects.create(batch=batch, number=1, inputs={}, original={}, run=one, status="succeeded")
    call(scope, place, run=one)
    work(begun(system, place))
    row.refresh_from_db()
    assert row.cost_nano == 1_000_000


def test_a_run_that_goes_on_is_left_to_itself(scope, place, system):
    price(place, 1, 20)
    one = call(scope, place, run=run(scope, status="running"))
    work(begun(system, place))
    assert costs(one) == [None]


def test_again_changes_nothing(scope, place, system):
    price(place, 1, 20)
    call(scope, place, run=run(scope))
    work(begun(system, place))
    before = list(InteractionLog.objects.values()), list(Run.objects.values())
    job = begun(system, place)
    work(job)
    assert job.changed == 0
    assert (list(InteractionLog.objects.values()), list(Run.objects.values())) == before


def test_a_crash_in_the_middle_goes_on_where_it_was(scope, place, system, monkeypatch):
    monkeypatch.setattr(repricing, "STEP", 2)
    price(place, 1, 20)
    logs = [call(scope, place, 5 - number / 100) for number in range(5)]
    job = begun(system, place)
    assert repricing.step(job.pk)
    Repricing.objects.update(executor="another:1", lease_expires_at=timezone.now() + DAY)
    assert not repricing.step(job.pk), "somebody else works on it"
    assert repricing.abandoned() == []
    Repricing.objects.update(lease_expires_at=timezone.now() - DAY)
    assert repricing.abandoned() == [job.pk]
    assert work(job) == 2
    assert costs(*logs) == [1_000_000] * 5
    assert (job.done, job.changed, job.status) == (5, 5, "finished")


def test_a_step_takes_equally_many_queries_for_few_and_many_calls(scope, place, system):
    price(place, 1, 20)

    def queries(count):
        for _ in range(count):
            call(scope, place, 2)
        job = begun(system, place, days=3)
        with CaptureQueriesContext(database) as found:
            assert repricing.step(job.pk)
        work(job)
        InteractionLog.objects.all().delete()
        LogMinutes.objects.all().delete()  # what is known already is not written again
        return len(found)

    assert queries(2) == queries(100)


def test_the_preview_says_what_will_happen_and_changes_nothing(scope, place, system):
    price(place, 1, 20)
    call(scope, place, 5), call(scope, place, 5, cost_nano=3), call(scope, place, 5, input_tokens=None)
    before = list(InteractionLog.objects.values())
    found = repricing.preview(actor=system, deployments=[place.pk], since=days_ago(30))
    assert (found.logs, found.changed, found.complete) == (3, 2, True)
    assert (found.old_nano, found.new_nano) == (3, 2_000_000)
    assert (found.unknown_before, found.unknown_after) == (2, 1)
    assert list(InteractionLog.objects.values()) == before
    job = begun(system, place)
    work(job)
    assert (job.done, job.changed, job.old_nano, job.new_nano) == (3, 2, 3, 2_000_000)


def test_a_preview_of_very_many_calls_shows_only_what_the_database_adds_up(scope, place, system, monkeypatch):
    monkeypatch.setattr(repricing, "PREVIEWED", 1)
    call(scope, place, 5, cost_nano=3), call(scope, place, 5)
    found = repricing.preview(actor=system, deployments=[place.pk], since=days_ago(30))
    assert (found.complete, found.logs, found.old_nano, found.unknown_before) == (False, 2, 3, 1)


def test_it_is_on_record(scope, place, member):
    user = member(Role.OPERATOR)
    work(begun(actors.Actor(scope, user, Role.OPERATOR), place))
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (user, str(place.model_id))
    assert entry.change_message.startswith("Priced calls since")


def test_who_may_and_what_is_refused(scope, place, system, member):
    author = actors.Actor(scope, member(Role.AUTHOR), Role.AUTHOR)
    given = {"model": place.model, "deployments": [place.pk], "since": days_ago(1)}
    for act in (repricing.start, repricing.run):
        with pytest.raises(PermissionRefused):
            act(actor=author, **given)
    with pytest.raises(PermissionRefused):
        repricing.preview(actor=author, deployments=[place.pk], since=days_ago(1))
    with pytest.raises(InvalidInput, match="has not begun yet"):
        repricing.start(actor=system, **given | {"since": timezone.now() + DAY})
    with pytest.raises(InvalidInput, match="at least one place"):
        repricing.start(actor=system, **given | {"deployments": []})
    begun(system, place)
    with pytest.raises(Conflict, match="being priced again already"):
        repricing.start(actor=system, **given)


def test_places_of_another_workspace_are_not_priced(system, scope, place):
    from llm_admin.tenancy import workspace_scope

    with workspace_scope(factories.workspace()):
        theirs = Deployment.objects.get()
    with pytest.raises(InvalidInput, match="at least one place"):
        repricing.start(actor=system, model=place.model, deployments=[theirs.pk], since=days_ago(1))


@pytest.mark.django_db(transaction=True)
def test_it_runs_in_the_background(scope, place, system):
    price(place, 1, 20)
    one = call(scope, place, 5)
    job = repricing.start(actor=system, model=place.model, deployments=[place.pk], since=days_ago(30))
    until = time.monotonic() + 20
    while job.status != "finished" and time.monotonic() < until:
        time.sleep(0.02)
        job.refresh_from_db()
    assert costs(one) == [1_000_000]
    assert executor_id() not in Repricing.objects.values_list("executor", flat=True)


@pytest.mark.django_db(transaction=True)
def test_of_several_that_begin_at_once_one_does(scope, place, system, monkeypatch):
    price(place, 1, 20)
    call(scope, place, 5)
    counted = repricing._logs

    def slowly(*given):
        time.sleep(0.05)
        return counted(*given)

    monkeypatch.setattr(repricing, "_logs", slowly)

    def one(_):
        try:
            return begun(system, place) and "begun"
        except Conflict:
            return "refused"
        finally:
            database.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(4))) == ["begun", "refused", "refused", "refused"]


@pytest.mark.django_db(transaction=True)
def test_the_command(scope, place, capsys):
    price(place, 1, 20)
    one = call(scope, place, 5)
    since = timezone.localdate() - 30 * DAY
    call_command("reprice", f"--since={since}", "--model=demo", "--dry-run")
    said = capsys.readouterr().out
    assert "1 of 1 calls would have another cost." in said
    assert "Known costs: $0.00 before, $0.001 after." in said.replace("$0.0010", "$0.001")
    assert costs(one) == [None]
    call_command("reprice", f"--since={since}")
    said = capsys.readouterr().out
    assert "1 of 1 calls have another cost now." in said
    assert "Unknown costs: 1 before, 0 after." in said
    assert costs(one) == [1_000_000]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"since": "yesterday"}, "is no day"),
        ({"since": "2999-01-01"}, "has not begun yet"),
        ({"since": "0001-01-01"}, "after the year 2000"),
        ({"since": "2026-01-01", "model": "nobody"}, "no model “nobody”"),
        ({"since": "2026-01-01", "workspace": "nowhere"}, "no workspace “nowhere”"),
    ],
)
def test_the_command_refuses_in_one_sentence(workspace, options, words):
    arguments = [f"--{name}={value}" for name, value in options.items()]
    with pytest.raises(CommandError, match=words):
        call_command("reprice", *arguments)
    assert not LanguageModel.objects.with_scopes_disabled().filter(repricings__isnull=False).exists()


def test_a_shell_sees_a_sentence_about_a_day_too(capsys):
    """From a shell, a CommandError while arguments are read would be a traceback."""
    with pytest.raises(SystemExit) as ended:
        Command().run_from_argv(["manage.py", "reprice", "--since=yesterday"])
    assert ended.value.code == 2
    assert "--since: “yesterday” is no day; write it as 2026-01-31." in capsys.readouterr().err
