"""Events by key, in this process: append from any thread, follow any number of keys from a position.

A position is the number of events before it. A key that ended is kept for a minute, for those who come late.
"""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections.abc import AsyncIterator, Mapping
from typing import Any

KEEP_SECONDS = 60.0
Event = Any


class _Stream:
    __slots__ = ("ended_at", "events", "waiters")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.waiters: set[_Waiter] = set()
        self.ended_at: float | None = None


class _Waiter:
    __slots__ = ("bell", "event", "rung")

    def __init__(self, bell: _Bell) -> None:
        self.bell = bell
        self.event = asyncio.Event()
        self.rung = False


class _Bell:
    """Wakes the waiters of one loop: however many rings come between, the loop is called once."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._lock = threading.Lock()
        self._waiting: list[_Waiter] = []

    def ring(self, waiter: _Waiter) -> None:
        with self._lock:
            if waiter.rung:
                return
            waiter.rung = True
            self._waiting.append(waiter)
            if len(self._waiting) > 1:
                return
        try:
            self.loop.call_soon_threadsafe(self._wake)
        except RuntimeError:  # the loop was closed, and its followers with it
            self._waiting.clear()

    def _wake(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, []
            for waiter in waiting:
                waiter.rung = False
        for waiter in waiting:
            waiter.event.set()


class MemoryChannel:
    def __init__(self) -> None:
        self._streams: dict[str, _Stream] = {}
        self._lock = threading.Lock()
        self._bells: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Bell] = weakref.WeakKeyDictionary()

    def open(self, key: str) -> None:
        with self._lock:
            self._streams.setdefault(key, _Stream())

    def append(self, key: str, event: Event) -> None:
        stream = self._streams[key]
        stream.events.append(event)
        for waiter in tuple(stream.waiters):
            waiter.bell.ring(waiter)

    def end(self, key: str) -> None:
        """Nothing follows. Also the moment to forget those that ended long ago."""
        now = time.monotonic()
        with self._lock:
            stream = self._streams.get(key)
            if stream is not None:
                stream.ended_at = now
            for old in [k for k, s in self._streams.items() if s.ended_at and s.ended_at < now - KEEP_SECONDS]:
                del self._streams[old]
        if stream is not None:
            for waiter in tuple(stream.waiters):
                waiter.bell.ring(waiter)

    def events(self, key: str) -> list[Event] | None:
        """All so far; None when this process knows nothing of the key."""
        stream = self._streams.get(key)
        return None if stream is None else list(stream.events)

    def __contains__(self, key: str) -> bool:
        return key in self._streams

    async def follow(
        self, positions: Mapping[str, int], *, patience: float = 15.0
    ) -> AsyncIterator[list[tuple[str, int, Event]]]:
        """(key, position after it, event), in batches; an empty batch after `patience` seconds of silence.

        Ends when all keys have ended. Unknown keys count as ended.
        """
        everything = {key: stream for key in positions if (stream := self._streams.get(key))}
        streams = dict(everything)
        at = {key: positions[key] for key in streams}
        waiter = _Waiter(self._bell())
        for stream in streams.values():
            stream.waiters.add(waiter)
        try:
            while streams:
                waiter.event.clear()  # before looking, so that nothing slips through between look and wait
                batch = _news(streams, at)
                if batch:
                    yield batch
                    continue
                if streams and not await _rings(waiter, patience):
                    yield []
        finally:
            for stream in everything.values():
                stream.waiters.discard(waiter)

    def _bell(self) -> _Bell:
        loop = asyncio.get_running_loop()
        with self._lock:
            return self._bells.setdefault(loop, _Bell(loop))


def _news(streams: dict[str, _Stream], at: dict[str, int]) -> list[tuple[str, int, Event]]:
    """What came since; forgets the streams that ended."""
    batch = []
    for key, stream in list(streams.items()):
        ended = stream.ended_at is not None
        new = stream.events[at[key] :]
        for event in new:
            at[key] += 1
            batch.append((key, at[key], event))
        if ended and at[key] == len(stream.events):
            del streams[key]
    return batch


async def _rings(waiter: _Waiter, patience: float) -> bool:
    try:
        await asyncio.wait_for(waiter.event.wait(), patience)
    except TimeoutError:
        return False
    return True


CHANNEL = MemoryChannel()
