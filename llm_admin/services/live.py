"""The runs that this process executes right now, and what is collected of each until it is written."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import uuid
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llm_admin.channels.memory import CHANNEL
from llm_admin.conf import settings
from llm_admin.schemas.events import RunEvent, TokenEvent
from llm_admin.services.secrets import redactor_at_hand

if TYPE_CHECKING:
    from llm_admin.models import Run
    from llm_admin.runtime.redaction import StreamRedactor
    from llm_admin.services.recording import RunRecorder

BUSY = 300  # live runs from which on tokens are coalesced for longer

_executor: tuple[int, str] = (0, "")


def executor_id() -> str:
    """Names this process; a forked child gets a name of its own."""
    global _executor
    if _executor[0] != os.getpid():
        _executor = (os.getpid(), f"{socket.gethostname()[:30]}:{os.getpid()}:{uuid.uuid4().hex[:12]}")
    return _executor[1]


@dataclass(slots=True)
class LiveRun:
    """`closed` is set when the last write is handed over: nothing may be written for the run after that.

    `stopped`: we ended it ourselves (Stop, shutdown); any other cancellation is the caller's and stays one.
    """

    run: Run
    emitter: Emitter
    recorder: RunRecorder
    loop: asyncio.AbstractEventLoop | None = None
    task: asyncio.Task[Any] | None = None
    interrupt: Callable[[], None] | None = None
    closed: bool = False
    stopped: bool = False
    also: Callable[[], None] | None = None  # written together with its end
    goes_on: bool = False  # what it waited for was decided while it was being closed

    def stop(self) -> None:
        """From any thread."""
        self.stopped = True
        if self.loop is not None and self.task is not None:
            self.loop.call_soon_threadsafe(self.task.cancel)


class LiveRuns:
    def __init__(self) -> None:
        self._runs: dict[str, LiveRun] = {}
        self._lock = threading.Lock()
        self.stopping = False

    def add(self, live: LiveRun) -> None:
        with self._lock:
            self._runs[str(live.run.pk)] = live

    def remove(self, live: LiveRun) -> None:
        with self._lock:
            self._runs.pop(str(live.run.pk), None)

    def get(self, run_id: Any) -> LiveRun | None:
        return self._runs.get(str(run_id))

    def all(self) -> list[LiveRun]:
        return list(self._runs.values())  # one atomic step, no lock: a signal handler calls this

    def __len__(self) -> int:
        return len(self._runs)


LIVE = LiveRuns()


class _Flusher:
    """One timer for all the emitters of a loop: a timer for each of hundreds was a good part of their cost."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.waiting: list[Emitter] = []

    def add(self, emitter: Emitter) -> None:
        if not self.waiting:
            self.loop.call_later(_delay(), self.flush)
        self.waiting.append(emitter)

    def flush(self) -> None:
        waiting, self.waiting = self.waiting, []
        for emitter in waiting:
            emitter.flush()


_flushers: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Flusher] = weakref.WeakKeyDictionary()


def _flusher() -> _Flusher:
    loop = asyncio.get_running_loop()
    if loop not in _flushers:
        _flushers[loop] = _Flusher(loop)
    return _flushers[loop]


@dataclass(slots=True)
class Emitter:
    """Gathers tokens for some milliseconds, masks what looks like a key, and appends to the run's channel."""

    key: str
    listener: Callable[[RunEvent], None] | None = None
    texts: dict[str, list[str]] = field(default_factory=dict)
    _buffer: dict[str, list[str]] = field(default_factory=dict)
    _masks: dict[str, StreamRedactor] = field(default_factory=dict)
    _dirty: bool = False
    _flusher: _Flusher | None = None

    def emit(self, event: RunEvent) -> None:
        """In the run's loop only."""
        if event["type"] != "token":
            self.flush()
            self._send(event)
            return
        buffer = self._buffer.get(event["path"])
        if buffer is None:
            buffer = self._buffer[event["path"]] = []
        buffer.append(event["text"])
        if not self._dirty:
            self._dirty = True
            if self._flusher is None:
                self._flusher = _flusher()
            self._flusher.add(self)

    def flush(self) -> None:
        self._dirty = False
        for path, pieces in self._buffer.items():
            if pieces:
                self._piece(path, self._mask(path).feed("".join(pieces)))
                pieces.clear()

    def begin(self, path: str) -> None:
        """Another answer at the same place (a step that is tried again) is not appended to the one before."""
        self.texts.pop(path, None)

    def finish(self, path: str) -> None:
        """The answer at `path` is complete: what was held back as a possible key comes out."""
        self.flush()
        if path in self._masks:
            self._piece(path, self._masks.pop(path).flush())

    def thread_safe(self, event: RunEvent) -> None:
        """For events that come from the writer's thread."""
        self._send(event)

    def _mask(self, path: str) -> StreamRedactor:
        if path not in self._masks:
            from llm_admin.runtime.redaction import StreamRedactor

            self._masks[path] = StreamRedactor(redactor_at_hand())
        return self._masks[path]

    def _piece(self, path: str, text: str) -> None:
        if text:
            self.texts.setdefault(path, []).append(text)
            self._send(TokenEvent(type="token", path=path, text=text))

    def _send(self, event: RunEvent) -> None:
        CHANNEL.append(self.key, event)
        if self.listener is not None:
            self.listener(event)


def _delay() -> float:
    limits = settings()
    return (limits.STREAM_COALESCE_BUSY_MS if len(LIVE) > BUSY else limits.STREAM_COALESCE_MS) / 1000
