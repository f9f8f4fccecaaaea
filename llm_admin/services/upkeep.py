"""What a process does in the background while it executes runs: renew leases, notice Stop, store what has arrived.

A server also recovers what other processes left behind when they died; commands do not.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from datetime import timedelta
from functools import partial
from typing import Any

from django.utils import timezone

from llm_admin.choices import RunStatus
from llm_admin.conf import settings
from llm_admin.jobs.local import LOCAL
from llm_admin.jobs.writer import WRITER
from llm_admin.models import Run, RunCheckpoint
from llm_admin.services.live import LIVE, LiveRun, executor_id
from llm_admin.services.recording import start_to_json
from llm_admin.services.secrets import redactor

logger = logging.getLogger(__name__)
TOGETHER = 25  # runs whose checkpoints are written in one piece of work
_lock = threading.Lock()
_started_in: int | None = None
_renewed_at = 0.0


def start() -> None:
    """Once per process; a forked child starts its own."""
    global _started_in
    with _lock:
        if _started_in == os.getpid():
            return
        _started_in = os.getpid()
    LOCAL.every(lambda: settings().CHECKPOINT_SECONDS, _checkpoint)
    LOCAL.every(lambda: min(1.0, settings().LEASE_SECONDS / 3), _look_after)


def forget_started() -> None:
    """After the job loop was stopped."""
    global _started_in
    _started_in = None


async def _look_after() -> None:
    if not len(LIVE):
        return
    for run_id in await WRITER.write(_renew):
        if live := LIVE.get(run_id):
            live.stop()


def _renew() -> list[Any]:
    """Renews our leases when a third of their time is over; returns the runs that somebody wants stopped."""
    global _renewed_at
    ours = Run._base_manager.filter(status=RunStatus.RUNNING, executor=executor_id())
    seconds = settings().LEASE_SECONDS
    if time.monotonic() >= _renewed_at + seconds / 3:
        ours.update(lease_expires_at=timezone.now() + timedelta(seconds=seconds))
        _renewed_at = time.monotonic()
    return list(ours.filter(stop_requested_at__isnull=False).values_list("pk", flat=True))


async def _checkpoint() -> None:
    """A few runs at a time: one piece of work for hundreds would hold up every answer that is streaming."""
    calling = [live for live in LIVE.all() if live.recorder.open_calls]
    for start in range(0, len(calling), TOGETHER):
        await WRITER.write(partial(_store_checkpoints, calling[start : start + TOGETHER]))


def _store_checkpoints(some: list[LiveRun]) -> None:
    """In the writer's thread, where a run's end is written too: after `closed` nothing of it is stored."""
    rows = [row for live in some if not live.closed for row in _rows_of(live)]
    _upsert([row for row in rows if row.call], ["call", "text", "updated_at"])
    _upsert([row for row in rows if not row.call], ["text", "updated_at"])


def _upsert(rows: list[RunCheckpoint], fields: list[str]) -> None:
    RunCheckpoint._base_manager.bulk_create(
        rows, update_conflicts=True, unique_fields=["run", "path"], update_fields=fields
    )


def _rows_of(live: LiveRun) -> list[RunCheckpoint]:
    """What was asked is stored once; afterwards only the text, which the emitter has masked, is renewed."""
    now, keeps = timezone.now(), live.recorder.keeps_texts
    rows = []
    for path, call in list(live.recorder.open_calls.items()):
        start: dict[str, Any] = {}
        if live.recorder.checkpointed.get(path) is not call:
            start = start_to_json(call, redactor().value)
            if not keeps:
                start["messages"] = []
            live.recorder.checkpointed[path] = call
        text = "".join(live.emitter.texts.get(path, ())) if keeps else ""
        rows.append(RunCheckpoint(run=live.run, path=path, call=start, text=text, updated_at=now))
    return rows
