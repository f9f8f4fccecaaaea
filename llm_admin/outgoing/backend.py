"""Opens the TCP connections of an HTTP client: each name is resolved once, all its addresses are checked, and the
connection goes to one of those very addresses. So an answer of the DNS that changes in between changes nothing, and
redirects and later connections pass the same way. Host header and TLS keep the name: they belong to the request.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from ipaddress import ip_address
from typing import Any

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.outgoing.addresses import OutgoingRefused, check_address, literal

PATIENCE = 2.0  # seconds for each address but the last: a host may have one that nobody answers at


class GuardedBackend:
    """Around the network backend of httpcore (or httpcore2), whose interface it has."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        core: Any = sys.modules[type(inner).__module__.partition(".")[0]]
        self._unreachable = (core.ConnectError, core.ConnectTimeout)
        self._too_late = core.ConnectTimeout

    async def connect_tcp(self, host: str, port: int, timeout: float | None = None, **more: Any) -> Any:  # noqa: ASYNC109
        """Raises OutgoingRefused, CallFailed for a name that nobody knows, and what the library raises."""
        deadline = time.monotonic() + timeout if timeout is not None else None
        try:
            async with asyncio.timeout(timeout):
                addresses = await addresses_of(host, port)
        except TimeoutError:
            raise self._too_late(f"no address of {host} in time") from None
        for address in addresses[:-1]:
            left = _left(deadline)
            patience = PATIENCE if left is None else min(PATIENCE, left)
            try:
                return await self._inner.connect_tcp(address, port, timeout=patience, **more)
            except self._unreachable:
                continue
        return await self._inner.connect_tcp(addresses[-1], port, timeout=_left(deadline), **more)

    async def connect_unix_socket(self, path: str, timeout: float | None = None, **_: Any) -> Any:  # noqa: ASYNC109
        raise OutgoingRefused("requests go to web addresses only")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


async def addresses_of(host: str, port: int) -> list[str]:
    """As the system orders them; every one is allowed. One that is not refuses the host as a whole."""
    written = literal(host)
    found = [str(written)] if written is not None else await resolve(host, port)
    for address in found:
        check_address(host, port, ip_address(address))
    return found


async def resolve(host: str, port: int) -> list[str]:
    """At least one address."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        found = []
    if not found:
        raise CallFailed(ErrorKind.PROVIDER_DOWN, f"nobody knows the name “{host[:100]}”: is the base URL right?")
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def _left(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.001, deadline - time.monotonic())
