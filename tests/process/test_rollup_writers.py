"""Four processes that log at full speed, one that folds, one that reads: the benchmark, for a few seconds."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.servers.console import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_nothing_is_lost_refused_or_counted_wrongly():
    command = [sys.executable, str(ROOT / "benchmarks" / "logs_writers.py"), "8"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["problems"] == []
    assert found["calls"]
    assert found["reads"]
    assert found["folds"]
