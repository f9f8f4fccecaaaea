"""Dashboards and logs at 100,000, 1,000,000 and 10,000,000 calls over 90 days, on SQLite.

    .venv/bin/python benchmarks/logs_scale.py --rows 100000
    .venv/bin/python benchmarks/logs_scale.py --rows 1000000 10000000      (the limits; ratios between the two)

Databases are made once, the same for everybody (a fixed seed), and kept in benchmarks/.cache (--folder); 10 m with all
texts takes about 10 GB. Everything that the console itself keeps in memory is thrown away before each page; the
clock of the measured process stands still at the end of the data. "queries": time in the database and in selectors,
of the page and of all parts that it loads by itself. --only measures a part: fold, pages, write, writers.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from logs_database import FOLDER, name_of
from logs_limits import Limits, p95

HERE = Path(__file__).resolve().parent
PARTS = ("index", "fold", "pages", "write", "writers")
WARM_UP = 2


def run(script: str, *arguments: object) -> str:
    """A part in a process of its own; what it printed last."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    *lines, last = done.stdout.strip().splitlines() or [""]
    for line in lines:
        print(line)
    return last


def database(options: Any, rows: int) -> Path:
    texts = min(options.texts, rows)
    name = name_of(rows) + ("" if texts == rows else f"-{name_of(texts)}-texts")
    path = Path(options.folder) / f"{name}.sqlite3"
    if not path.exists():
        print(run("logs_database.py", path, rows, texts))
    return path


class Server:
    def __init__(self, path: Path, zone: str, *, cpu: bool) -> None:
        command = [sys.executable, str(HERE / "logs_pages.py"), str(path), zone, *["--cpu"] * cpu]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.variants: dict[str, int] = self._answer()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def show(self, name: str, number: int) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([name, number]) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def measured(servers: list[Server], name: str, rounds: int) -> list[list[dict[str, Any]]]:
    """The sizes in turn, so that what else the machine does disturbs all of them."""
    found: list[list[dict[str, Any]]] = [[] for _ in servers]
    for number in range(rounds + WARM_UP):
        for server, column in zip(servers, found, strict=True):
            answer = server.show(name, max(number - WARM_UP, 0))
            if "failed" in answer:
                return [[answer] for _ in servers]
            if number >= WARM_UP:
                column.append(answer)
    return found


def pages(options: Any, paths: list[Path], limits: Limits) -> None:
    print(f"\n{'page, ms':42}" + "".join(f"{path.stem:>7}: queries p50  p95   page p50  p95 " for path in paths))
    for zone in options.zones:
        servers = [Server(path, zone, cpu=options.cpu) for path in paths]
        for name, variants in servers[0].variants.items():
            if options.scenario in name:
                _page(servers, f"{name}, {zone}", name, max(options.rounds, variants), limits)
        for server in servers:
            server.close()


def _page(servers: list[Server], title: str, name: str, rounds: int, limits: Limits) -> None:
    columns = measured(servers, name, rounds)
    if problem := columns[0][0].get("failed"):
        print(f"{title:42} FAIL  {problem}")
        limits.add(title, "answers", good=False)
        return
    line = f"{title:42}"
    for column in columns:
        queries, whole = ([one[what] for one in column] for what in ("queries", "page"))
        line += (
            f"{statistics.median(queries):21.0f} {p95(queries):5.0f} {statistics.median(whole):9.0f} {p95(whole):5.0f} "
        )
    line += f" {columns[-1][0]['statements']} statements, {columns[-1][0]['parts']} parts"
    print(line + "  " + limits.judge(title, name, columns), flush=True)


def index(options: Any, paths: list[Path], limits: Limits) -> None:
    """Only what is not there yet; the pages of logs need it."""
    for path in paths:
        answer = json.loads(run("logs_index.py", path))
        print(f"\n{path.stem}: index of {answer['texts']:,} texts complete after {answer['seconds']:.0f} s "
              f"({answer['cpu']:.0f} s of CPU), at most {answer['peak_mb']:.0f} MB of memory")  # fmt: skip


def fold(options: Any, paths: list[Path], limits: Limits) -> None:
    for path in paths:
        answer = json.loads(run("logs_fold.py", path))
        limits.folded(path.stem, answer)


def write(options: Any, paths: list[Path], limits: Limits) -> None:
    limits.written(json.loads(run("logs_write.py", "--runs", options.runs, "--rounds", options.rounds)))


def writers(options: Any, paths: list[Path], limits: Limits) -> None:
    limits.together(json.loads(run("logs_writers.py", options.seconds)))


def chosen() -> Any:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--texts", type=int, default=sys.maxsize, help="only the newest so many logs keep theirs")
    parser.add_argument("--folder", default=str(FOLDER))
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS)
    parser.add_argument("--scenario", default="", help="only pages whose name has this")
    parser.add_argument("--zones", nargs="+", default=["UTC", "Europe/Berlin"])
    parser.add_argument("--cpu", action="store_true", help="pages: the process's own time, for a busy machine")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--runs", type=int, default=300, help="of a round of the write path")
    parser.add_argument("--seconds", type=int, default=60, help="of the four writers")
    return parser.parse_args()


def main() -> None:
    options = chosen()
    paths = [database(options, rows) for rows in sorted(options.rows)]
    limits = Limits(options.rows)
    for part in PARTS:
        if part in options.only:
            {"index": index, "fold": fold, "pages": pages, "write": write, "writers": writers}[part](
                options, paths, limits
            )
    sys.exit(0 if limits.told() else 1)


if __name__ == "__main__":
    main()
