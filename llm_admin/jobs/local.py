"""One asyncio loop in a daemon thread of this process, started on first use. It knows coroutines, not runs."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")
logger = logging.getLogger(__name__)


class LoopThread:
    """Safe to use from any thread; a forked child starts a loop of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._pid = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None or self._pid != os.getpid():
                return self._start()
            return self._loop

    @property
    def is_running(self) -> bool:
        """Whether this process uses its loop already: looking does not start it."""
        return self._loop is not None and self._pid == os.getpid()

    def _start(self) -> asyncio.AbstractEventLoop:
        loop = new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(loop,), name=self.name, daemon=True)
        self._loop, self._pid = loop, os.getpid()
        self._thread.start()
        return loop

    @staticmethod
    def _run(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()
        loop.close()

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Waits for the result; an interrupted wait (Ctrl+C) cancels the coroutine and waits for its end."""
        future = self.submit(coroutine)
        try:
            return future.result()
        except KeyboardInterrupt:
            future.cancel()
            raise

    def every(self, seconds: Callable[[], float], work: Callable[[], Awaitable[None]]) -> Future[None]:
        """Repeats `work`; what it raises is logged and does not end the repetition."""
        return self.submit(_repeat(seconds, work))

    def stop(self) -> None:
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None and thread.is_alive():
            loop.call_soon_threadsafe(loop.stop)
            thread.join(5)


async def _repeat(seconds: Callable[[], float], work: Callable[[], Awaitable[None]]) -> None:
    while True:
        await asyncio.sleep(seconds())
        task = asyncio.ensure_future(work())
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()):
            logger.error("A periodic task failed and will be tried again.", exc_info=error)


def new_event_loop() -> asyncio.AbstractEventLoop:
    """uvloop's where it is installed (not on Windows): a third less time for hundreds of streams."""
    try:
        from uvloop import new_event_loop as make
    except ImportError:
        return asyncio.new_event_loop()
    return make()


LOCAL = LoopThread("llm-jobs")
