"""Two processes with one Redis: what one knows, the other knows."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.process.test_budget_processes import database  # noqa: F401 - a fixture
from tests.servers.console import ROOT
from tests.servers.redis_server import Redis

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.timeout(300)]

LIMIT = 10
PREPARE = """
from llm_admin.models import Deployment
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.services import actors, prompts, workspace_settings, workspaces
from llm_admin.tenancy import workspace_scope
actor = actors.system(workspaces.default())
with workspace_scope(actor.workspace):
    model = Deployment.objects.get(connection__provider="fake").model
    workspace_settings.change(
        actor.workspace, actor=actor, default_model=model, calls_per_minute={limit}, cache_answers="deterministic"
    )
    spec = {{"messages": [{{"role": "user", "text": "About {{{{topic}}}}"}}], "variables": [{{"name": "topic"}}]}}
    spec["parameters"] = {{"temperature": 0}}
    prompts.create(actor=actor, name="Shared", spec=PromptSpec.model_validate(spec), slug="shared")
"""
ASK = """
import django, asyncio, json, sys
django.setup()
from django.contrib.auth import get_user_model
from llm_admin import RunFailed, arun_prompt
boss = get_user_model().objects.get(username="boss")
async def one(topic):
    try:
        return (await arun_prompt("shared", {"topic": topic}, user=boss)).output
    except RunFailed as error:
        return f"refused: {error}"
async def everything():
    return await asyncio.gather(*(one(topic) for topic in json.loads(sys.argv[1])))
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps(asyncio.run(everything())), flush=True)
"""


@pytest.fixture
def shared(database, tmp_path):  # noqa: F811
    redis = Redis(tmp_path).start()
    database.environment["CACHE_URL"] = redis.url
    database.code(PREPARE.format(limit=LIMIT))
    yield database
    redis.stop()


class Asking:
    def __init__(self, database, topics):  # noqa: F811
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        command = [sys.executable, "-c", ASK, json.dumps(topics)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=database.environment, **pipes)
        assert self.process.stdout.readline() == "ready\n"

    def answers(self):
        out, _ = self.process.communicate("go\n", timeout=200)
        assert self.process.returncode == 0
        return json.loads(out)


def test_an_answer_of_one_is_given_again_by_the_other(shared):
    assert Asking(shared, ["rain"]).answers() == Asking(shared, ["rain"]).answers()
    assert shared.rows("select cached, cost_nano from llm_admin_interactionlog order by id")[1] == (1, 0)


def test_a_person_s_limit_holds_for_both_together(shared):
    first, second = (Asking(shared, [f"{name}{number}" for number in range(15)]) for name in "ab")
    for one in (first, second):
        one.process.stdin.write("go\n")
        one.process.stdin.flush()
    answers = first.answers() + second.answers()
    passed = [answer for answer in answers if not answer.startswith("refused")]
    assert len(passed) == LIMIT
    assert all("calls a minute" in answer for answer in answers if answer not in passed)
