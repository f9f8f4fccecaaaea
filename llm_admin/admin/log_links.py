"""Addresses of the log list that show exactly the calls which a number counts."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from llm_admin.selectors.usage import UsageFilter

# The slowest, and the dearest, first: whatever columns somebody chose.
BY_LATENCY = {"sort": "latency"}
BY_COST = {"sort": "cost"}


def logs_url(usage_filter: UsageFilter, **more: str | int) -> str:
    span = {"since": usage_filter.since.isoformat(), "until": usage_filter.until.isoformat()}
    given: dict[str, object] = {**usage_filter.given()}
    if isinstance(places := given.get("deployment"), tuple):
        given["deployment"] = ",".join(map(str, places))
    if "cached" in given:
        given["cached"] = "yes" if given["cached"] else "no"
    return reverse("admin:llm_admin_interactionlog_changelist") + "?" + urlencode({**span, **given, **more})
