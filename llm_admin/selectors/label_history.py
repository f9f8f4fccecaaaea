"""Where labels were: the moves of a document's labels, and what one said at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max

from llm_admin.models import LIVE, Prompt, Workflow


def events_of(document: Prompt | Workflow) -> Any:
    """Newest first."""
    return document.label_events.select_related("actor").order_by("-id")


def undoable(document: Prompt | Workflow) -> set[int]:
    """The newest event of each label."""
    rows = document.label_events.order_by().values("name").annotate(newest=Max("id"))
    return set(rows.values_list("newest", flat=True))


def newest_event(document: Prompt | Workflow, label: str) -> Any | None:
    return events_of(document).filter(name=label).first()


@dataclass(frozen=True)
class Held:
    """What a label said at a moment. `since` and `until`: the events around it; None: ever since, until now."""

    version: Any | None
    since: Any | None
    until: Any | None


def held_at(document: Prompt | Workflow, moment: datetime, label: str = LIVE) -> Held:
    events = events_of(document).filter(name=label)
    since = events.filter(at__lte=moment).first()
    until = events.filter(at__gt=moment).last()
    version = None
    if since is not None and since.to_number is not None:
        version = document.versions.filter(number=since.to_number).select_related("created_by").first()
    return Held(version, since, until)
