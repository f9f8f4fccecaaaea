"""Following runs: what has arrived so far, and what comes next, for any number of runs over one stream.

Runs of this process are followed through its channel. Those of another process (a command, a second server) are read
from their checkpoints, every half second; their position is the number of characters.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import connection

from llm_admin.channels.memory import CHANNEL
from llm_admin.choices import RUN_OPEN
from llm_admin.models import Run, RunCheckpoint

Followed = tuple[str, int, dict[str, Any]]
POLL_SECONDS = 0.5
PING: Followed = ("", 0, {"type": "ping"})


@dataclass(frozen=True)
class Snapshot:
    """`texts`: step path ("" in a prompt's run) -> the text so far. Following from `position` misses nothing."""

    position: int
    texts: dict[str, str] = field(default_factory=dict)


def snapshot(run: Run) -> Snapshot:
    """From this process's channel (also for a minute after the end), else from the checkpoints."""
    events = CHANNEL.events(str(run.pk))
    if events is None:
        texts = _stored_texts([run.pk]).get(str(run.pk), {})
        return Snapshot(sum(map(len, texts.values())), texts)
    pieces: dict[str, list[str]] = {}
    for event in events:
        if event["type"] == "token":
            pieces.setdefault(event["path"], []).append(event["text"])
    return Snapshot(len(events), {path: "".join(parts) for path, parts in pieces.items()})


async def follow(positions: Mapping[str, int]) -> AsyncIterator[Followed]:
    """(run id, position, event) until all have ended. The caller has checked who may see them.

    An event {"type": "ping"} with run id "" comes after 15 seconds of silence.
    """
    here = {key: at for key, at in positions.items() if key in CHANNEL}
    elsewhere = {key: at for key, at in positions.items() if key not in CHANNEL}
    sources = [_local(here)] if here else []
    if elsewhere:
        sources.append(_stored(elsewhere))
    if len(sources) == 1:
        async for item in sources[0]:
            yield item
    elif sources:
        async for item in _merged(sources):
            yield item


async def _local(positions: dict[str, int]) -> AsyncIterator[Followed]:
    async for batch in CHANNEL.follow(positions):
        for item in batch or [PING]:
            yield item


async def _stored(positions: dict[str, int]) -> AsyncIterator[Followed]:
    """Polls; a run that this process takes over meanwhile is simply seen to grow and end."""
    silence = 0.0
    while positions:
        texts, statuses = await asyncio.to_thread(_read, list(positions))
        news = [item for key in positions for item in _grown(key, positions[key], texts.get(key, {}))]
        for key, at, event in news:
            positions[key] = at
            yield key, at, event
        for key in list(positions):
            if statuses.get(key) not in RUN_OPEN:
                del positions[key]
                yield key, 0, {"type": "status", "status": statuses.get(key, "failed")}
        silence = 0.0 if news else silence + POLL_SECONDS
        if silence >= 15:
            silence = 0.0
            yield PING
        await asyncio.sleep(POLL_SECONDS)


def _grown(key: str, at: int, texts: Mapping[str, str]) -> Iterable[Followed]:
    """Only while one text grows can the number of characters tell where we were; else the page is told to reload."""
    total = sum(map(len, texts.values()))
    if total > at:
        path, text = list(texts.items())[-1]
        before = total - len(text)
        if at >= before:
            yield key, total, {"type": "token", "path": path, "text": text[at - before :]}
        else:
            yield key, total, {"type": "step", "path": path, "status": "running"}


def _read(keys: list[str]) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    try:
        statuses = {str(pk): status for pk, status in Run._base_manager.filter(pk__in=keys).values_list("pk", "status")}
        return _stored_texts(keys), statuses
    finally:
        connection.close()


def _stored_texts(keys: list[Any]) -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = {}
    for checkpoint in RunCheckpoint._base_manager.filter(run__in=keys).order_by("id"):
        texts.setdefault(str(checkpoint.run_id), {})[checkpoint.path] = checkpoint.text
    return texts


async def _merged(sources: list[AsyncIterator[Followed]]) -> AsyncIterator[Followed]:
    queue: asyncio.Queue[Followed | None] = asyncio.Queue()

    async def drain(source: AsyncIterator[Followed]) -> None:
        try:
            async for item in source:
                await queue.put(item)
        finally:
            await queue.put(None)

    tasks = [asyncio.create_task(drain(source)) for source in sources]
    try:
        left = len(tasks)
        while left:
            item = await queue.get()
            if item is None:
                left -= 1
            else:
                yield item
    finally:
        for task in tasks:
            task.cancel()
