"""What a web server (and later a worker) does at its start and at its end. Commands and plain code do neither."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import sys
import time
from datetime import timedelta

from django.utils import timezone

from llm_admin.conf import settings
from llm_admin.jobs.local import LOCAL
from llm_admin.jobs.writer import WRITER
from llm_admin.models import Lease
from llm_admin.services import (
    approval_mails,
    approvals,
    batch_pump,
    batch_work,
    budget_gate,
    budget_mails,
    drafts,
    execution,
    log_search,
    monitor_watch,
    recovery,
    repricing,
    retention,
    rollups,
    upkeep,
)
from llm_admin.services.live import LIVE, executor_id
from llm_admin.services.secrets import redactor

logger = logging.getLogger(__name__)
TICKER = "ticker"
SWITCH_SECONDS = 0.001


def start() -> None:
    """Recovers at once, and again whenever this process holds the ticker's lease."""
    LIVE.stopping = False
    upkeep.start()
    LOCAL.submit(_recover())
    LOCAL.every(lambda: settings().LEASE_SECONDS / 3, _tick)


def tune_interpreter() -> None:
    """Half of the tail latency of many streams is the collector walking what start-up left behind.

    It throws away what requests left behind soon: ten thousand objects take 4 ms, a hundred thousand 90 ms at once.
    The server's loop and the runs' loop share the interpreter's lock: by default one lets the other wait for 5 ms.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 50, 500)


def stop() -> None:
    """Safe in a signal handler: asks every run to end as *interrupted*, and refuses new ones."""
    LIVE.stopping = True
    for live in LIVE.all():
        if live.interrupt is not None:
            live.interrupt()
        with contextlib.suppress(RuntimeError):  # its loop is closed already
            live.stop()


def finish() -> None:
    """Waits for the runs and batches that `stop` ended, at most 3 s, and for everything that is still to be written."""
    deadline = time.monotonic() + 3
    while (len(LIVE) or batch_pump.is_busy()) and time.monotonic() < deadline:
        time.sleep(0.01)
    with contextlib.suppress(TimeoutError):
        LOCAL.submit(_close_providers()).result(1)
    WRITER.stop()


async def _close_providers() -> None:
    if "llm_admin.runtime.providers" in sys.modules:
        from llm_admin.runtime.providers import close_providers

        await close_providers()


async def _tick() -> None:
    if await WRITER.write(lambda: take_lease(TICKER, settings().LEASE_SECONDS)):
        await _recover()
        await WRITER.write(drafts.forget_old)
        await WRITER.write(approvals.settle_overdue)
        await WRITER.write(batch_work.settle_waiting)
        await WRITER.write(budget_gate.expire)
        await asyncio.to_thread(approval_mails.send_waiting)
        await asyncio.to_thread(budget_mails.send_warnings)
        await retention.tick()
        await monitor_watch.tick()
        # Last: what is right without them, only slower, holds up nothing when it fails.
        await asyncio.to_thread(rollups.tick)
        await asyncio.to_thread(log_search.tick)


async def _recover() -> None:
    """The first time without the lease: each step is a compare-and-set anyhow."""
    await WRITER.write(recovery.interrupt_abandoned)
    await WRITER.write(redactor)
    for run in await WRITER.write(recovery.waiting):
        if not LIVE.stopping:
            execution.launch(run)
    for batch_id in await WRITER.write(batch_pump.abandoned):
        if not LIVE.stopping:
            batch_pump.launch(batch_id)
    for job_id in await WRITER.write(repricing.abandoned):
        if not LIVE.stopping:
            repricing.launch(job_id)


def take_lease(name: str, seconds: float) -> bool:
    """Whether this process has the duty now: it had it, or nobody had."""
    now = timezone.now()
    until = now + timedelta(seconds=seconds)
    me = executor_id()
    Lease.objects.get_or_create(name=name, defaults={"holder": me, "expires_at": until})
    free = Lease.objects.filter(name=name, expires_at__lt=now) | Lease.objects.filter(name=name, holder=me)
    return free.update(holder=me, expires_at=until) == 1
