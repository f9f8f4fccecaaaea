"""Starting is cheap: what takes seconds and hundreds of megabytes is imported when it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.console import Console

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("langchain_openai", "chromadb", "langchain_core", "openai", "pandas")
CODE = f"""
import sys
from django.core.management import execute_from_command_line
from llm_admin import run_prompt, get_prompt
execute_from_command_line(["manage.py", "check"])
print([name for name in {HEAVY!r} if name in sys.modules])
"""


def test_check_imports_no_model_library_and_the_functions_are_importable_before_the_apps_are_ready(tmp_path):
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "DATABASE_URL": f"sqlite:///{tmp_path}/x.sqlite3",
        "SECRET_KEY": "x" * 60,
    }
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.slow
def test_the_idle_server_stays_under_200_mb(tmp_path):
    console = Console(tmp_path)
    console.manage("migrate", "--verbosity", "0")
    console.start()
    try:
        assert console.process is not None
        status = Path(f"/proc/{console.process.pid}/status").read_text()
        kilobytes = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        assert kilobytes < 200 * 1024
    finally:
        console.kill()
