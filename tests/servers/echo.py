"""A server that refuses every request and repeats, in the body and in headers, all that it was sent."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        sent = self.rfile.read(length).decode(errors="replace")
        said = f"Bad key. You sent {self.command} {self.path} with {dict(self.headers)} and {sent[:200]}"
        body = json.dumps({"error": {"message": said, "type": "authentication_error", "code": 401}, "detail": said})
        self.send_response(401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body.encode())))
        self.send_header("x-you-sent", self.headers.get("authorization", "")[:100])
        self.end_headers()
        self.wfile.write(body.encode())
        self.server.seen.append(said)  # type: ignore[attr-defined]

    do_GET = do_POST = _answer

    def log_message(self, *_: Any) -> None:
        return None


class EchoServer:
    """with EchoServer() as server: server.url; `server.seen`: what it was sent."""

    def __enter__(self) -> EchoServer:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.seen: list[str] = []
        self._server.seen = self.seen  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
