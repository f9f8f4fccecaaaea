"""How monitors stand, in words: in the list, on the page of one, on the home page and in the menu."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from llm_admin.admin.base import actor_of
from llm_admin.choices import MonitorState
from llm_admin.exceptions import PermissionRefused
from llm_admin.models import Monitor, Workspace
from llm_admin.selectors import monitors as selector
from llm_admin.services import monitor_words as words
from llm_admin.services import monitors
from llm_admin.services.actors import Actor
from llm_admin.templatetags.llm_format import exactly

MOST = 6
RANK = {MonitorState.ALARM: 0, MonitorState.NO_DATA: 1, MonitorState.WARN: 2}
LOOKS = {"ok": "succeeded", "warn": "waiting", "alarm": "failed", "no_data": "failed"}


@dataclass(frozen=True)
class MonitorCard:
    """`look` names the dot's colours; `quiet` says that it is off or muted, "" otherwise."""

    name: str
    look: str
    state: str
    sentence: str
    value: str
    since: dt.datetime | None
    quiet: str
    url: str


def card(monitor: Monitor, workspace: Workspace) -> MonitorCard:
    off = not monitor.enabled
    return MonitorCard(
        name=monitor.name,
        look="off" if off else LOOKS.get(monitor.state, "off"),
        state="Off" if off else str(MonitorState(monitor.state).label),
        sentence=words.sentence(monitor, workspace),
        value=value(monitor, workspace),
        since=monitor.since,
        quiet=quiet(monitor),
        url=reverse("admin:llm_admin_monitor_change", args=[monitor.pk]),
    )


def value(monitor: Monitor, workspace: Workspace) -> str:
    """What was measured last; "" before the first look."""
    return "" if monitor.counted is None else words.measured(monitor, monitor.value, monitor.counted, workspace)


def quiet(monitor: Monitor) -> str:
    if not monitor.is_muted(timezone.now()):
        return ""
    return f"Muted until {exactly(monitor.muted_until)}" if monitor.muted_until else "Muted"


@dataclass(frozen=True)
class Home:
    """`title`: "2 alarms, 1 warning"."""

    title: str
    cards: list[MonitorCard]
    more: int
    url: str


def home(actor: Actor) -> Home | None:
    """None while everything is fine, and for those who may not look at monitors."""
    if not actor.may("view_monitor"):
        return None
    found = list(selector.firing(monitors.visible(actor=actor)).select_related(*selector.RELATED))
    if not found:
        return None
    found.sort(key=lambda one: (RANK[MonitorState(one.state)], one.name))
    alarms = sum(one.state != MonitorState.WARN for one in found)
    parts = [_many(alarms, "alarm"), _many(len(found) - alarms, "warning")]
    return Home(
        title=", ".join(filter(None, parts)),
        cards=[card(one, actor.workspace) for one in found[:MOST]],
        more=len(found) - len(found[:MOST]),
        url=reverse("admin:llm_admin_monitor_changelist"),
    )


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}" if number else ""


def badge(request: HttpRequest) -> str:
    """For the sidebar of every page: one small query."""
    try:
        actor = actor_of(request)
    except PermissionRefused:
        return ""
    if not actor.may("view_monitor"):
        return ""
    found = selector.firing(monitors.visible(actor=actor)).order_by().count()
    return str(found) if found else ""
