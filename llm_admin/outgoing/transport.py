"""HTTP clients whose every connection passes the guard, with the pooling and the options of the library they are of.

    guarded_async_client(httpx, timeout=10)                                # a client of one's own
    SDK(http_client=ClientOfSDK(transport=guarded_transport(ClientOfSDK)))  # for a library that takes one

One client is one pool: keep it per event loop, address and key, and close it at the end.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from functools import cache
from types import ModuleType
from typing import Any

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.outgoing.addresses import OutgoingRefused, check_url
from llm_admin.outgoing.backend import GuardedBackend

MOST_BYTES = 200_000_000  # of one answer: a thousand embeddings are 60 million
TOO_MUCH = f"the answer is longer than {MOST_BYTES // 1_000_000} million bytes"
REDIRECTS = (301, 302, 303, 307, 308)
ELSEWHERE = "the server sends requests on to {place}: if that is right, enter it as the base URL"


def guarded_transport(of: ModuleType | type, *, anywhere: bool = False, **options: Any) -> Any:
    """A transport for AsyncClients of httpx or httpx2; `of` is the module, or a class of clients made of it.

    Redirects stay on the server that was asked, because headers with keys would travel along; `anywhere` is for
    requests without secrets. Proxies of the environment are not used: they look names up where we cannot check them.
    """
    if refused := {"proxy", "uds"} & set(options):
        raise TypeError(f"{', '.join(refused)}: nothing of what goes through it could be checked")
    transport = _class(_library(of))(**options)
    transport.anywhere = anywhere
    pool = transport._pool
    pool._network_backend = GuardedBackend(pool._network_backend)  # AttributeError rather than no guard
    return transport


def guarded_async_client(of: ModuleType, *, anywhere: bool = False, **options: Any) -> Any:
    """An AsyncClient: `limits`, `verify`, `http2` are its transport's, all other options its own."""
    own = {name: options.pop(name) for name in ("limits", "verify", "http2") if name in options}
    settings = {"follow_redirects": True, "trust_env": False, **options}
    return of.AsyncClient(transport=guarded_transport(of, anywhere=anywhere, **own), **settings)


class _Guarded:
    anywhere = False

    async def handle_async_request(self, request: Any) -> Any:
        url = request.url
        check_url(url.scheme, url.host, url.userinfo)
        response = await super().handle_async_request(request)  # type: ignore[misc]
        target = response.headers.get("location")
        if response.status_code in REDIRECTS and target and not self.anywhere and _leaves(url, url.join(target)):
            await response.aclose()
            place = url.join(target).copy_with(query=None, fragment=None, userinfo=b"")
            raise OutgoingRefused(ELSEWHERE.format(place=str(place)[:200]))
        response.stream = self.limited(response.stream)  # type: ignore[attr-defined]
        return response


class _Limited:
    """What arrives of one answer, up to a limit: libraries keep a line until it ends, however long it is."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MOST_BYTES
        async for some in self._stream:
            left -= len(some)
            if left < 0:
                raise CallFailed(ErrorKind.PROVIDER_DOWN, TOO_MUCH)
            yield some

    async def aclose(self) -> None:
        await self._stream.aclose()


def _leaves(url: Any, target: Any) -> bool:
    """From http to https of one host is allowed, at the usual ports."""
    if target.host != url.host:
        return True
    upgrade = (url.scheme, url.port, target.scheme, target.port) == ("http", None, "https", None)
    return not upgrade and (target.scheme, target.port) != (url.scheme, url.port)


@cache
def _class(library: Any) -> Any:
    limited = type("LimitedStream", (_Limited, library.AsyncByteStream), {})
    return type("GuardedTransport", (_Guarded, library.AsyncHTTPTransport), {"limited": limited})


def _library(of: ModuleType | type) -> Any:
    if isinstance(of, ModuleType):
        return of
    client = next(one for one in of.__mro__ if one.__name__ == "AsyncClient")
    return sys.modules[client.__module__.partition(".")[0]]
