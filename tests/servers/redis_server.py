"""A real Redis on loopback, with nothing on disk."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from tests.servers.console import free_port, wait_until

MISSING = "Redis is missing: apt-get install redis-server"


class Redis:
    """stop() and start() keep the address; what it held is gone then."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Redis:
        program = shutil.which("redis-server")
        if program is None:
            (pytest.fail if os.environ.get("REQUIRE_SERVICES") else pytest.skip)(MISSING)
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen([program, *options], cwd=self.folder, stdout=subprocess.DEVNULL)
        wait_until(self._answers, what="Redis")
        return self

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "Redis ended"
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16) == b"+PONG\r\n"
        except OSError:
            return False
