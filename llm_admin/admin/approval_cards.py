"""What a waiting run shows of the questions that it waits with, and how many wait for whoever looks."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from llm_admin.admin.base import actor_of
from llm_admin.exceptions import PermissionRefused
from llm_admin.models import Approval, Run
from llm_admin.selectors import approvals as selector
from llm_admin.services import approvals
from llm_admin.services.actors import Actor

MOST_COUNTED = 99


@dataclass(frozen=True)
class Card:
    row: Approval
    mine: bool
    who: str


def waiting(run: Run, actor: Actor) -> list[Card]:
    rows = list(selector.pending(run).prefetch_related("people")[: selector.MOST_CARDS])
    mine = set(approvals.waiting_for(actor=actor).filter(run=run).values_list("pk", flat=True))
    return [Card(row, row.pk in mine, selector.deciders(row)) for row in rows]


def count(run: Run) -> int:
    """As many as `waiting` shows."""
    return len(selector.pending(run).values_list("pk", flat=True)[: selector.MOST_CARDS])


def badge(request: HttpRequest) -> str:
    """For the sidebar of every page: one small query, none for those who decide nothing."""
    try:
        actor = actor_of(request)
    except PermissionRefused:
        return ""
    if not actor.may("decide_approval"):
        return ""
    found = approvals.waiting_for(actor=actor).order_by()[: MOST_COUNTED + 1].count()
    return "" if not found else f"{MOST_COUNTED}+" if found > MOST_COUNTED else str(found)
