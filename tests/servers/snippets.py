"""Runs Python for tests, each piece in a new process: a child of one in which Django is set up, which takes a second.

Nothing stays from one piece to the next, as if each had been given to `manage.py shell`.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

ROOT = Path(__file__).resolve().parents[2]


class Snippets:
    def __init__(self, environment: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "tests.servers.snippets"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, **pipes)

    def run(self, text: str) -> str:
        """What it prints."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(text) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert answer["code"] == 0, answer["printed"]
        return answer["printed"]

    def end(self) -> None:
        self._process.communicate()


def serve() -> None:
    import django

    django.setup()
    for line in sys.stdin:
        reading, writing = os.pipe()
        if (child := os.fork()) == 0:
            os.close(reading)
            _run(json.loads(line), os.fdopen(writing, "wb"))
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            printed = pipe.read().decode()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps({"code": code, "printed": printed}), flush=True)


def _run(text: str, out: BinaryIO) -> None:
    """Does not return: what belongs to the parent must not be cleaned up by a child."""
    os.dup2(out.fileno(), 1)
    code = 1
    with contextlib.redirect_stdout(os.fdopen(1, "w", closefd=False)) as stdout:
        try:
            exec(text, {"__name__": "__main__"})
            code = 0
        finally:
            if code:
                traceback.print_exc(file=stdout)
            stdout.flush()
            os._exit(code)


if __name__ == "__main__":
    serve()
