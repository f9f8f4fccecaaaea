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
    """One timer for all its waits: a time-out of its own for each wait cost as much as the rest of following."""

    __slots__ = ("_heard_at", "_timer", "bell", "event", "rung")

    def __init__(self, bell: _Bell) -> None:
        self.bell = bell
        self.event = asyncio.Event()
        self.rung = False
        self._timer: asyncio.TimerHandle | None = None
        self._heard_at = 0.0

    async def rings(self, patience: float) -> bool:
        """False after so many seconds of silence."""
        loop = self.bell.loop
        self._heard_at = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(patience, self._tick, patience)
        await self.event.wait()
        return self._timer is not None

    def _tick(self, patience: float) -> None:
        left = self._heard_at + patience - self.bell.loop.time()
        if left > 0:
            self._timer = self.bell.loop.call_later(left, self._tick, patience)
        else:
            self._timer = None
            self.event.set()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


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
            self._streams.setdefault(key, _Stream()).ended_at = None  # it may go on after it had ended

    def append(self, key: str, event: Event) -> None:
        stream = self._streams[key]
        stream.events.append(event)
        for waiter in tuple(stream.waiters):
            waiter.bell.ring(waiter)

    def end(self, key: str, *, keep: bool = True) -> None:
        """Nothing follows. Also the moment to forget those that ended long ago; without `keep`, this one too."""
        now = time.monotonic()
        with self._lock:
            stream = self._streams.get(key)
            if stream is not None:
                stream.ended_at = now
                if not keep:
                    del self._streams[key]
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
                if streams and not await waiter.rings(patience):
                    yield []
        finally:
            waiter.close()
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


CHANNEL = MemoryChannel()
