"""What is known of deployments, in Django's cache: with a shared one, all processes know it.

Failures and rests, calls and tokens of this minute and the last, and who is in flight. Nothing of it is needed after
a restart.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import randrange
from typing import TypeVar

from django.core.cache import cache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache

from llm_admin.jobs.caches import reached

T = TypeVar("T")
KEPT = 3600  # seconds
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Rest:
    """`failures` in a row; `until`: seconds since the epoch, 0 when it does not rest; `rests` in a row."""

    failures: int = 0
    until: float = 0
    rests: int = 0


WELL = Rest()


async def ask(work: Callable[[], T], otherwise: T) -> T:
    """A cache in this process is asked at once; one beyond it in a thread, so that the event loop goes on.

    `otherwise`: what holds while it cannot be reached. No call fails because nobody knows how the others went.
    """
    if isinstance(_backend(), LocMemCache | DummyCache):
        return reached(work, otherwise)
    return await asyncio.to_thread(reached, work, otherwise)


def _backend() -> object:
    return cache._connections[cache._alias]  # type: ignore[attr-defined]


def rest_of(deployment: int) -> Rest:
    found = cache.get(_key(deployment, "rest"))
    return found if isinstance(found, Rest) else WELL


def resting(deployments: Iterable[int]) -> dict[int, Rest]:
    """Those of them that rest now."""
    keys = {_key(one, "rest"): one for one in deployments}
    found: dict[str, object] = reached(lambda: cache.get_many(list(keys)), {})
    now = time.time()
    return {keys[key]: rest for key, rest in found.items() if isinstance(rest, Rest) and rest.until > now}


def set_rest(deployment: int, rest: Rest) -> None:
    if rest == WELL:
        cache.delete_many([_key(deployment, "rest"), _key(deployment, "probe")])
    else:
        cache.set(_key(deployment, "rest"), rest, KEPT)
        leave_probe(deployment)


def wake(deployments: Iterable[int]) -> None:
    """What made them fail was changed, or is over: they are asked again as if nothing had been."""
    keys = [_key(one, what) for one in deployments for what in ("rest", "probe")]
    reached(lambda: cache.delete_many(keys), None)


def take_probe(deployment: int, seconds: float) -> bool:
    """One caller at a time finds out whether a deployment that rested is well again."""
    return bool(cache.add(_key(deployment, "probe"), 1, seconds))


def leave_probe(deployment: int) -> None:
    cache.delete(_key(deployment, "probe"))


def take_slot(deployment: int, slots: int, seconds: float) -> str | None:
    """One of so many places in flight; given back by `leave_slot`, or by itself when its process died."""
    first = randrange(slots)  # noqa: S311 - not a secret
    for step in range(slots):
        key = _key(deployment, f"slot:{(first + step) % slots}")
        if cache.add(key, 1, seconds):
            return key
    return None


def leave_slot(key: str) -> None:
    cache.delete(key)


def count(deployment: int, what: str, amount: int) -> None:
    key = _key(deployment, f"{what}:{_minute()}")
    cache.add(key, 0, 3 * MINUTE)
    try:
        cache.incr(key, amount)
    except ValueError:  # it was forgotten in between
        cache.set(key, amount, 3 * MINUTE)


def take_share(deployment: int, what: str, amount: int, limit: int) -> float | None:
    """Counts `amount` and answers None if the last sixty seconds have room for it; else the seconds until they do.

    The minute before counts by the part of it that still lies within the sixty seconds."""
    now = time.time()
    this, before = (cache.get(_key(deployment, f"{what}:{_minute(now) - back}"), 0) for back in (0, 1))
    left = 1 - (now % MINUTE) / MINUTE
    if this + before * left + amount > limit and this + before:
        return (
            left * MINUTE if this + amount > limit else left * MINUTE * (1 - (limit - this - amount) / max(before, 1))
        )
    count(deployment, what, amount)
    return None


def _minute(now: float | None = None) -> int:
    return int((time.time() if now is None else now) // MINUTE)


def _key(deployment: int, what: str) -> str:
    return f"llm_admin:route:{deployment}:{what}"
