"""An HTTP server that answers as a provider did: what it says stands in recorded/<provider>/*.json, with its source.

with AnthropicServer() as server:
    server.answer("stream")                   # recorded/anthropic/stream.json, until told otherwise
    server.answer("stream", cut_after=3)      # the connection breaks after three events
    server.requests[0].body                   # what the provider's own library sent
"""

from __future__ import annotations

import json
import re
import socket
import struct
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "recorded"
PAGE = "<!doctype html><html><body><h1>Welcome to nginx!</h1></body></html>"
GARBAGE = '{"text": "half'  # JSON that ends in the middle


@dataclass(frozen=True, slots=True)
class Recording:
    """`events`: pairs of a name (or None) and data; instead of them `body`. `expect`: what a reader makes of it."""

    name: str
    source: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    events: list[tuple[str | None, Any]] = field(default_factory=list)
    expect: dict[str, Any] = field(default_factory=dict)


def recording(provider: str, name: str) -> Recording:
    told = json.loads((FOLDER / provider / f"{name}.json").read_text())
    return Recording(name=name, **{key: value for key, value in told.items() if key != "note"})


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: Any
    port: int  # of the client: one for each connection


@dataclass(frozen=True, slots=True)
class Answer:
    """How a recording is sent: whole, or only its first events and then a broken connection, silence, or the end."""

    recording: Recording
    cut_after: int | None = None
    stall_after: int | None = None
    end_after: int | None = None
    garbage_after: int | None = None
    hang: bool = False
    page: bool = False


class RecordedServer:
    provider = ""
    base_path = ""
    routes: dict[str, str] = {}  # "POST /v1/messages": the recordings that this path answers ("chat", "models" ...)

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.unknown: list[str] = []
        self._answers: dict[str, Answer] = {}
        self._stopping = threading.Event()

    def answer(self, name: str, kind: str = "chat", **how: Any) -> Recording:
        found = recording(self.provider, name)
        self._answers[kind] = Answer(found, **how)
        return found

    def forget(self) -> None:
        self.requests.clear()
        self.unknown.clear()
        self._answers.clear()

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}{self.base_path}"

    def __enter__(self) -> Any:
        server = self

        class Handler(_Handler):
            recorded = server

        self._http = _Listener(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()

    def find(self, request: Request) -> Answer | None:
        for route, kind in self.routes.items():
            method, pattern = route.split(" ")
            if request.method == method and re.fullmatch(pattern, request.path):
                return self._answers.get(kind)
        self.unknown.append(f"{request.method} {request.path}")
        return None

    def wait(self) -> None:
        self._stopping.wait(60)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        if not isinstance(sys.exception(), OSError):  # a client that went away is none of ours
            raise


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    recorded: RecordedServer

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, *_: Any) -> None:
        pass

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        content = self.rfile.read(length) if length else b""
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(
            self.command, path, query, headers, json.loads(content) if content else None, self.client_address[1]
        )
        answer = self.recorded.find(request)
        self.recorded.requests.append(request)
        if answer is None:
            self._whole(404, {"content-type": "text/plain"}, b"no such path")
        elif answer.hang:
            self.recorded.wait()
        elif answer.page:
            self._whole(200, {"content-type": "text/html"}, PAGE.encode())
        elif answer.recording.events:
            self._stream(answer)
        else:
            self._whole(answer.recording.status, *self._body(answer, request))

    def _body(self, answer: Answer, request: Request) -> tuple[dict[str, str], bytes]:
        told = answer.recording.body
        text = told if isinstance(told, str) else json.dumps(told)
        kind = "text/plain; charset=utf-8" if isinstance(told, str) else "application/json"
        return {"content-type": kind, **answer.recording.headers}, text.replace("{key}", key_of(request)).encode()

    def _whole(self, status: int, headers: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, answer: Answer) -> None:
        self.send_response(answer.recording.status)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for number, (name, data) in enumerate(answer.recording.events):
            if number == answer.cut_after:
                return self._break()
            if number == answer.stall_after:
                return self.recorded.wait()
            if number == answer.end_after:
                break
            self._event(name, GARBAGE if number == answer.garbage_after else data)
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, name: str | None, data: Any) -> None:
        text = data if isinstance(data, str) else json.dumps(data)
        content = (f"event: {name}\n" if name else "").encode() + f"data: {text}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))
        self.wfile.flush()

    def _break(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def key_of(request: Request) -> str:
    """Some servers repeat the key that they were sent."""
    for name in ("x-api-key", "x-goog-api-key", "authorization"):
        if name in request.headers:
            return request.headers[name].removeprefix("Bearer ")
    return "no key"
