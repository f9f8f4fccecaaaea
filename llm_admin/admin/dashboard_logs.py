"""The panel above the list of logs: it follows the list's filters as far as numbers can be filtered by them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from llm_admin.admin.base import actor_of
from llm_admin.admin.dashboard_query import FILTERS, LOGS, PERMISSION, fits
from llm_admin.selectors import periods

SHOWN_BY_DEFAULT = "30d"
WORDS = {
    "q": "the search",
    "status": "the outcome",
    "cost": "whether the cost is known",
    "cost_from": "the cost",
    "cost_to": "the cost",
    "latency_from": "the time it took",
    "latency_to": "the time it took",
    "tokens_from": "the tokens",
    "tokens_to": "the tokens",
    "label": "the label",
    "feedback": "the feedback",
    "run": "the run",
}


def above(request: HttpRequest) -> dict[str, Any]:
    """`url` of the panel, and the filters of the list that it cannot follow, in words."""
    actor = actor_of(request)
    given = {name: str(value) for name, value in request.GET.items() if value}
    follows = {
        name: value
        for name, value in given.items()
        if name in FILTERS and fits(name, value) and actor.may(PERMISSION.get(name, "view_interactionlog"))
    }
    if not actor.may("view_all_runs"):
        follows["user"] = str(request.user.pk)
    left = [name for name in given if name in WORDS and name not in follows]
    query = {"of": LOGS} | _range(given) | follows
    return {
        "url": f"{reverse('admin:llm_admin_numbers')}?{urlencode(query)}",
        "ignored": ", ".join(dict.fromkeys(WORDS[name] for name in left)),
    }


def _range(given: dict[str, str]) -> dict[str, str]:
    if "since" in given or "until" in given:
        since, until = _moment(given.get("since")), _moment(given.get("until"))
        until = until or timezone.now()
        since = since or until - periods.ROLLING[SHOWN_BY_DEFAULT].span
        return {"from": since.isoformat(), "to": until.isoformat()}
    when = given.get("when", SHOWN_BY_DEFAULT)
    if when == "1h":
        now = timezone.now()
        return {"from": (now - periods.HOUR).isoformat(), "to": now.isoformat()}
    return {"range": when if when in periods.ROLLING else SHOWN_BY_DEFAULT}


def _moment(text: str | None) -> Any:
    try:
        moment = parse_datetime(text or "")
    except ValueError:
        return None
    return timezone.make_aware(moment) if moment and timezone.is_naive(moment) else moment
