"""The console as a process of its own, on a database of its own, used over HTTP as a browser would."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from tests.servers.snippets import Snippets

ROOT = Path(__file__).resolve().parents[2]


PATIENCE = 60  # seconds


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition: Callable[[], Any], seconds: float = 60.0, what: str = "it") -> Any:
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


class Console:
    """start(), kill() and stop() may alternate; the database stays."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "console.sqlite3"
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.log = folder / "console.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.snippets: Snippets | None = None
        self.environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "DATABASE_URL": f"sqlite:///{self.database}",
            "SECRET_KEY": "process-test-" + "k" * 50,
            "PYTHONPATH": str(ROOT),
            "DEBUG": "",
            "OUTGOING_PRIVATE_HOSTS": "localhost,127.0.0.0/8,::1",  # where the servers of tests are
        }

    def manage(self, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True, **more
        )

    def code(self, text: str) -> str:
        """Runs Python in a process with Django set up; what it prints."""
        if self.snippets is not None:
            return self.snippets.run(text)
        return self.manage("shell", "--no-imports", "-c", text).stdout

    def start(self) -> None:
        command = [sys.executable, "-m", "uvicorn", "console.asgi:application", "--port", str(self.port)]
        options = ["--lifespan", "on", "--timeout-graceful-shutdown", str(10 * PATIENCE), "--log-level", "warning"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *options], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        wait_until(self._answers, 120, what=f"the server; its log: {self.log}")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{self.address}/admin/login/").status_code == 200
        return False

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """By SIGTERM; the server has to end by itself, long before it would be made to."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(PATIENCE)
            self.process = None

    def rows(self, query: str, *parameters: Any) -> list[Any]:
        with contextlib.closing(sqlite3.connect(self.database, timeout=20)) as connection:
            return connection.execute(query, parameters).fetchall()

    def statuses(self) -> list[str]:
        return [status for (status,) in self.rows("select status from llm_admin_run order by id")]

    def browser(self, username: str = "boss") -> Browser:
        return Browser(self, username)


class Browser:
    """Somebody who is logged in."""

    def __init__(self, console: Console, username: str) -> None:
        self.console = console
        self.http = httpx.Client(base_url=console.address, timeout=PATIENCE, headers={"HX-Request": "true"})
        self.http.get("/admin/login/")
        answer = self.post("/admin/login/", {"username": username, "password": "demo", "next": "/admin/"})
        assert answer.status_code == 302, answer.text

    def post(self, path: str, data: dict[str, Any]) -> httpx.Response:
        return self.http.post(path, data=data | {"csrfmiddlewaretoken": self.http.cookies["csrftoken"]})

    def try_prompt(self, text: str = "Tell me about {{topic}}.", topic: str = "rain", **more: Any) -> str:
        """The id of the run."""
        spec = {"kind": "text", "messages": [{"role": "user", "text": text}]}
        data = {"spec": json.dumps(spec), "input-topic": topic, "client_key": uuid.uuid4().hex}
        answer = self.post("/admin/llm_admin/prompt/try/", data | more)
        assert answer.status_code == 200, answer.text
        found = re.search(r'data-run-id="([0-9a-f-]{36})"', answer.text)
        assert found, answer.text
        return found.group(1)

    def stop(self, run_id: str) -> None:
        assert self.post(f"/admin/llm_admin/run/{run_id}/stop/", {}).status_code == 200

    def follow(self, *run_ids: str, until: Callable[[dict[str, Any]], bool] = lambda _: False) -> list[dict[str, Any]]:
        """Every event until the stream ends or `until` is true of one."""
        events = []
        query = [("run", f"{run_id}:0") for run_id in run_ids]
        path = f"{self.console.address}/admin/llm_admin/run/follow/"
        with httpx.stream("GET", path, params=query, timeout=PATIENCE, cookies=dict(self.http.cookies)) as answer:
            assert answer.status_code == 200
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    event = json.loads(line[6:])
                    events.append(event)
                    if until(event):
                        break
        return events


SET_UP = """
from django.contrib.auth import get_user_model
from llm_admin.models import *
from llm_admin.services import workspaces, actors, connections
from llm_admin.tenancy import workspace_scope
ws = workspaces.default()
get_user_model().objects.create_user("boss", password="demo", is_staff=True, is_superuser=True)
with workspace_scope(ws):
    connection = Connection(workspace=ws, name="Test", provider="openai", base_url={url!r}, api_key={key!r})
    connection.save()
    model = LanguageModel.objects.create(workspace=ws, alias="test", name="Test")
    deployment = Deployment.objects.create(model=model, connection=connection, provider_model={model!r})
    DeploymentPrice.objects.create(deployment=deployment, input_per_million="0.5", output_per_million="2")
    ws.default_model = model
    ws.save()
"""
