"""What belongs to one event loop: an HTTP connection cannot change loops."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")


class Pools(Generic[T]):
    """One client for each event loop and identity (address, key, times ...), made on first use."""

    def __init__(self, close: Callable[[T], Awaitable[None]]) -> None:
        self._close = close
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[Hashable, T]] = WeakKeyDictionary()

    def get(self, identity: Hashable, make: Callable[[], T]) -> T:
        """Needs a running loop."""
        clients = self._loops.setdefault(asyncio.get_running_loop(), {})
        if identity not in clients:
            clients[identity] = make()
        return clients[identity]

    async def aclose(self) -> None:
        for client in self._loops.pop(asyncio.get_running_loop(), {}).values():
            await self._close(client)
