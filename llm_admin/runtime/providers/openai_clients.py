"""HTTP clients for OpenAI-compatible servers: one pool of connections per event loop, address and key."""

from __future__ import annotations

from typing import Any

import openai

from llm_admin.outgoing import guarded_transport
from llm_admin.runtime.providers import no_stream
from llm_admin.runtime.providers.addresses import NO_KEY
from llm_admin.runtime.providers.pools import Pools

CONNECT_TIMEOUT = 10.0


class Clients:
    def __init__(self) -> None:
        self._pools: Pools[openai.AsyncOpenAI] = Pools(lambda client: client.close())

    def get(self, url: str, key: str, headers: dict[str, str], timeout: float, wait: float) -> openai.AsyncOpenAI:
        """Needs a running loop. `wait`: for each next piece of an answer."""
        identity = (url, key, tuple(sorted(headers.items())), timeout, wait)
        limits = openai.Timeout(timeout, connect=min(CONNECT_TIMEOUT, wait), read=wait)
        return self._pools.get(identity, lambda: _client(url, key, headers, limits))

    async def aclose(self) -> None:
        await self._pools.aclose()


def _client(url: str, key: str, headers: dict[str, str], timeout: openai.Timeout) -> openai.AsyncOpenAI:
    hooks: dict[str, Any] = {"response": [no_stream.refuse]}
    if not key:
        hooks["request"] = [_send_no_key]
    return openai.AsyncOpenAI(
        api_key=key or NO_KEY,
        base_url=url,
        timeout=timeout,
        max_retries=0,
        default_headers=headers,
        http_client=openai.DefaultAsyncHttpxClient(
            base_url=url,
            timeout=timeout,
            event_hooks=hooks,
            transport=guarded_transport(openai.DefaultAsyncHttpxClient, limits=openai.DEFAULT_CONNECTION_LIMITS),
        ),
    )


async def _send_no_key(request: Any) -> None:
    if request.headers.get("authorization") == f"Bearer {NO_KEY}":
        del request.headers["authorization"]
