"""A server that takes what monitors post, and answers as it is told: with a status, headers, words, late, or not."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """`wait`: nothing is answered until `server.released` is set."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    wait: bool = False


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server: Any = self.server
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        server.owner.received.append(Received(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        answer = server.owner.answers.pop(0) if server.owner.answers else Answer()
        if answer.wait:
            server.owner.released.wait(30)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        said = answer.body.encode()
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: Any) -> None:
        return None


class WebhookServer:
    """with WebhookServer() as server: server.url; `server.answers` come one after another, then 200 for ever."""

    def __enter__(self) -> WebhookServer:
        self.answers: list[Answer] = []
        self.received: list[Received] = []
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.owner = self  # type: ignore[attr-defined]
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hooks/T0/SECRETPATH?key=hidden"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
