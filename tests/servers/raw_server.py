"""A server that answers every request with the same bytes, however wrong they are."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import suppress

OK = b"HTTP/1.1 200 OK\r\n"
JSON, STREAM = b"content-type: application/json\r\n", b"content-type: text/event-stream\r\n"


def whole(body: bytes, kind: bytes = JSON, status: bytes = OK) -> bytes:
    return status + kind + b"content-length: %d\r\n\r\n" % len(body) + body


def open_ended(body: bytes, kind: bytes = STREAM) -> bytes:
    """It ends when the connection does."""
    return OK + kind + b"connection: close\r\n\r\n" + body


class RawServer:
    """with RawServer() as server: server.answer = b"HTTP/1.1 ..."; `then` comes after it, again and again, with
    `pause` seconds in between, until the client goes; `reset` breaks the connection off instead of ending it."""

    def __enter__(self) -> RawServer:
        self.answer, self.then, self.pause, self.reset = whole(b"{}"), b"", 0.0, False
        self.requests = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            _read_request(connection)
            self.requests += 1
            connection.sendall(self.answer)
            while self.then:
                time.sleep(self.pause)
                connection.sendall(self.then)
            if self.reset:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                connection.shutdown(socket.SHUT_WR)
                connection.settimeout(5)
                while connection.recv(65536):
                    continue


def _read_request(connection: socket.socket) -> None:
    got = b""
    while b"\r\n\r\n" not in got:
        if not (more := connection.recv(65536)):
            raise OSError
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
    )
    while len(body) < length:
        body += connection.recv(65536)
