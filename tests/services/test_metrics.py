"""/metrics: who may read it, and that it says what happened."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from django.conf import settings as django_settings
from django.db import DatabaseError
from django.urls import reverse
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from llm_admin import RunFailed, run_prompt
from llm_admin.choices import BatchStatus, MonitorState, Role, RowStatus, RunStatus
from llm_admin.models import Batch, BatchRow, Connection, Deployment, Monitor
from llm_admin.services import catalogue, metrics_gauges
from tests import factories, log_rows
from tests.servers.console import ROOT

URL = reverse("metrics")
TOKEN = "a-token-for-prometheus-0123"


@pytest.fixture
def token(settings):
    settings.LLM_ADMIN = {**settings.LLM_ADMIN, "METRICS_TOKEN": TOKEN}
    return {"Authorization": f"Bearer {TOKEN}"}


def read(text):
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scraped(client, token):
    response = client.get(URL, headers=token)
    assert response.status_code == 200
    return read(response.content.decode())


def value(found, name, **labels):
    """The sum of what has these labels (and others)."""
    wanted = set(labels.items())
    return sum(
        number for (one, given), number in found.items() if one == f"llm_console_{name}" and wanted <= set(given)
    )


def test_nobody_reads_it_without_the_token_or_a_login(client, db, token, settings):
    for wrong in ({}, {"Authorization": "Bearer x"}, {"Authorization": TOKEN}, {"Authorization": "Bearer "}):
        refused = client.get(URL, headers=wrong)
        assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert client.post(URL, headers=token).status_code == 405
    settings.LLM_ADMIN = {**settings.LLM_ADMIN, "METRICS_TOKEN": ""}
    for nothing in ({}, token, {"Authorization": "Bearer "}, {"Authorization": "Bearer"}):
        assert client.get(URL, headers=nothing).status_code == 401


def test_operators_read_their_own_workspace_and_the_token_all(client, workspace, member, login, token):
    other = factories.workspace()
    log_rows.run(other, status=RunStatus.PENDING)
    slugs = {workspace.slug, other.slug}

    def shown(found):
        return {dict(labels)["workspace"] for _, labels in found if "workspace" in dict(labels)}

    assert slugs <= shown(scraped(client, token))
    assert shown(scraped(login(member(Role.OPERATOR)), {})) == {workspace.slug}
    assert login(member(Role.AUTHOR)).get(URL).status_code == 403
    boss = factories.user(is_superuser=True)
    assert slugs <= shown(scraped(login(boss), {}))


@pytest.mark.django_db(transaction=True)
def test_it_counts_calls_and_runs(workspace, client, token):
    factories.prompt(workspace, name="Explain")
    of = {"workspace": workspace.slug, "model": "demo", "source": "code"}
    before = scraped(client, token)
    run_prompt("explain", {"topic": "tea"}, cache=False)
    with pytest.raises(RunFailed):
        Deployment._base_manager.update(provider_model="demo:500")
        catalogue.forget()
        run_prompt("explain", {"topic": "tea"}, cache=False)
    after = scraped(client, token)

    def more(name, **labels):
        return value(after, name, **labels) - value(before, name, **labels)

    assert more("calls_total", **of, status="succeeded") == 1
    assert more("calls_total", **of) == 2
    assert more("runs_ended_total", workspace=workspace.slug, kind="prompt", status="succeeded") == 1
    assert more("runs_ended_total", workspace=workspace.slug, kind="prompt", status="failed") == 1
    assert more("tokens_total", **of, direction="output") > 0
    assert more("call_duration_seconds_count", workspace=workspace.slug, model="demo") == 2
    assert more("cost_usd_total", **of) >= 0


def test_it_says_what_is_so_now(scope, client, token):
    log_rows.run(scope, status=RunStatus.PENDING)
    batch = Batch.objects.create(
        workspace=scope, title="Rows", spec={}, total=2, status=BatchStatus.RUNNING, created_at=timezone.now()
    )
    for number in (1, 2):
        BatchRow.objects.create(batch=batch, number=number, inputs={}, status=RowStatus.PENDING)
    Connection.objects.create(workspace=scope, name="Broken", provider="fake", healthy=False)
    Monitor.objects.bulk_create(
        [
            Monitor(workspace=scope, name="Dear", state=MonitorState.ALARM),
            Monitor(workspace=scope, name="Calm", state="ok"),
        ]
    )
    found = scraped(client, token)
    here = {"workspace": scope.slug}
    assert value(found, "runs", **here, status="pending") == 1
    assert ("llm_console_runs", tuple(sorted({**here, "status": "waiting"}.items()))) in found
    assert value(found, "batches", **here, status="running") == 1
    assert value(found, "batch_rows_pending", **here) == 2
    assert found[("llm_console_connection_up", (("connection", "Broken"), *here.items()))] == 0
    assert value(found, "monitor_firing", monitor="Dear") == 1
    assert value(found, "monitor_firing", monitor="Calm") == 0
    assert value(found, "database_up") == 1
    assert value(found, "build_info") == 1
    assert any(name == "process_cpu_seconds_total" for name, _ in found)


def test_without_a_database_it_still_answers(client, db, token, monkeypatch):
    def broken():
        raise DatabaseError("gone")
        yield

    monkeypatch.setattr(metrics_gauges, "_database", broken)
    assert value(scraped(client, token), "database_up") == 0


def test_it_takes_as_many_queries_for_many_workspaces(scope, client, token, django_assert_max_num_queries):
    for _ in range(5):
        factories.workspace()
    with django_assert_max_num_queries(14):
        scraped(client, token)


COUNT_ONE = """
import datetime, django, sys
django.setup()
from llm_admin.choices import CallStatus
from llm_admin.models import Run
from llm_admin.schemas.records import CallRecord, CallStart
from llm_admin.services import metrics
start = CallStart("", datetime.datetime.now(datetime.UTC), [])
record = CallRecord(start, CallStatus.SUCCEEDED, "", 100, cost_nano=2_000_000_000)
metrics.call_ended(Run(workspace_id=7, source="code"), record)
if sys.argv[1:]:
    metrics.Workspace.objects.values_list = lambda *names: [(7, "seven")]
    metrics.LanguageModel._base_manager.values_list = lambda *names: []
    for metric in metrics._Counted().collect():
        for sample in metric.samples:
            if sample.name in ("llm_console_calls_total", "llm_console_cost_usd_total"):
                print(sample.name, sample.labels["workspace"], sample.value)
"""


def test_processes_that_share_a_folder_answer_for_each_other(tmp_path):
    given = {
        **os.environ,
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "SECRET_KEY": django_settings.SECRET_KEY,
    }
    for last in ([], ["print"]):
        command = [sys.executable, "-c", COUNT_ONE, *last]
        done = subprocess.run(command, env=given, cwd=ROOT, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.splitlines()) == [
        "llm_console_calls_total seven 2.0",
        "llm_console_cost_usd_total seven 4.0",
    ]
