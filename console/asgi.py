"""The ASGI application, with the start and the end of the server around it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
django_application = get_asgi_application()


class Lifespan:
    """On SIGTERM and SIGINT uvicorn waits for open streams before it tells anybody; so we end the runs, which ends
    the streams, in a handler of our own that then calls uvicorn's. It is installed at lifespan start-up: uvicorn
    installs its own after the application was imported.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self.application(scope, receive, send)
            return
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                _start()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await _finish()
                await send({"type": "lifespan.shutdown.complete"})
                return


def _start() -> None:
    from llm_admin.services import server

    for number in (signal.SIGTERM, signal.SIGINT):
        _chain(number, server.stop)
    server.start()
    server.tune_interpreter()


async def _finish() -> None:
    from llm_admin.services import server

    server.stop()
    await asyncio.to_thread(server.finish)


def _chain(number: int, first: Callable[[], None]) -> None:
    earlier = signal.getsignal(number)

    def handle(received: int, frame: Any) -> None:
        first()
        if callable(earlier):
            earlier(received, frame)
        elif earlier == signal.SIG_DFL:
            signal.signal(received, signal.SIG_DFL)
            signal.raise_signal(received)

    try:
        signal.signal(number, handle)
    except ValueError:  # not the main thread: a server inside a test; whoever runs it ends it
        return


application = Lifespan(django_application)
