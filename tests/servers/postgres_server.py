"""A real PostgreSQL on loopback: the one that PyPI's pgserver brings along. It keeps nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MISSING = "PostgreSQL is missing: pip install pgserver"


class Postgres:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server: Any = None
        self.url = ""

    def start(self) -> Postgres:
        try:
            import pgserver
        except ImportError:
            (pytest.fail if os.environ.get("REQUIRE_SERVICES") else pytest.skip)(MISSING)
        self.server = pgserver.get_server(self.folder, cleanup_mode="delete")
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self.server.psql(f"ALTER SYSTEM SET {setting} = off;")
        self.server.psql("SELECT pg_reload_conf();")
        self.server.psql("CREATE DATABASE console;")
        self.url = f"postgres://postgres@/console?host={self.folder}"
        return self

    def stop(self) -> None:
        if self.server is not None:
            self.server.cleanup()
            self.server = None


def run_tests(url: str, *names: str) -> subprocess.CompletedProcess[str]:
    """Tests of ours once more, in a process of its own whose database is this one."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--create-db", "--no-cov", *names]
    environment = os.environ | {"DATABASE_URL": url}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280, check=False)
