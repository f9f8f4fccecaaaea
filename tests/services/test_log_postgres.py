"""Logs and their numbers on a real PostgreSQL: what is tested on SQLite must hold there, too."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.servers.postgres_server import Postgres, run_tests

pytestmark = [pytest.mark.services, pytest.mark.slow, pytest.mark.timeout(300)]
TESTS = (
    "tests/services/test_log_search.py",
    "tests/selectors/test_log_pages.py",
    "tests/admin/logs/test_bulk.py::test_a_file_has_all_that_match_and_nothing_else",
    "tests/admin/logs/test_bulk.py::test_all_that_match_are_deleted_and_only_these",
    "tests/admin/logs/test_filters.py::test_feedback",
    "tests/admin/logs/test_filters.py::TestPages",
    "tests/selectors/test_rollups.py",
)


def test_search_pages_files_deleting_and_numbers():
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # a socket's path has to be short
        server = Postgres(Path(folder)).start()
        try:
            done = run_tests(server.url, *TESTS)
        finally:
            server.stop()
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert " passed" in done.stdout
