"""HTTP clients for OpenAI-compatible servers: one pool of connections per event loop, address and key."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from weakref import WeakKeyDictionary

import openai

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers.base import Endpoint

WEB_PAGE = "answered with a web page instead of JSON: is the base URL right?"
CONNECT_TIMEOUT = 10.0


class Clients:
    def __init__(self) -> None:
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Any, openai.AsyncOpenAI]] = WeakKeyDictionary()

    def get(self, base_url: str, key: str, endpoint: Endpoint) -> openai.AsyncOpenAI:
        """Needs a running loop: an HTTP connection cannot change loops."""
        clients = self._loops.setdefault(asyncio.get_running_loop(), {})
        headers = endpoint.options.get("headers", {})
        identity = (base_url, key, endpoint.timeout, endpoint.first_token_timeout, json.dumps(headers, sort_keys=True))
        if identity not in clients:
            clients[identity] = _client(base_url, key, endpoint, headers)
        return clients[identity]

    async def aclose(self) -> None:
        for client in self._loops.pop(asyncio.get_running_loop(), {}).values():
            await client.close()


def _client(base_url: str, key: str, endpoint: Endpoint, headers: dict[str, str]) -> openai.AsyncOpenAI:
    wait = endpoint.first_token_timeout
    timeout = openai.Timeout(endpoint.timeout, connect=min(CONNECT_TIMEOUT, wait), read=wait)
    # An empty key would make the library look into the environment, and send OpenAI's key to whatever server this is.
    authorization: dict[str, Any] = {} if key else {"Authorization": openai.Omit()}
    return openai.AsyncOpenAI(
        api_key=key or "none",
        base_url=base_url,
        timeout=timeout,
        max_retries=0,
        default_headers={**authorization, **headers},
        http_client=openai.DefaultAsyncHttpxClient(
            base_url=base_url, timeout=timeout, event_hooks={"response": [_refuse_web_page]}
        ),
    )


async def _refuse_web_page(response: Any) -> None:
    """In a stream the library would skip HTML line by line, and we would see an answer without words."""
    if response.is_success and "html" in response.headers.get("content-type", ""):
        raise CallFailed(ErrorKind.PROVIDER_DOWN, WEB_PAGE, status_code=response.status_code)
