"""Two processes on one database file and one batch: the second does nothing twice, and takes over from a killed one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.process.conftest import Provider
from tests.process.test_batch_crash import STORE, asked
from tests.servers.console import Console, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROWS = 150
AT_ONCE = 10
FINISHED = "select count(*) from llm_admin_batchrow where status = 'succeeded'"
EXECUTOR = "select executor from llm_admin_batch"


@pytest.fixture
def provider(tmp_path):
    made = Provider(tmp_path, "--delay-ms", "15", "--words", "6")
    yield made
    made.end()


@pytest.fixture
def second(console, tmp_path):
    """Another server on the same file."""
    folder = Path(tmp_path / "second")
    folder.mkdir()
    made = Console(folder)
    made.environment["DATABASE_URL"] = console.environment["DATABASE_URL"]
    made.start()
    yield made
    made.kill()


def test_the_second_takes_over_when_the_first_is_killed(console, second, provider):
    console.code(STORE.format(rows=ROWS, at_once=AT_ONCE))
    servers = {str(one.process.pid): one for one in (console, second)}
    wait_until(lambda: console.rows(FINISHED)[0][0] >= 30, 120, "the first rows")
    before = asked(provider)
    assert max(before.values()) == 1  # whoever pumps it, does so alone
    (pid,) = {executor.split(":")[1] for (executor,) in console.rows(EXECUTOR)}
    servers[pid].kill()
    wait_until(lambda: console.rows("select status from llm_admin_batch") == [("finished",)], 200, "the whole batch")

    rows = console.rows("select status, output is not null from llm_admin_batchrow")
    assert rows == [("succeeded", 1)] * ROWS
    ended = "select count(*), count(distinct title) from llm_admin_run where status = 'succeeded'"
    assert console.rows(ended) == [(ROWS, ROWS)]
    assert console.rows("select count(*) from llm_admin_run") == [(ROWS,)]
    logs = console.rows(
        "select run_id, step_path, count(*) from llm_admin_interactionlog where status = 'succeeded' group by 1, 2"
    )
    assert (len(logs), {count for _, _, count in logs}) == (2 * ROWS, {1})
    repeated = {step: times for step, times in asked(provider).items() if times > 1}
    assert len(repeated) <= AT_ONCE
    assert all(times == 2 for times in repeated.values())
    calls = console.rows("select sum(calls) from llm_admin_batchrow")[0][0]
    assert 2 * ROWS <= calls <= 2 * ROWS + AT_ONCE
