"""Server-sent events from a synchronous admin view, without holding a thread or a connection while they flow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import SyncToAsync, sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse

Messages = AsyncIterator[bytes]

_json = json.JSONEncoder(separators=(",", ":")).encode

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Content-Encoding": "identity",  # GZipMiddleware would hold events back
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}
PING = b": ping\n\n"


def message(data: dict[str, Any], *, event: str, last_id: str = "") -> bytes:
    """As bytes: Django would look for the response's charset for every piece."""
    head = f"id: {last_id}\n" if last_id else ""
    return f"{head}event: {event}\ndata: {_json(data)}\n\n".encode()


def event_stream(request: HttpRequest, messages: Messages) -> StreamingHttpResponse:
    """`messages` runs after the middleware: it must not read tables of a workspace, whose scope is closed by then."""
    under_asgi = isinstance(request, ASGIRequest)
    body: Any = _detached(messages) if under_asgi else _in_own_loop(messages)
    return StreamingHttpResponse(body, headers=HEADERS)


async def _detached(messages: Messages) -> Messages:
    await release_thread()
    async for text in messages:
        yield text


def _in_own_loop(messages: Messages) -> Iterator[bytes]:
    """WSGI gives a thread per request anyway; a loop of its own in it drives the asynchronous generator."""
    close_idle_connections()
    with asyncio.Runner() as runner:
        try:
            while True:
                try:
                    yield runner.run(_next(messages))
                except StopAsyncIteration:
                    return
        finally:
            runner.run(messages.aclose())  # type: ignore[attr-defined]


async def _next(messages: Messages) -> bytes:
    return await anext(messages)


def close_idle_connections() -> None:
    """Not one inside a transaction: that one belongs to a test around us."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


async def release_thread() -> None:
    """Django keeps a thread, and the connection it touched, for every open response: 300 streams held 300 of each.

    The executor is asgiref's private matter; tests/admin/test_playground.py pins what we rely on.
    """
    await sync_to_async(close_idle_connections)()
    context = SyncToAsync.thread_sensitive_context.get(None)
    if context is None:
        return
    executor = SyncToAsync.context_to_thread_executor.pop(context, None)
    if executor is not None:
        executor.shutdown(wait=False)
