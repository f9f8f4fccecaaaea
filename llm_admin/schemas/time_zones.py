"""The reader's time zone: the cookies that carry it, and the zones that there are."""

from __future__ import annotations

import zoneinfo
from functools import cache

BROWSER_ZONE, PICKED_ZONE = "llm_zone", "llm_zone_picked"  # of the browser's clock, and of the person's choice


@cache
def known_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
