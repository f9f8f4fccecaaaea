"""An OpenAI-compatible HTTP server that does what a test tells it: real sockets, real chunks, real failures.

    with OpenAIServer() as server:                      # a thread and a port of its own
        server.script("gpt", Behaviour(gate=True))      # or ask for one of MODELS by name: "echo", "cut", "429"...
        ...
        stream = server.wait_for(1)[0]                  # the first request, as it was received
        stream.release()                                # the next word, please
        assert stream.closed.wait(1)                    # the client went away

As a process: python -m tests.servers.openai_server --port 9999 --delay-ms 50 --words 40 --count-file requests.jsonl
It then also answers GET /_stats and POST /_release?n=1.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import threading
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.servers.openai_behaviour import MODEL_LIST, MODELS, PAGE, Behaviour, error
from tests.servers.openai_request import (
    Reader,
    Request,
    chunk,
    delta,
    either,
    event,
    stop_at,
    usage_part,
    wait_until,
    with_key,
    word_event,
    words_of,
)


class OpenAIServer:
    def __init__(self, *, port: int = 0, usual: Behaviour | None = None, count_file: Path | None = None) -> None:
        self.port, self.usual, self.count_file = port, usual or Behaviour(), count_file
        self.requests: list[Request] = []  # of chat completions
        self.others: list[Request] = []
        self.connections = 0
        self.model_list: Any = MODEL_LIST
        self._scripts: dict[str, Behaviour] = {}
        self._queue: deque[Behaviour] = deque()
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def script(self, model: str, behaviour: Behaviour) -> None:
        """All requests for this model, from now on."""
        self._scripts[model] = behaviour

    def enqueue(self, *behaviours: Behaviour) -> None:
        """The next requests, whatever their model."""
        self._queue.extend(behaviours)

    def forget(self) -> None:
        """As after the start, for the next test."""
        self.requests.clear()
        self.others.clear()
        self._scripts.clear()
        self._queue.clear()
        self.model_list = MODEL_LIST

    def release(self, words: int = 1) -> None:
        """The next words of every answer that waits at its gate."""
        for request in self.requests:
            if request.open:
                request.release(words)

    def wait_for(self, count: int, timeout: float = 30) -> list[Request]:
        wait_until(lambda: len(self.requests) >= count, timeout, f"{count} requests ({len(self.requests)} came)")
        return self.requests

    # In a thread

    def __enter__(self) -> OpenAIServer:
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self.serve(ready)), daemon=True, name="openai-server"
        )
        self._thread.start()
        if not ready.wait(30):
            raise RuntimeError("the test server did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self.call(self._stop.set)
        self._thread.join(30)

    def call(self, function: Any) -> None:
        assert self._loop is not None
        with contextlib.suppress(RuntimeError):  # it stopped meanwhile
            self._loop.call_soon_threadsafe(function)

    async def serve(self, ready: threading.Event | asyncio.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        listener = await self._loop.create_server(
            lambda: asyncio.StreamReaderProtocol(Reader(), self._connection), "127.0.0.1", self.port, backlog=1024
        )
        self.port = listener.sockets[0].getsockname()[1]
        ready.set()
        await self._stop.wait()
        listener.close()
        for writer in list(self._writers):
            writer.transport.abort()
        for _ in range(100):  # let every answer notice; 3.11 is noisy about those that are cancelled instead
            if self._writers:
                await asyncio.sleep(0.01)

    # One connection

    async def _connection(self, reader: Any, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            await self._requests(reader, writer, self.connections)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _requests(self, reader: Any, writer: asyncio.StreamWriter, number: int) -> None:
        while head := await self._head(reader):
            request = Request(self, number, *head)
            length = int(request.headers.get("content-length", 0))
            request.body = json.loads(await reader.readexactly(length)) if length else None
            reader.on_gone = request.note_closed
            if not await self._answer(request, writer):
                return

    async def _head(self, reader: asyncio.StreamReader) -> tuple[str, str, dict[str, str]] | None:
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        except asyncio.IncompleteReadError:
            return None
        method, target, _ = lines[0].split(" ")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        return method, target, {name.lower(): value for name, value in headers.items()}

    # What is answered

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection may be used again."""
        if request.path != "/v1/chat/completions":
            self.others.append(request)
            await self._reply(writer, *self._other(request))
            return True
        self._count(request)
        behaviour = self._behaviour(request)
        self.requests.append(request)
        if behaviour.hang:
            await request._gone.wait()
            return False
        if behaviour.body is not None:
            await self._reply(writer, behaviour.status, with_key(behaviour.body, request), behaviour.headers)
            request.finished.set()
            return True
        if request.body.get("stream"):
            return await self._stream(request, behaviour, writer)
        return await self._whole(request, behaviour, writer)

    def _other(self, request: Request) -> tuple[int, Any]:
        if request.path == "/v1/models":
            if "authorization" in request.headers and request.headers["authorization"].endswith("-bad"):
                return 401, error(401, "Incorrect API key provided.", code="invalid_api_key").body
            return 200, self.model_list
        if request.path == "/_stats":
            opened = sum(one.open for one in self.requests)
            return 200, {"requests": len(self.requests), "open": opened, "connections": self.connections}
        if request.path == "/_release":
            self.release(int(request.query.get("n", ["1"])[0]))
            return 200, {}
        return 404, PAGE

    def _behaviour(self, request: Request) -> Behaviour:
        if self._queue:
            return self._queue.popleft()
        name = request.model
        return self._scripts.get(name) or MODELS.get(name) or self.usual

    def _count(self, request: Request) -> None:
        if self.count_file:
            line = json.dumps({"model": request.model, "question": request.question})
            with self.count_file.open("a") as file:
                file.write(line + "\n")

    async def _reply(
        self, writer: asyncio.StreamWriter, status: int, body: Any, headers: dict[str, str] | None = None
    ) -> None:
        html = isinstance(body, str)
        content = body.encode() if html else json.dumps(body).encode()
        kind = "text/html; charset=utf-8" if html else "application/json"
        lines = {"content-type": kind, **(headers or {}), "content-length": len(content)}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        writer.write(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + content)
        await writer.drain()

    async def _whole(self, request: Request, behaviour: Behaviour, writer: asyncio.StreamWriter) -> bool:
        words = [word async for word in self._paced(request, behaviour)]
        if request.closed.is_set() or behaviour.cut_after is not None:
            writer.transport.abort()
            return False
        message = {"role": "assistant", "content": "".join(words)}
        choice = {"index": 0, "message": message, "finish_reason": behaviour.finish}
        body = {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1,
            "model": request.model,
            "choices": [choice],
        }
        await self._reply(writer, 200, body | usage_part(request, behaviour))
        request.finished.set()
        return True

    async def _stream(self, request: Request, behaviour: Behaviour, writer: asyncio.StreamWriter) -> bool:
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(head.encode() + event(delta(request, {"role": "assistant", "content": ""})))
        before, after = word_event(request)
        async for word in self._paced(request, behaviour):
            request.sent += 1
            if behaviour.usage_so_far:
                writer.write(event(delta(request, {"content": word}) | usage_part(request, behaviour)))
            else:
                writer.write(chunk(before + json.dumps(word).encode() + after))
            await writer.drain()
        if request.closed.is_set():
            return False
        if behaviour.cut_after is not None:
            request.finished.set()
            writer.transport.abort()
            return False
        if behaviour.error_after:
            writer.write(event({"error": behaviour.error_after[1]}))
        elif behaviour.garbage_after is not None:
            writer.write(chunk(b"data: {not json\n\n"))
        elif behaviour.end_after is None:
            self._ending(request, behaviour, writer)
        request.finished.set()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    def _ending(self, request: Request, behaviour: Behaviour, writer: asyncio.StreamWriter) -> None:
        writer.write(event(delta(request, {}, behaviour.finish)))
        wanted = (request.body.get("stream_options") or {}).get("include_usage")
        if wanted and (part := usage_part(request, behaviour)):
            writer.write(event({**delta(request, {}), "choices": [], **part}))
        if behaviour.done:
            writer.write(chunk(b"data: [DONE]\n\n"))

    async def _paced(self, request: Request, behaviour: Behaviour) -> AsyncIterator[str]:
        """The words, each when its time has come; ends early when the client has gone."""
        words = list(words_of(request, behaviour))
        for index, word in enumerate(words[: stop_at(behaviour, len(words))]):
            if behaviour.gate and index:
                await either(request._gate.acquire(), request._gone.wait())
            elif behaviour.delay_ms:
                await asyncio.sleep(behaviour.delay_ms / 1000)
            if request.closed.is_set():
                return
            yield word
        if behaviour.hang_after is not None:
            await request._gone.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-ms", type=float, default=0)
    parser.add_argument("--words", type=int, default=20)
    parser.add_argument("--gate", action="store_true")
    parser.add_argument("--count-file", type=Path)
    options = parser.parse_args()
    usual = Behaviour(words=options.words, delay_ms=options.delay_ms, gate=options.gate)
    server = OpenAIServer(port=options.port, usual=usual, count_file=options.count_file)
    server.script("words", usual)
    server.script("echo", replace(usual, echo=True))

    async def run() -> None:
        ready = asyncio.Event()
        task = asyncio.create_task(server.serve(ready))
        await ready.wait()
        print(f"listening on {server.base_url}", flush=True)
        await task

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run())


if __name__ == "__main__":
    main()
