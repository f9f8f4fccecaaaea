"""kill -9 and SIGTERM against a real server with open streams, and a provider that counts."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest

from tests.process.conftest import KEY
from tests.servers.console import ROOT, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def start_streaming(console, browser, count):
    runs = [browser.try_prompt(topic=f"number {n}") for n in range(count)]
    # Every one has had half a second of tokens stored.
    stored = "select count(*) from llm_admin_runcheckpoint where text <> ''"
    wait_until(lambda: console.rows(stored) == [(count,)], what="the checkpoints")
    return runs


def test_after_kill_9_all_runs_are_interrupted_with_what_had_arrived_and_none_is_paid_for_twice(console, provider):
    browser = console.browser()
    command = [sys.executable, "manage.py", "run_workflow", "slow", "--json"]
    console.code(
        "from llm_admin.services import workspaces, actors, workflows\n"
        "from llm_admin.schemas.workflows import WorkflowSpec\n"
        "spec = WorkflowSpec.model_validate({'steps': [{'type': 'llm', 'id': 'answer', 'text': 'Go on.'}]})\n"
        "workflows.create(actor=actors.system(workspaces.default()), name='Slow', spec=spec, slug='slow')"
    )
    runs = start_streaming(console, browser, 10)
    undisturbed = subprocess.Popen(command, cwd=ROOT, env=console.environment, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: len(provider.requests()) == 11, what="the command's request")
    console.kill()
    pending = pending_row(console, runs[0])
    console.start()
    wait_until(lambda: console.statuses().count("interrupted") == 10, 120, "recovery")
    for run_id in runs:
        status, kind, output, cost = console.rows(
            "select status, error_kind, output, cost_nano from llm_admin_run where id = ?", run_id.replace("-", "")
        )[0]
        assert (status, kind, cost) == ("interrupted", "interrupted", None)
        assert len(json.loads(output).split()) >= 2
    logs = console.rows("select count(*), count(cost_nano) from llm_admin_interactionlog where status = 'interrupted'")
    assert logs == [(10, 0)]
    wait_until(lambda: status_of(console, pending) == "succeeded", 120, "the pending run")
    assert json.loads(undisturbed.communicate(timeout=120)[0])["status"] == "succeeded"
    assert len(provider.requests()) == 12  # ten, the command's, and the pending one's
    assert console.rows("select count(*) from llm_admin_runcheckpoint") == [(0,)]


def pending_row(console, like):
    """A run that was stored, and whose server died before it started it."""
    code = f"""
from llm_admin.models import Run
from django.utils import timezone
from uuid_utils.compat import uuid7
run = Run._base_manager.get(pk="{like}")
run.pk, run.status, run.executor, run.lease_expires_at, run.client_key = uuid7(), "pending", "", None, None
run.started_at, run.created_at = None, timezone.now()
run.save(force_insert=True)
print(run.pk)
"""
    return console.code(code).strip().splitlines()[-1]


def status_of(console, run_id):
    return console.rows("select status from llm_admin_run where id = ?", run_id.replace("-", ""))[0][0]


def test_a_run_whose_post_returned_is_never_lost(console, provider):
    browser = console.browser()
    runs = [browser.try_prompt(topic=str(n)) for n in range(3)]
    console.kill()
    assert len(console.statuses()) == len(runs)
    console.start()
    wait_until(lambda: not {"running", "pending"} & set(console.statuses()), 120, "all runs to end")
    assert set(console.statuses()) <= {"interrupted", "succeeded"}
    assert len(provider.requests()) <= len(runs)


def test_sigterm_ends_the_server_tells_every_follower_and_leaves_no_run_open(console):
    browser = console.browser()
    runs = start_streaming(console, browser, 20)
    told: dict[str, list] = {}
    listening = threading.Barrier(len(runs) + 1, timeout=60)

    def listen(run_id):
        told[run_id] = browser.follow(run_id, until=heard_first(listening))

    threads = [threading.Thread(target=listen, args=[run_id]) for run_id in runs]
    for thread in threads:
        thread.start()
    listening.wait()
    console.stop()
    for thread in threads:
        thread.join(60)
    assert [told[r][-2]["status"] for r in runs] == ["interrupted"] * 20
    assert set(console.statuses()) == {"interrupted"}
    assert console.rows("select count(*) from llm_admin_interactionlog where status = 'interrupted'") == [(20,)]


def heard_first(listening):
    """Tells the barrier at the first event, and never ends the following."""
    first = iter([True])

    def until(_event):
        if next(first, False):
            listening.wait()
        return False

    return until


def test_a_planted_key_is_found_nowhere(console, provider):
    browser = console.browser()
    run_id = browser.try_prompt(text=f"My key is {KEY}. {{{{topic}}}}", topic=f"and {KEY}")
    browser.follow(run_id, until=lambda event: event["type"] == "token")
    home = ("/admin/", "/admin/numbers/", "/admin/numbers/part/")
    pages = [browser.http.get(path).text for path in (*home, f"/admin/llm_admin/run/{run_id}/change/")]
    pages += [
        browser.http.get("/admin/llm_admin/connection/").text,
        browser.http.get("/admin/llm_admin/connection/2/change/").text,
    ]
    browser.stop(run_id)
    console.stop()
    files = [file.read_bytes() for file in console.folder.glob("console.*")]
    for text in (*pages, *(f.decode(errors="replace") for f in files)):
        assert KEY not in text
        assert "PLANTED" not in text
