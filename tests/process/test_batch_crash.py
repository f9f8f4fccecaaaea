"""kill -9 in the middle of a batch: it finishes, each row has one result, and no finished call is made again."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.process.conftest import Provider
from tests.servers.console import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROWS = 500
AT_ONCE = 20
# Stored as the page stores it; the process that runs this leaves the work to the server.
STORE = """
from llm_admin.services import actors, batch_pump, batches, documents, workflows, workspaces
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.tenancy import workspace_scope
batch_pump.launch = lambda batch_id: None
spec = WorkflowSpec.model_validate({{"inputs": [{{"name": "n"}}], "steps": [
    {{"type": "llm", "id": "first", "text": "first {{{{n}}}}"}},
    {{"type": "llm", "id": "second", "text": "second {{{{n}}}} {{{{first}}}}"}},
]}})
actor = actors.system(workspaces.default())
with workspace_scope(actor.workspace):
    workflow = workflows.create(actor=actor, name="Two calls", spec=spec)
    rows = [batches.RowInput({{"n": f"row-{{n}}."}}) for n in range({rows})]
    batch = batches.start(
        actor=actor, workflow=workflow, version=documents.version_of(workflow), rows=rows, concurrency={at_once}
    )
print(batch.pk)
"""


@pytest.fixture
def provider(tmp_path):
    made = Provider(tmp_path, "--delay-ms", "15", "--words", "6")
    yield made
    made.end()


def asked(provider) -> Counter:
    """(which step, row) -> how often."""
    questions = [json.loads(line)["question"].split() for line in provider.requests()]
    return Counter((words[0], words[1]) for words in questions)


def test_a_killed_batch_goes_on_and_repeats_no_finished_call(console, provider):
    console.code(STORE.format(rows=ROWS, at_once=AT_ONCE))
    finished = "select count(*) from llm_admin_batchrow where status = 'succeeded'"
    wait_until(lambda: console.rows(finished)[0][0] >= 120, 240, "the first rows")
    console.kill()
    paid = console.rows(
        "select l.step_path, r.inputs from llm_admin_interactionlog l join llm_admin_run r on r.id = l.run_id "
        "where l.status = 'succeeded'"
    )
    assert len(paid) >= 240
    before = asked(provider)
    console.start()
    wait_until(lambda: console.rows("select status from llm_admin_batch") == [("finished",)], 300, "the whole batch")

    rows = console.rows("select status, output, attempts from llm_admin_batchrow order by number")
    assert [status for status, _, _ in rows] == ["succeeded"] * ROWS
    assert all(output for _, output, _ in rows)
    results = "select count(*), count(distinct batch_id || title) from llm_admin_run where status = 'succeeded'"
    assert console.rows(results) == [(ROWS, ROWS)]
    now = asked(provider)
    for path, inputs in paid:
        step = ("first" if path == "1" else "second", json.loads(inputs)["n"])
        assert now[step] == before[step], f"{step} was finished and asked for again"
    repeated = {step: times for step, times in now.items() if times > 1}
    assert all(times == 2 for times in repeated.values())
    assert len(repeated) <= AT_ONCE  # only what was on its way when the process died
    assert set(now) == {(step, f"row-{n}.") for step in ("first", "second") for n in range(ROWS)}


def test_sigterm_leaves_a_batch_that_the_next_server_finishes(console, provider):
    console.code(STORE.format(rows=60, at_once=10))
    finished = "select count(*) from llm_admin_batchrow where status = 'succeeded'"
    wait_until(lambda: console.rows(finished)[0][0] >= 10, 120, "the first rows")
    console.stop()
    assert console.rows("select count(*) from llm_admin_batchrow where status = 'running'") == [(0,)]
    assert console.rows("select count(*) from llm_admin_run where status = 'running'") == [(0,)]
    console.start()
    wait_until(lambda: console.rows("select status from llm_admin_batch") == [("finished",)], 120, "the whole batch")
    assert console.rows(finished) == [(60,)]
