"""How many calls a person makes in a minute, counted in Django's cache: shared by all processes that share the cache.

A cache in this process's memory counts this process's calls only; one that cannot be reached counts none, and nobody
is refused meanwhile. The minute slides in steps of five seconds.
"""

from __future__ import annotations

import time

from django.core.cache import cache

from llm_admin.jobs.caches import reached

MINUTE = 60
STEP = 5
STEPS = MINUTE // STEP


def take(workspace_id: int, user_id: int, limit: int, *, now: float | None = None) -> float | None:
    """None: the call may be made, and is counted. Else the seconds until the next one may."""
    now = time.time() if now is None else now
    return reached(lambda: _take(f"llm_admin:calls:{workspace_id}:{user_id}", limit, now), None)


def _take(name: str, limit: int, now: float) -> float | None:
    step = int(now // STEP)
    keys = {one: f"{name}:{one}" for one in range(step - STEPS, step + 1)}
    found = cache.get_many([keys[one] for one in keys if one != step])
    before = {one: found.get(key, 0) for one, key in keys.items() if one != step}
    mine = _count(keys[step])
    if sum(before.values()) + mine <= limit:
        return None
    _count(keys[step], -1)
    return _until_room(before | {step: mine - 1}, limit, now)


def _count(key: str, by: int = 1) -> int:
    """`incr` is one indivisible step, so each of two processes gets a number of its own."""
    cache.add(key, 0, MINUTE + 2 * STEP)
    try:
        return cache.incr(key, by)
    except ValueError:  # the cache forgot it in this very moment, or keeps nothing
        return max(by, 0)


def _until_room(counts: dict[int, int], limit: int, now: float) -> float:
    """When so many of the oldest calls have left the window that another one fits."""
    left = sum(counts.values())
    for step in sorted(counts):
        left -= counts[step]
        if left < limit:
            return max(1.0, (step + STEPS + 1) * STEP - now)
    return float(MINUTE)
