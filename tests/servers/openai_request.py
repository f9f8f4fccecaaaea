"""A request to the test server, and the words, tokens and bytes of its answer."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.openai_behaviour import Behaviour

if TYPE_CHECKING:
    from tests.servers.openai_server import OpenAIServer


class Reader(asyncio.StreamReader):
    """Tells at once when the client goes, also while nobody reads."""

    on_gone: Callable[[], None] = staticmethod(lambda: None)

    def feed_eof(self) -> None:
        super().feed_eof()
        self.on_gone()

    def set_exception(self, exc: BaseException) -> None:
        super().set_exception(exc)
        self.on_gone()


class Request:
    """A request as the server saw it, and what became of its answer. Readable from any thread."""

    def __init__(
        self, server: OpenAIServer, connection: int, method: str, target: str, headers: dict[str, str]
    ) -> None:
        self.server, self.connection, self.method, self.headers = server, connection, method, headers
        self.path, self.query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        self.body: Any = None
        self.sent = 0  # words
        self.finished = threading.Event()  # everything was sent
        self.closed = threading.Event()  # the client closed the connection before that
        self.closed_after: int | None = None  # words
        self._gate = asyncio.Semaphore(0)
        self._gone = asyncio.Event()

    @property
    def model(self) -> str:
        return self.body.get("model", "") if isinstance(self.body, dict) else ""

    @property
    def question(self) -> str:
        users = [m["content"] for m in self.body.get("messages", []) if m["role"] == "user"]
        return users[-1] if users else ""

    @property
    def open(self) -> bool:
        return not (self.finished.is_set() or self.closed.is_set())

    def release(self, words: int = 1) -> None:
        for _ in range(words):
            self.server.call(self._gate.release)

    def wait_sent(self, words: int, timeout: float = 30) -> None:
        wait_until(lambda: self.sent >= words, timeout, f"{words} words sent")

    def note_closed(self) -> None:
        if self.open:
            self.closed_after = self.sent
            self.closed.set()
        self._gone.set()


def wait_until(condition: Any, timeout: float, what: str) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout} s: {what}")
        time.sleep(0.002)


def stop_at(behaviour: Behaviour, count: int) -> int:
    error_after = behaviour.error_after[0] if behaviour.error_after else None
    stops = (behaviour.hang_after, behaviour.cut_after, behaviour.end_after, behaviour.garbage_after, error_after)
    return min((stop for stop in stops if stop is not None), default=count)


async def either(*awaitables: Any) -> None:
    tasks = [asyncio.ensure_future(one) for one in awaitables]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


def words_of(request: Request, behaviour: Behaviour) -> Iterator[str]:
    text = request.question if behaviour.echo else behaviour.text
    if text is None:
        yield from (f"word{number} " for number in range(1, behaviour.words + 1))
    else:
        words = text.split(" ")
        yield from (f"{word} " for word in words[:-1])
        yield words[-1]


def usage_part(request: Request, behaviour: Behaviour) -> dict[str, Any]:
    """Tokens are words here."""
    if behaviour.usage is None:
        return {}
    asked = sum(len(str(m["content"]).split()) for m in request.body["messages"])
    answered = len(list(words_of(request, behaviour)))
    counted = {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}
    return {"usage": {**counted, **behaviour.usage}}


def delta(request: Request, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": request.model, "choices": [choice]}


def word_event(request: Request) -> tuple[bytes, bytes]:
    """Everything around a word, so that five hundred streams at once cost little."""
    before, after = json.dumps(delta(request, {"content": "@@"})).split('"@@"')
    return b"data: " + before.encode(), after.encode() + b"\n\n"


def event(data: dict[str, Any]) -> bytes:
    return chunk(b"data: " + json.dumps(data).encode() + b"\n\n")


def chunk(content: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(content), content)


def with_key(body: Any, request: Request) -> Any:
    """Some servers repeat the key that they were sent."""
    key = request.headers.get("authorization", "").removeprefix("Bearer ")
    return json.loads(json.dumps(body).replace("{key}", key)) if isinstance(body, dict) else body
