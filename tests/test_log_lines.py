"""Lines of the server's log say which run they belong to, as text or as JSON, and hold no secret."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys

import pytest
from django.conf import settings as django_settings

import llm_admin
from llm_admin import log_lines, run_workflow
from llm_admin.runtime.runnables import RUNNABLES
from llm_admin.schemas.extensions import RUNNABLE_LABELS
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import secrets
from tests import factories
from tests.servers.console import ROOT

KEY = "sk-proj-PLANTED0123456789abcdefghijklmnopqrstuvwxyz"
logger = logging.getLogger("shop.orders")
FORMATTERS = django_settings.LOGGING["formatters"]


@pytest.fixture
def lines():
    """lines(kind) -> what is logged from now on, written as the settings say."""
    added = []

    def listen(kind):
        written = io.StringIO()
        handler = logging.StreamHandler(written)
        given = {name: value for name, value in FORMATTERS[kind].items() if name != "()"}
        if kind == "text":
            handler.setFormatter(log_lines.TextFormatter(given["format"], style="{"))
        else:
            handler.setFormatter(log_lines.JSONFormatter())
        handler.addFilter(log_lines.RunFilter())
        logging.getLogger().addHandler(handler)
        added.append(handler)
        return lambda: [line for line in written.getvalue().splitlines() if "shop.orders" in line]

    yield listen
    for handler in added:
        logging.getLogger().removeHandler(handler)


@pytest.fixture
def logging_step(monkeypatch):
    for table in (RUNNABLES, RUNNABLE_LABELS):
        monkeypatch.setattr(table, "_table", dict(table._table))

    @llm_admin.register_runnable("order")
    def order(text: str) -> str:
        logger.warning("Ordered %s with %s", text, KEY)
        return text


@pytest.mark.django_db(transaction=True)
def test_each_line_of_a_run_says_which_one_it_is(workspace, logging_step, lines):
    steps = [{"type": "runnable", "id": "order", "name": "order", "inputs": [{"name": "text", "value": "{{topic}}"}]}]
    spec = WorkflowSpec.model_validate({"inputs": [{"name": "topic", "type": "text"}], "steps": steps})
    flow = factories.workflow(workspace, name="Shop", spec=spec)
    written, plain = lines("json"), lines("text")
    person = factories.member(workspace, username="ana")
    run = run_workflow("shop", {"topic": "tea"}, user=person).run_id
    logger.warning("Nothing runs")
    inside, outside = [json.loads(line) for line in written()]
    assert {name: inside[name] for name in ("run_id", "workspace", "workflow", "user", "level", "logger")} == {
        "run_id": str(run),
        "workspace": workspace.slug,
        "workflow": flow.slug,
        "user": "ana",
        "level": "WARNING",
        "logger": "shop.orders",
    }
    assert inside["message"].startswith("Ordered tea with ") and KEY not in inside["message"]
    assert set(outside) == {"time", "level", "logger", "message"}
    assert f"run_id={run}" in plain()[0] and "run_id" not in plain()[1]
    assert KEY not in "".join(plain())


def test_exceptions_and_extras_are_masked_and_stay_one_line(db, lines):
    secrets._build()
    written = lines("json")
    try:
        raise ValueError(f"refused {KEY}")
    except ValueError:
        logger.exception("It failed", extra={"request": {"headers": [f"Bearer {KEY}"]}, "tries": 2})
    (line,) = written()
    assert KEY not in line and django_settings.SECRET_KEY not in line
    said = json.loads(line)
    assert "ValueError: refused" in said["exc_info"]
    assert said["tries"] == 2


def test_what_is_about_something_else_again_is_told_apart(lines):
    written = lines("json")
    with log_lines.about(run_id="1", user=None):
        with log_lines.about(run_id="2", batch_id="b"):
            logger.warning("inner")
        logger.warning("outer", extra={"run_id": "own"})
        logger.warning("outer")
    logger.warning("after")
    found = [{name: one.get(name) for name in ("run_id", "batch_id", "user")} for one in map(json.loads, written())]
    assert [tuple(one.values()) for one in found] == [
        ("2", "b", None),
        ("own", None, None),
        ("1", None, None),
        (None, None, None),
    ]


def test_the_settings_choose_the_format():
    code = "import django, logging; django.setup(); logging.getLogger('uvicorn.access').warning('%s %d', 'GET /', 200)"
    given = {**os.environ, "DJANGO_SETTINGS_MODULE": "console.settings", "SECRET_KEY": django_settings.SECRET_KEY}
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, env={**given, "LOG_FORMAT": "json"}, cwd=ROOT, capture_output=True, text=True)
    assert json.loads(done.stderr.splitlines()[-1])["message"] == "GET / 200"
    done = subprocess.run(command, env={**given, "LOG_FORMAT": "xml"}, cwd=ROOT, capture_output=True, text=True)
    assert "LOG_FORMAT is text or json" in done.stderr
