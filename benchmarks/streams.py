"""Many answers streaming at once from one process, each followed over HTTP; and a bare generator beside it.

    .venv/bin/python benchmarks/streams.py [--runs 500] [--seconds 20]

Ours: the whole console under uvicorn with SQLite on disk. Each run is started by the studio's own POST and followed by
a connection of its own; the offline model writes 20 tokens a second. The gap is the time between two pieces of one
answer, as they arrive here, during so many seconds from the moment when all streams stand. Lost: an answer that did not
arrive whole.
Bare: an ASGI generator under uvicorn that sends the same pieces at the same pace, with nothing behind it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.servers.console import Console, free_port  # noqa: E402

TOKEN = re.compile(rb'"type": ?"token"')
RATE = 20  # tokens a second
LEAD = 30  # seconds' worth of further words, for the time in which runs and followers start one by one

SET_UP = """
from django.contrib.auth import get_user_model
from llm_admin.models import *
from llm_admin.services import workspaces
from llm_admin.tenancy import workspace_scope
get_user_model().objects.create_user("boss", password="demo", is_staff=True, is_superuser=True)
with workspace_scope(workspaces.default()):
    Deployment.objects.update(provider_model="demo:delay_ms={pace}:words={words}")
"""

BARE = """
import asyncio
WORD = b'data: {{"type": "token", "text": "word "}}\\n\\n'
END = b'data: {{"type": "status", "status": "succeeded"}}\\n\\n'
async def application(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({{"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}})
    for number in range({words}):
        await asyncio.sleep({pace} / 1000)
        await send({{"type": "http.response.body", "body": WORD, "more_body": True}})
    await send({{"type": "http.response.body", "body": END}})
"""


class Follower(asyncio.Protocol):
    """One HTTP/1.1 response: when each piece arrived. What it says is read afterwards, so that looking costs little."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.arrived: list[float] = []
        self.body = bytearray()
        self.standing = asyncio.get_running_loop().create_future()
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        if TOKEN.search(data):
            self.arrived.append(time.perf_counter())
        self.body += data
        if not self.standing.done():
            self.standing.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        for waiting in (self.standing, self.ended):
            if not waiting.done():
                waiting.set_result(None)

    def events(self) -> list[dict[str, str]]:
        return [json.loads(line[6:]) for line in dechunked(bytes(self.body)).splitlines() if line.startswith("data: ")]

    def gaps(self, since: float, until: float) -> list[float]:
        pairs = zip(self.arrived, self.arrived[1:], strict=False)
        return [late - early for early, late in pairs if since < early and late < until]

    def whole(self, words: int) -> bool:
        events = self.events()
        text = "".join(event["text"] for event in events if event.get("type") == "token")
        statuses = [event["status"] for event in events if event.get("type") == "status"]
        return len(text.split()) >= words and statuses[-1:] == ["succeeded"]


def dechunked(answer: bytes) -> str:
    """The body of a chunked response."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert b" 200 " in head.splitlines()[0], head[:200]
    body, at = bytearray(), 0
    while at < len(rest):
        end = rest.index(b"\r\n", at)
        size = int(rest[at:end], 16)
        body += rest[end + 2 : end + 2 + size]
        at = end + 2 + size + 2
    return body.decode()


async def follow_all(urls: list[str], cookies: dict[str, str], sampler: Sampler) -> list[Follower]:
    loop = asyncio.get_running_loop()
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    followers = []
    for url in urls:  # one after the other: a browser's page opens one stream, not five hundred in the same moment
        parts = urlsplit(url)
        target = f"{parts.path}?{parts.query}"
        head = f"GET {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        make = partial(Follower, head.encode())
        _, follower = await loop.create_connection(make, parts.hostname, parts.port)
        await follower.standing
        followers.append(follower)
    await sampler.run()
    await asyncio.gather(*(follower.ended for follower in followers))
    return followers


class Sampler:
    """Threads, database connections and memory of the server: the largest seen while all streams stand."""

    def __init__(self, pid: int, database: str, seconds: int) -> None:
        self.pid, self.database, self.seconds = pid, database, seconds
        self.threads = self.connections = self.megabytes = 0
        self.since = float("inf")  # when all streams stood

    async def run(self) -> None:
        await asyncio.sleep(1)
        self.since = time.perf_counter()
        while time.perf_counter() < self.since + self.seconds:
            self.look()
            await asyncio.sleep(1)

    def look(self) -> None:
        status = Path(f"/proc/{self.pid}/status").read_text()
        self.threads = max(self.threads, int(re.search(r"Threads:\s+(\d+)", status)[1]))
        self.megabytes = max(self.megabytes, int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024)
        files = Path(f"/proc/{self.pid}/fd")
        opened = [os.readlink(f) for f in files.iterdir() if f.is_symlink()]
        # Of a closed connection SQLite keeps the database's file open as long as others hold locks, but not its log.
        self.connections = max(self.connections, opened.count(f"{self.database}-wal"))


def console_urls(console: Console, runs: int) -> tuple[list[str], dict[str, str]]:
    browser = console.browser()
    ids = [browser.try_prompt(topic=f"number {n}") for n in range(runs)]
    return [f"{console.address}/admin/llm_admin/run/follow/?run={run}:0" for run in ids], dict(browser.http.cookies)


def report(name: str, seen: list[Follower], words: int, seconds: int, sampler: Sampler) -> None:
    until = sampler.since + seconds
    gaps = sorted(gap for one in seen for gap in one.gaps(sampler.since, until))
    lost = sum(not one.whole(words) for one in seen)
    p50, p99 = (gaps[int(len(gaps) * q)] * 1000 for q in (0.5, 0.99))
    print(
        f"{name}: {len(seen)} streams, {lost} lost, "
        f"gap p50 {p50:.0f} ms, p99 {p99:.0f} ms, most {gaps[-1] * 1000:.0f} ms; "
        f"{sampler.threads} threads, {sampler.connections} database connections, {sampler.megabytes} MB"
    )


def measure_console(folder: Path, runs: int, seconds: int) -> None:
    """Starting takes a while: the words are more than the seconds need, and what is measured begins when all stand."""
    words = RATE * (seconds + LEAD)
    console = Console(folder)
    console.manage("migrate", "--verbosity", "0")
    console.code(SET_UP.format(pace=1000 // RATE, words=words))
    console.start()
    try:
        urls, cookies = console_urls(console, runs)
        assert console.process is not None
        sampler = Sampler(console.process.pid, str(console.database), seconds)
        seen = asyncio.run(follow_all(urls, cookies, sampler))
        report("console", seen, words, seconds, sampler)
        statuses = console.statuses()
        print(f"         rows: {len(statuses)}, succeeded {statuses.count('succeeded')}")
    finally:
        console.kill()


def measure_bare(folder: Path, runs: int, seconds: int) -> None:
    import subprocess

    words, port = RATE * (seconds + 5), free_port()
    (folder / "bare.py").write_text(BARE.format(pace=1000 // RATE, words=words))
    command = [sys.executable, "-m", "uvicorn", "bare:application", "--port", str(port), "--log-level", "warning"]
    server = subprocess.Popen(command, cwd=folder)
    time.sleep(2)
    sampler = Sampler(server.pid, "-", seconds)
    try:
        seen = asyncio.run(follow_all([f"http://127.0.0.1:{port}/"] * runs, {}, sampler))
        report("bare   ", seen, words, seconds, sampler)
    finally:
        server.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure_bare(Path(folder), options.runs, options.seconds)
        measure_console(Path(folder), options.runs, options.seconds)


if __name__ == "__main__":
    main()
