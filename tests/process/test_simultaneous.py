"""Twenty processes at once on one database: versions and labels stay whole."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import subprocess
import sys

import pytest

from tests.servers.console import ROOT, Console

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PROCESSES = 20
# One process loads Django and forks the others before it opens the database; they begin when all are ready.
BEGIN = """
import django, json, os, sys, traceback
django.setup()
processes = int(sys.argv[1])
from llm_admin.exceptions import Conflict
from llm_admin.models import Prompt
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.services import actors, labels, prompts, workspaces
from llm_admin.tenancy import workspace_scope
def spec(text):
    return PromptSpec.model_validate({"messages": [{"role": "user", "text": text}]})
def act(number, actor, prompt):
"""
END = """
(heard, ready), (go, start), children = os.pipe(), os.pipe(), []
for number in range(1, processes + 1):
    answer, tell = os.pipe()
    pid = os.fork()
    if pid:
        os.close(tell)
        children.append((pid, answer))
        continue
    os.close(start)
    actor = actors.system(workspaces.default())
    with workspace_scope(actor.workspace):
        prompt = Prompt.objects.get(slug="shared")
    os.write(ready, b"r")
    os.read(go, 1)
    try:
        os.write(tell, str(act(number, actor, prompt)).encode())
    except BaseException:
        traceback.print_exc()
    os._exit(0)
for _ in children:
    os.read(heard, 1)
os.close(start)
print(json.dumps([os.read(answer, 10_000).decode() for _, answer in children]))
for pid, _ in children:
    os.waitpid(pid, 0)
"""
SAVE = """
    try:
        saved = prompts.save_version(prompt, actor=actor, spec=spec(f"Text {number}"), note=f"By {number}" %s)
    except Conflict as error:
        return f"refused: {error}"
    return saved.number
"""
MOVE = """
    return labels.move(prompt, actor=actor, label="staging", number=number + 1).pk
"""


@pytest.fixture
def database(tmp_path, prepared):
    """A prompt with one version, `shared`."""
    made = Console(tmp_path)
    with contextlib.closing(sqlite3.connect(prepared)) as source:
        source.execute("vacuum into ?", [str(made.database)])
    made.code(
        "from llm_admin.services import workspaces, actors, prompts\n"
        "from llm_admin.schemas.prompts import PromptSpec\n"
        "spec = PromptSpec.model_validate({'messages': [{'role': 'user', 'text': 'Text 0'}]})\n"
        "prompts.create(actor=actors.system(workspaces.default()), name='Shared', spec=spec, slug='shared')"
    )
    return made


def at_once(database, code):
    """What each process answered; "" if it failed."""
    command = [sys.executable, "-c", BEGIN + code + END, str(PROCESSES)]
    done = subprocess.run(command, cwd=ROOT, env=database.environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert "" not in answers, done.stderr
    return answers


def versions(database):
    rows = database.rows("select number, spec, note from llm_admin_promptversion order by number")
    return [(number, json.loads(spec)["messages"][0]["text"], note) for number, spec, note in rows]


def last_number(database):
    return database.rows("select last_number from llm_admin_prompt where slug = 'shared'")[0][0]


def test_twenty_simultaneous_saves_give_twenty_versions(database):
    answers = at_once(database, SAVE % "")
    assert sorted(map(int, answers)) == list(range(2, PROCESSES + 2))
    found = versions(database)
    assert [number for number, _, _ in found] == list(range(1, PROCESSES + 2))
    for writer, number in enumerate(map(int, answers), start=1):
        assert found[number - 1] == (number, f"Text {writer}", f"By {writer}")
    assert last_number(database) == PROCESSES + 1


def test_of_twenty_saves_based_on_one_version_one_is_kept_and_the_others_are_told(database):
    answers = at_once(database, SAVE % ", based_on=1")
    kept = [n for n, answer in enumerate(answers, start=1) if answer == "2"]
    assert len(kept) == 1
    assert sum("Somebody saved another version" in answer for answer in answers) == PROCESSES - 1
    assert versions(database)[1:] == [(2, f"Text {kept[0]}", f"By {kept[0]}")]
    assert last_number(database) == 2


def test_twenty_simultaneous_moves_leave_one_holder_and_a_true_history(database):
    at_once(database, SAVE % "")
    answers = at_once(database, MOVE)
    holders = database.rows(
        "select v.number from llm_admin_promptlabel l join llm_admin_promptversion v on v.id = l.version_id "
        "where l.name = 'staging'"
    )
    events = database.rows(
        "select id, from_number, to_number from llm_admin_promptlabelevent where name = 'staging' order by id"
    )
    assert sorted(map(int, answers)) == [pk for pk, _, _ in events]
    assert sorted(to for _, _, to in events) == list(range(2, PROCESSES + 2))
    assert [before for _, before, _ in events] == [None, *(to for _, _, to in events[:-1])]
    assert holders == [(events[-1][2],)]
