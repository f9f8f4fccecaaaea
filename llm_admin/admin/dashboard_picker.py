"""The switch between ranges, the picked range with its ways out, and the filters that can be taken away again."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from llm_admin.admin.dashboard_query import CHOICES, LOGS, Link, View, names_of
from llm_admin.admin.dashboard_tables import GONE
from llm_admin.admin.dashboard_times import exact
from llm_admin.selectors import periods

WORDS = {
    "prompt": "Prompt",
    "version": "Version",
    "workflow": "Workflow",
    "model": "Model",
    "connection": "Connection",
    "deployment": "Runs at",
    "user": "Person",
    "source": "From",
    "error": "Error",
    "status": "Outcome",
    "cached": "Cache",
}


@dataclass(frozen=True)
class Choice:
    key: str
    label: str
    current: bool
    link: Link


@dataclass(frozen=True)
class Chip:
    name: str
    what: str
    value: str
    without: Link


def switch(view: View) -> list[Choice]:
    if view.subject == LOGS:
        return []
    named = [(key, kind.short) for key, kind in periods.ROLLING.items()]
    return [_choice(view, key, short) for key, short in named]


def picker(view: View) -> dict[str, Any]:
    """The menu of other ranges; `hidden` carries the filters through its form."""
    period = view.period
    wider, earlier, later = periods.wider(period), periods.moved(period, -1), periods.moved(period, 1)
    last = timezone.localtime(period.until - dt.timedelta(microseconds=1)).date()
    return {
        "named": [_choice(view, key, label) for key, label in periods.CALENDAR.items()],
        "first": (period.first or timezone.localtime(period.since).date()).isoformat(),
        "last": min(period.last or last, timezone.localdate()).isoformat(),
        "newest": timezone.localdate().isoformat(),
        "hidden": view.hidden(),
        "picked": period.key not in periods.ROLLING,
        "wider": wider and (f"Zoom out to {exact(wider)}", view.link(wider)),
        "earlier": earlier and (exact(earlier), view.link(earlier)),
        "later": later and (exact(later), view.link(later)),
    }


def _choice(view: View, key: str, label: str) -> Choice:
    return Choice(key, label, key == view.period.key, view.link(periods.chosen(key)))


def chips(view: View) -> list[Chip]:
    return [
        Chip(name, WORDS[name], _value(view, name, value), view.link(drop=name)) for name, value in view.chips.items()
    ]


def _value(view: View, name: str, value: str) -> str:
    if name in CHOICES:
        return CHOICES[name][value]
    names = names_of(name, [int(value)], with_prompt="prompt" not in view.given)
    return names.get(int(value)) or GONE.get(name, "Deleted")
