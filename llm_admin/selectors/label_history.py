"""Where labels were: the moves of a document's labels, and what one said at a moment."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from llm_admin.models import LIVE, Prompt, Workflow


def events_of(document: Prompt | Workflow) -> Any:
    """Newest first."""
    return document.label_events.select_related("actor").order_by("-id")


def version_at(document: Prompt | Workflow, moment: datetime, label: str = LIVE) -> Any | None:
    """The version that held the label then; None when it was nowhere."""
    event = document.label_events.filter(name=label, at__lte=moment).order_by("-id").first()
    if event is None or event.to_number is None:
        return None
    return document.versions.filter(number=event.to_number).select_related("created_by").first()
