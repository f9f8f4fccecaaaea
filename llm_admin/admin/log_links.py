"""Addresses of the log list that show exactly the calls which a number counts."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import reverse

from llm_admin.selectors.usage import UsageFilter

# Positions of columns in the list, from 0: the slowest and the dearest first.
BY_LATENCY = {"o": "-4"}
BY_COST = {"o": "-7"}


def logs_url(usage_filter: UsageFilter, **more: str | int) -> str:
    span = {"since": usage_filter.since.isoformat(), "until": usage_filter.until.isoformat()}
    given: dict[str, object] = {**usage_filter.given()}
    if "cached" in given:
        given["cached"] = "yes" if given["cached"] else "no"
    return reverse("admin:llm_admin_interactionlog_changelist") + "?" + urlencode({**span, **given, **more})
