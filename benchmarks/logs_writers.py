"""Four processes log calls at full speed, one of them folds all the time, and a reader reloads the dashboard.

    python benchmarks/logs_writers.py 60

The reader compares each total with plain SQL over the rows in the same snapshot. Some calls are late: two days old.
What it prints last is JSON; `problems` has every error, warning, lock time-out and wrong total.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import datetime as dt
import json
import logging
import random
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from logs_database import set_up
from logs_limits import p95
from logs_write import make_call

WRITERS, AT_ONCE, LATE = 4, 20, 0.1
DAYS = 7
COMPARED: tuple[dict[str, Any], ...] = ({}, {"source": "code"}, {"status": "succeeded", "cached": False})


class Problems(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []
        logging.getLogger().addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(self.format(record)[-400:])


class Writer:
    def __init__(self, number: int, *, folds: bool) -> None:
        from llm_admin import get_prompt
        from llm_admin.services import workspaces
        from llm_admin.tenancy import workspace_scope

        self.problems, self.calls, self.folds, self.chance = Problems(), 0, 0, random.Random(number)
        self.over, self.workspace, self.ticks = threading.Event(), workspaces.default(), folds
        with workspace_scope(self.workspace):
            self.call = get_prompt("measured").arun

    def warm_up(self) -> None:
        """The first call imports what models need."""
        asyncio.run(self.call({"topic": "rain"}))
        self.calls += 1

    def work(self, seconds: float) -> dict[str, Any]:
        with ThreadPoolExecutor(1) as ticker:
            folding = ticker.submit(self._fold) if self.ticks else None
            asyncio.run(self._log(time.monotonic() + seconds))
            self.over.set()
            if folding:
                folding.result()
        return {"calls": self.calls, "folds": self.folds, "problems": self.problems.said}

    async def _log(self, end: float) -> None:
        from django.db import DatabaseError

        from llm_admin.exceptions import ConsoleError

        async def one_after_another() -> None:
            while time.monotonic() < end:
                try:
                    await (self._late() if self.chance.random() < LATE else self.call({"topic": "rain"}))
                    self.calls += 1
                except (ConsoleError, DatabaseError) as error:
                    self.problems.said.append(f"writing: {error!r}")

        await asyncio.gather(*(one_after_another() for _ in range(AT_ONCE)))

    async def _late(self) -> None:
        """A call that ended now and began up to two days ago."""
        from django.utils import timezone

        from llm_admin.jobs.writer import WRITER, Insert
        from llm_admin.models import InteractionLog

        began = timezone.now() - dt.timedelta(minutes=self.chance.randrange(2 * 24 * 60))
        numbers = {"cost_nano": self.chance.randrange(1_000_000), "latency_ms": self.chance.randrange(20_000)}
        log = InteractionLog(workspace=self.workspace, created_at=began, status="succeeded", source="code", **numbers)
        await WRITER.write(Insert(log))

    def _fold(self) -> None:
        from django.db import connection

        from llm_admin.services import rollups

        with contextlib.closing(connection):
            while not self.over.is_set():
                self.folds += rollups.fold_all().slots
                self.over.wait(0.1)


class Reader:
    """Its transactions do not take the lock of those who write."""

    def __init__(self) -> None:
        from django.contrib.auth import get_user_model
        from django.test import Client

        from llm_admin.services import workspaces

        self.workspace, self.problems = workspaces.default(), Problems()
        self.times: list[float] = []
        self.client, self.most = Client(), 0
        self.client.force_login(get_user_model().objects.get(username="reader"), "llm_admin.auth.WorkspaceBackend")

    def warm_up(self) -> None:
        self._reload()
        self.times.clear()

    def work(self, seconds: float) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._reload()
            self.compare()
        return {"reads": len(self.times), "read_p95": p95(self.times), "problems": self.problems.said}

    def _reload(self) -> None:
        from logs_pages import parts_of

        waiting, began = ["/admin/?range=7d"], time.perf_counter()
        while waiting:
            answer = self.client.get(address := waiting.pop())
            if answer.status_code != 200:
                self.problems.said.append(f"{address} answered {answer.status_code}")
            waiting += parts_of(answer.content.decode())
        self.times.append((time.perf_counter() - began) * 1000)

    def compare(self) -> int:
        """How many calls there are; never fewer than before."""
        from django.db import connection, transaction
        from django.utils import timezone
        from logs_plain import differences, sums

        from llm_admin.selectors import usage
        from llm_admin.tenancy import workspace_scope

        until = timezone.now() + dt.timedelta(hours=1)
        since = until - dt.timedelta(days=DAYS)
        with workspace_scope(self.workspace), transaction.atomic(), connection.cursor() as cursor:
            for given in COMPARED:
                totals = usage.totals(usage.UsageFilter(since=since, until=until, **given))
                plain = sums(cursor, self.workspace.pk, since, until, given)
                self.problems.said += differences(plain, totals)
                if not given:
                    if totals.calls < self.most:
                        self.problems.said.append(f"{totals.calls} calls after {self.most}")
                    self.most = totals.calls
        return self.most


def child(database: str, role: str, seconds: float) -> None:
    set_up(database)
    from django.db import connection

    if role == "reader":
        connection.settings_dict["OPTIONS"]["transaction_mode"] = "DEFERRED"
    worker: Any = Reader() if role == "reader" else Writer(int(role), folds=role == "0")
    worker.warm_up()
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(worker.work(seconds)))
    from llm_admin.jobs.writer import WRITER

    WRITER.stop()


def prepare(database: str) -> None:
    set_up(database)
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    make_call()
    get_user_model().objects.create_superuser("reader", password="bench")


def together(database: str, seconds: float) -> dict[str, Any]:
    roles = [*map(str, range(WRITERS)), "reader"]
    commands = [[sys.executable, __file__, str(seconds), "--role", role, "--database", database] for role in roles]
    children = [subprocess.Popen(one, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for one in commands]
    for one in children:
        assert one.stdout.readline() == "ready\n"  # type: ignore[union-attr]
    for one in children:
        one.stdin.write("go\n")  # type: ignore[union-attr]
        one.stdin.flush()  # type: ignore[union-attr]
    answers = [_answer(role, one) for role, one in zip(roles, children, strict=True)]
    *writers, reader = answers
    wrong = [problem for answer in answers for problem in answer["problems"]]
    return {
        "calls": sum(one["calls"] for one in writers),
        "folds": sum(one["folds"] for one in writers),
        "reads": reader["reads"],
        "read_p95": reader["read_p95"],
        "seconds": seconds,
        "problems": wrong,
    }


def _answer(role: str, process: subprocess.Popen[str]) -> dict[str, Any]:
    said = process.communicate()[0].splitlines()
    if process.returncode:  # why it failed is on stderr
        return {"calls": 0, "folds": 0, "reads": 0, "read_p95": 0, "problems": [f"process {role} failed"]}
    return json.loads(said[-1])


def afterwards(found: dict[str, Any]) -> dict[str, Any]:
    """Every call is there, folded or not, and then again when all are folded."""
    from llm_admin.services import rollups

    reader = Reader()
    counts = [reader.compare()]
    rollups.fold_all()
    counts.append(reader.compare())
    found["problems"] += reader.problems.said
    if counts != [found["calls"]] * 2:
        found["problems"].append(f"{counts} calls instead of {found['calls']}")
    if not (found["folds"] and found["reads"]):
        found["problems"].append("nobody folded or nobody read")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seconds", type=float)
    parser.add_argument("--role", help=argparse.SUPPRESS)
    parser.add_argument("--database", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        child(options.database, options.role, options.seconds)
        return
    with tempfile.TemporaryDirectory() as folder:
        database = str(Path(folder) / "writers.sqlite3")
        prepare(database)
        print(json.dumps(afterwards(together(database, options.seconds))))


if __name__ == "__main__":
    main()
