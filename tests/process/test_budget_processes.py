"""Processes on one database share its budgets: together they use no more than there is, also when one dies."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys

import pytest

from tests.servers.console import ROOT, Console, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CALLS = 100  # of each of two processes
ROOM = 20
PREPARE = """
from llm_admin.models import Budget, Deployment, DeploymentPrice, LanguageModel
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.services import actors, budgets, prompts, workspaces
from llm_admin.tenancy import workspace_scope
actor = actors.system(workspaces.default())
with workspace_scope(actor.workspace):
    place = Deployment.objects.get(connection__provider="fake")
    place.provider_model = "demo:{behaviour}"
    place.save()
    DeploymentPrice.objects.create(deployment=place, input_per_million=1, output_per_million=2)
    actor.workspace.default_model = place.model
    actor.workspace.save()
    spec = PromptSpec.model_validate({{"messages": [{{"role": "user", "text": "Hello"}}]}})
    prompts.create(actor=actor, name="Shared", spec=spec, slug="shared")
    budgets.save(Budget(name="Team", unit="{unit}", limit={limit}), actor=actor)
"""
ASK = """
import django, asyncio, json, sys
django.setup()
from llm_admin import RunFailed, arun_prompt
import llm_admin.runtime.executor, llm_admin.runtime.providers.fake_model
async def one():
    try:
        await arun_prompt("shared", {})
    except RunFailed as error:
        return str(error)
    return ""
async def everything():
    return await asyncio.gather(*(one() for _ in range(int(sys.argv[1]))))
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps(asyncio.run(everything())), flush=True)
"""


@pytest.fixture
def database(tmp_path, prepared):
    made = Console(tmp_path)
    with contextlib.closing(sqlite3.connect(prepared)) as source:
        source.execute("vacuum into ?", [str(made.database)])
    yield made
    made.kill()


def prepare(database, *, behaviour="words=3:delay_ms=20", unit="calls", limit=ROOM):
    database.code(PREPARE.format(behaviour=behaviour, unit=unit, limit=limit))


class Asking:
    """A process that makes so many calls at once when it is told to."""

    def __init__(self, database, calls=CALLS):
        command = [sys.executable, "-c", ASK, str(calls)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(command, cwd=ROOT, env=database.environment, **pipes)
        assert self.process.stdout.readline() == "ready\n"

    def go(self):
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def outcomes(self):
        """Of each call: "", or why it was refused."""
        out, _ = self.process.communicate(timeout=200)
        assert self.process.returncode == 0
        return json.loads(out)


def together(database):
    both = [Asking(database), Asking(database)]
    for one in both:
        one.go()
    return [one.outcomes() for one in both]


def test_of_200_calls_in_two_processes_20_are_let_through(database):
    prepare(database)
    outcomes = [words for of_one in together(database) for words in of_one]
    assert len(outcomes) == 2 * CALLS
    assert outcomes.count("") == ROOM
    assert all("the budget “Team”" in words for words in outcomes if words)
    assert database.rows("select count(*) from llm_admin_interactionlog") == [(ROOM,)]
    book = "select used, reserved, refused_calls from llm_admin_budgetuse"
    assert database.rows(book) == [(ROOM, 0, 2 * CALLS - ROOM)]
    assert database.rows("select count(*) from llm_admin_budgetreservation") == [(0,)]


def test_two_processes_do_not_overspend_money(database):
    limit = 50_000_000
    prepare(database, unit="money", limit=limit)
    outcomes = [words for of_one in together(database) for words in of_one]
    assert 0 < outcomes.count("") < 2 * CALLS
    (used, reserved), *_ = database.rows("select used, reserved from llm_admin_budgetuse")
    assert (used, reserved) == (*database.rows("select sum(cost_nano) from llm_admin_interactionlog")[0], 0)
    assert used <= limit


def test_what_a_killed_process_had_reserved_is_never_free(database):
    prepare(database, behaviour="slow:words=200", limit=5)
    killed = Asking(database, calls=5)
    killed.go()
    wait_until(lambda: database.rows("select reserved from llm_admin_budgetuse") == [(5,)], 60, "five calls")
    killed.process.kill()
    killed.process.wait()
    another = Asking(database, calls=1)
    another.go()
    assert "is used up" in another.outcomes()[0]
    database.code(
        "from django.utils import timezone\n"
        "from llm_admin.models import BudgetReservation\n"
        "BudgetReservation._base_manager.update(expires_at=timezone.now())"
    )
    database.start()
    book = "select used, reserved from llm_admin_budgetuse"
    wait_until(lambda: database.rows(book) == [(5, 0)], 60, "the ticker")
