"""HTTP clients for OpenAI-compatible servers: one pool of connections per event loop, address and key."""

from __future__ import annotations

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

import openai

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed

WEB_PAGE = "answered with a web page instead of JSON: is the base URL right?"
CONNECT_TIMEOUT = 10.0
# Without any the library would take one from the environment, and send OpenAI's key to whatever server this is.
NO_KEY = "none"


class Clients:
    def __init__(self) -> None:
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Any, openai.AsyncOpenAI]] = WeakKeyDictionary()

    def get(self, url: str, key: str, headers: dict[str, str], timeout: float, wait: float) -> openai.AsyncOpenAI:
        """Needs a running loop: an HTTP connection cannot change loops. `wait`: for each next piece of an answer."""
        clients = self._loops.setdefault(asyncio.get_running_loop(), {})
        identity = (url, key, tuple(sorted(headers.items())), timeout, wait)
        if identity not in clients:
            limits = openai.Timeout(timeout, connect=min(CONNECT_TIMEOUT, wait), read=wait)
            clients[identity] = _client(url, key, headers, limits)
        return clients[identity]

    async def aclose(self) -> None:
        for client in self._loops.pop(asyncio.get_running_loop(), {}).values():
            await client.close()


def _client(url: str, key: str, headers: dict[str, str], timeout: openai.Timeout) -> openai.AsyncOpenAI:
    hooks: dict[str, Any] = {"response": [_refuse_web_page]}
    if not key:
        hooks["request"] = [_send_no_key]
    return openai.AsyncOpenAI(
        api_key=key or NO_KEY,
        base_url=url,
        timeout=timeout,
        max_retries=0,
        default_headers=headers,
        http_client=openai.DefaultAsyncHttpxClient(base_url=url, timeout=timeout, event_hooks=hooks),
    )


async def _send_no_key(request: Any) -> None:
    if request.headers.get("authorization") == f"Bearer {NO_KEY}":
        del request.headers["authorization"]


async def _refuse_web_page(response: Any) -> None:
    """In a stream the library would skip HTML line by line, and we would see an answer without words."""
    if response.is_success and "html" in response.headers.get("content-type", ""):
        raise CallFailed(ErrorKind.PROVIDER_DOWN, WEB_PAGE, status_code=response.status_code)
