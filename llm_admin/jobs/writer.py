"""One thread that writes to the database for everybody: what waits is written in one transaction.

On SQLite a single writer that drains a queue beats a pool of connections, and its callers hold no connection and no
thread. Each job is all or nothing; one that fails does not disturb its neighbours.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, connection, models, transaction

from llm_admin.jobs.statements import insert_one, update_one

logger = logging.getLogger(__name__)
MOST_JOBS = 500  # in one transaction
ENOUGH_FOR_ONE_STATEMENT = 100  # rows


@dataclass(slots=True)
class Insert:
    """A new row; `child.<link>` becomes its key."""

    row: models.Model
    child: models.Model | None = None
    link: str = ""


Operation = Insert | Callable[[], Any]


@dataclass(slots=True)
class _Job:
    operations: Sequence[Operation]
    future: asyncio.Future[Any] | Future[Any] | None
    loop: asyncio.AbstractEventLoop | None = None
    then: Callable[[], None] | None = None
    result: Any = None
    error: BaseException | None = field(default=None)


class GroupWriter:
    def __init__(self, name: str) -> None:
        self.name = name
        self._queue: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._pid = 0

    async def write(self, *operations: Operation) -> Any:
        """Returns when it is durable: the last callable's result. Raises what the operation raised."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._put(_Job(operations, future, loop))
        return await future

    def write_sync(self, *operations: Operation) -> Any:
        future: Future[Any] = Future()
        self._put(_Job(operations, future))
        return future.result()

    def post(self, *operations: Operation, then: Callable[[], None] | None = None) -> None:
        """Does not wait; `then` is called, in the writer's thread, once it is durable.

        Jobs keep their order, so a later `write` that returned means that this is durable too.
        """
        self._put(_Job(operations, None, then=then))

    @property
    def waiting(self) -> int:
        """About how many jobs are in the queue."""
        return self._queue.qsize()

    def stop(self) -> None:
        """After everything queued is written."""
        with self._lock:
            thread, self._thread = self._thread, None
        if thread is not None and thread.is_alive() and self._pid == os.getpid():
            self._queue.put(None)
            thread.join(20)

    def _put(self, job: _Job) -> None:
        if self._thread is None or not self._thread.is_alive() or self._pid != os.getpid():
            self._start()
        self._queue.put(job)

    def _start(self) -> None:
        with self._lock:
            if self._thread is not None and self._thread.is_alive() and self._pid == os.getpid():
                return
            if self._pid != os.getpid():
                self._queue = queue.SimpleQueue()
            self._pid = os.getpid()
            self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
            self._thread.start()

    def _run(self) -> None:
        try:
            while (job := self._queue.get()) is not None:
                jobs, last = self._drain(job)
                _execute(jobs)
                _resolve(jobs)
                if last:
                    return
        finally:
            connection.close()

    def _drain(self, first: _Job) -> tuple[list[_Job], bool]:
        jobs = [first]
        while len(jobs) < MOST_JOBS:
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                return jobs, False
            if job is None:
                return jobs, True
            jobs.append(job)
        return jobs, False


def _execute(jobs: list[_Job]) -> None:
    if _attempt(jobs) is None:
        return
    for job in jobs:
        job.error = _attempt([job])


def _attempt(jobs: list[_Job]) -> BaseException | None:
    """Everything in one transaction; what went wrong, with nothing written, otherwise."""
    try:
        with transaction.atomic():
            _insert([op for job in jobs for op in job.operations if isinstance(op, Insert)])
            for job in jobs:
                for operation in job.operations:
                    if not isinstance(operation, Insert):
                        job.result = operation()
    except Exception as error:  # noqa: BLE001 - docs/adr/0017: each caller gets its own exception back
        if isinstance(error, DatabaseError):
            connection.close_if_unusable_or_obsolete()
        return error
    return None


def _insert(inserts: list[Insert]) -> None:
    """Parents first: their children need the keys."""
    _insert_all([one.row for one in inserts])
    children = []
    for one in inserts:
        if one.child is not None:
            setattr(one.child, one.link, one.row.pk)
            children.append(one.child)
    _insert_all(children)


def _insert_all(rows: list[models.Model]) -> None:
    """One statement for many rows of a model; for a few, making that statement would cost more than it saves."""
    by_model: dict[type[models.Model], list[models.Model]] = defaultdict(list)
    for row in rows:
        by_model[type(row)].append(row)
    for model, some in by_model.items():
        if len(some) < ENOUGH_FOR_ONE_STATEMENT:
            for row in some:
                insert_one(row)
            continue
        if isinstance(model._meta.pk, models.AutoField):
            for row in some:
                row.pk = None  # of an attempt that was rolled back
        model._base_manager.bulk_create(some)


def _resolve(jobs: list[_Job]) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[_Job]] = defaultdict(list)
    for job in jobs:
        if job.then is not None and job.error is None:
            job.then()
        if job.loop is not None:
            by_loop[job.loop].append(job)
        elif isinstance(job.future, Future):
            _settle(job)
        elif job.error is not None:
            logger.error("A row could not be written.", exc_info=job.error)
    for loop, waiting in by_loop.items():
        try:
            loop.call_soon_threadsafe(_settle_all, waiting)
        except RuntimeError:  # the loop was closed; nobody waits any more
            logger.warning("%d writes finished after their event loop was closed.", len(waiting))


def _settle_all(jobs: list[_Job]) -> None:
    for job in jobs:
        _settle(job)


def _settle(job: _Job) -> None:
    future = job.future
    if future is None or future.done():
        return
    if job.error is not None:
        future.set_exception(job.error)
    else:
        future.set_result(job.result)


__all__ = ["WRITER", "GroupWriter", "Insert", "Operation", "update_one"]

WRITER = GroupWriter("llm-writer")
