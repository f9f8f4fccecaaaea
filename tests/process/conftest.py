from __future__ import annotations

import contextlib
import sqlite3
import subprocess
import sys

import httpx
import pytest

from tests.servers.console import ROOT, SET_UP, Console, free_port, wait_until

KEY = "sk-proj-PLANTED0123456789abcdefghijklmnopqrstuvwxyz"


class Provider:
    """The OpenAI-compatible server as a process: it survives what happens to the console."""

    def __init__(self, folder, *options):
        self.counts = folder / "requests.jsonl"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        command = [sys.executable, "-m", "tests.servers.openai_server", "--port", str(self.port)]
        self.process = subprocess.Popen([*command, "--count-file", str(self.counts), *options], cwd=ROOT)
        wait_until(self._answers, 60, what="the provider")

    def _answers(self):
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/_stats").status_code == 200
        except httpx.TransportError:
            return False

    def requests(self) -> list[str]:
        return self.counts.read_text().splitlines() if self.counts.exists() else []

    def end(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def provider(tmp_path):
    made = Provider(tmp_path, "--delay-ms", "150", "--words", "120")
    yield made
    made.end()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A migrated database with one person and one model, made once and copied for each test."""
    made = Console(tmp_path_factory.mktemp("prepared"))
    made.manage("migrate", "--verbosity", "0")
    made.code(SET_UP.format(url="http://127.0.0.1:9/v1", key=KEY, model="words"))
    return made.database


@pytest.fixture
def console(tmp_path, provider, prepared):
    made = Console(tmp_path)
    with contextlib.closing(sqlite3.connect(prepared)) as source:
        source.execute("vacuum into ?", [str(made.database)])
    with contextlib.closing(sqlite3.connect(made.database)) as database:
        database.execute("update llm_admin_connection set base_url = ? where name = 'Test'", [provider.url])
        database.commit()
    made.start()
    yield made
    made.kill()
