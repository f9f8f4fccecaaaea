"""The pages of prompts at 100 prompts with 500 versions, and at 10,000 with 50,000: at most 1.5x, p95 under 250 ms.

    .venv/bin/python benchmarks/prompts_scale.py [--rounds 25] [--few 100] [--many 10000] [--cpu]

SQLite on disk, made with `bulk_create`: texts of the 197 public prompts, five versions each, a search text, labels,
folders, tags, and logs of the past week. Measured through Django's test client, so templates are included; rounds at
both sizes alternate. --cpu counts the process's own time instead of the clock's, for a machine that does other things.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VERSIONS, MOST_RATIO, MOST_MS = 5, 1.5, 250
WARM_UP = 3
FOLDERS = ["", "Marketing", "Marketing/Emails", "Support", "Support/Replies", "Legal", "Research", "Sales"]
TAGS = ["draft", "reviewed", "german", "long", "customer"]
RARE = "zyxwvut"
PAGES = {
    "list": "prompt/",
    "list, page 2": "prompt/?p=2",
    "search, common word": "prompt/?q=you",
    "search, rare word": f"prompt/?q={RARE}",
    "search, no hit": "prompt/?q=qqjjzzxxvv",
    "folder": "prompt/?folder=Marketing",
    "studio": "prompt/{pk}/change/",
}


def prepare(database: str) -> None:
    sys.path.insert(0, str(ROOT))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "DATABASE_URL": f"sqlite:///{database}",
        "SECRET_KEY": "benchmark-" + "x" * 50,
        "ALLOWED_HOSTS": "testserver",
    }
    import django

    django.setup()


def texts() -> list[tuple[str, str]]:
    with (ROOT / "fixtures" / "prompts-2025.csv").open(encoding="utf-8", newline="") as file:
        return [(row["act"], row["prompt"]) for row in csv.DictReader(file)]


def fill(count: int) -> None:
    """As the services would leave it, without their rounds."""
    from django.core.management import call_command
    from django.utils import timezone

    from llm_admin.models import LIVE, InteractionLog, Prompt, PromptLabel, PromptText, PromptVersion, Tag, name_key
    from llm_admin.schemas.prompts import MessageSpec, PromptSpec
    from llm_admin.services import search_texts, workspaces
    from llm_admin.tenancy import workspace_scope

    call_command("migrate", verbosity=0)
    chance, samples, workspace, now = random.Random(7), texts(), workspaces.default(), timezone.now()
    with workspace_scope(workspace):
        tags = [Tag.objects.create(workspace=workspace, name=name) for name in TAGS]
        prompts = [
            Prompt(workspace=workspace, name=(name := f"{samples[n % len(samples)][0]} {n}"), name_key=name_key(name),
                   slug=f"prompt-{n}", last_number=VERSIONS,
                   # three in five, so that the folder fills a page at both sizes
                   folder=FOLDERS[n % 13 % len(FOLDERS)] if n % 5 > 2 else "Marketing",
                   archived_at=now if n % 20 == 19 else None)
            for n in range(count)
        ]  # fmt: skip
        prompts = Prompt.objects.bulk_create(prompts, batch_size=500)
        specs, search, through = [], [], []
        for n, prompt in enumerate(prompts):
            said = samples[n % len(samples)][1] + (f" {RARE}" if n % max(1, count // 3) == 0 else "")
            own = [tags[n % len(tags)]] if n % 3 else []
            versions = [
                PromptSpec(messages=[MessageSpec(text=f"{said}\nVersion {number} of {n}.")]).model_dump(mode="json")
                for number in range(1, VERSIONS + 1)
            ]
            specs += [PromptVersion(prompt=prompt, number=i, spec=spec) for i, spec in enumerate(versions, start=1)]
            found = search_texts.written(prompt, [tag.name for tag in own], [versions[-1], versions[-2]])
            search.append(PromptText(prompt=prompt, text=found))
            through += [Prompt.tags.through(prompt_id=prompt.pk, tag=tag) for tag in own]
        versions = PromptVersion.objects.bulk_create(specs, batch_size=500)
        PromptText.objects.bulk_create(search, batch_size=500)
        Prompt.tags.through.objects.bulk_create(through, batch_size=500)
        live = [v for v in versions if v.number == VERSIONS - 1]
        labels = [PromptLabel(prompt_id=v.prompt_id, version=v, name=LIVE, moved_at=now) for v in live]
        PromptLabel.objects.bulk_create(labels, batch_size=500)
        logs = [
            InteractionLog(workspace=workspace, created_at=now - dt.timedelta(minutes=chance.randrange(10_000)),
                           status="succeeded", source="code", prompt=prompt, latency_ms=chance.randrange(200, 9000),
                           cost_nano=chance.randrange(100_000))
            for prompt in prompts for _ in range(chance.randrange(10))
        ]  # fmt: skip
        InteractionLog.objects.bulk_create(logs, batch_size=500)


def serve(clock: Callable[[], float]) -> None:
    """One database in a process of its own: a line in is a page, a line out its milliseconds and queries."""
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from llm_admin.models import Prompt
    from llm_admin.services import catalogue

    user = get_user_model().objects.create_superuser(f"bench{time.time_ns()}", password="bench")
    client = Client()
    client.force_login(user, backend="llm_admin.auth.WorkspaceBackend")
    middle = Prompt._base_manager.filter(archived_at=None).order_by("pk")[40].pk
    print("ready", flush=True)
    for line in sys.stdin:
        address = "/admin/llm_admin/" + line.strip().format(pk=middle)
        queries = 0
        if line.startswith("\t"):
            catalogue.forget()
            with CaptureQueriesContext(connection) as counted:
                client.get(address)
            queries = len(counted)
        began = clock()
        answer = client.get(address)
        took = (clock() - began) * 1000
        print(f"{took} {answer.status_code} {queries}", flush=True)


class Server:
    def __init__(self, database: str, count: int, *, cpu: bool) -> None:
        command = [sys.executable, __file__, "--database", database, "--fill", str(count), *["--cpu"] * cpu]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, page: str, *, counted: bool = False) -> tuple[float, int]:
        assert self.process.stdin is not None
        self.process.stdin.write(("\t" if counted else "") + page + "\n")
        self.process.stdin.flush()
        took, status, queries = self._line().split()
        assert status == "200", (page, status)
        return float(took), int(queries)

    def close(self) -> None:
        self.process.stdin.close()  # type: ignore[union-attr]
        self.process.wait()


def p95(times: list[float]) -> float:
    return sorted(times)[-(-len(times) * 95 // 100) - 1]


def measure(few: Server, many: Server, rounds: int) -> Iterator[bool]:
    print(f"{'page':22} {'p50, few':>9} {'p50, many':>9} {'ratio':>6} {'p95, many':>9}  queries")
    for name, page in PAGES.items():
        queries = [server.ask(page, counted=True)[1] for server in (few, many)]
        times: list[list[float]] = [[], []]
        for number in range(rounds + WARM_UP):
            for server, column in zip((few, many), times, strict=True):
                took = server.ask(page)[0]
                if number >= WARM_UP:
                    column.append(took)
        a, b = map(statistics.median, times)
        good = b / a <= MOST_RATIO and p95(times[1]) < MOST_MS and queries[0] == queries[1]
        print(
            f"{name:22} {a:6.0f} ms {b:6.0f} ms {b / a:6.2f} {p95(times[1]):6.0f} ms  {queries[0]} and {queries[1]}"
            f"  {'good' if good else 'TOO SLOW'}"
        )
        yield good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--few", type=int, default=100)
    parser.add_argument("--many", type=int, default=10_000)
    parser.add_argument("--cpu", action="store_true", help="the process's own time")
    parser.add_argument("--database", help=argparse.SUPPRESS)
    parser.add_argument("--fill", type=int, help=argparse.SUPPRESS)
    options: Any = parser.parse_args()
    if options.database:
        prepare(options.database)
        fill(options.fill)
        serve(time.process_time if options.cpu else time.perf_counter)
        return
    with tempfile.TemporaryDirectory() as folder:
        servers = [Server(f"{folder}/{count}.sqlite3", count, cpu=options.cpu) for count in (options.few, options.many)]
        results = list(measure(*servers, options.rounds))
        for server in servers:
            server.close()
    print("all good" if all(results) else f"not within {MOST_RATIO}x and {MOST_MS} ms, or with unequal query counts")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
