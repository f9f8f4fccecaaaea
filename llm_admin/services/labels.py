"""Labels: names that point at versions. Every move is an event; a move can be undone."""

from __future__ import annotations

import re
from typing import Any

from django.db import transaction

from llm_admin.exceptions import Conflict, InvalidInput, NotFound, Problem
from llm_admin.models import LIVE, label_title
from llm_admin.services import documents, label_moves, search_texts
from llm_admin.services.actors import Actor
from llm_admin.services.families import family_of
from llm_admin.tenancy import workspace_scope

NAME = re.compile(r"^[a-z0-9][a-z0-9_.-]{0,35}$")


def clean_name(name: str) -> str:
    """Raises InvalidInput at ("label",)."""
    found = name.strip().lower()
    if found == "live":
        return LIVE
    if not NAME.match(found):
        raise InvalidInput(
            [Problem(("label",), "A label has up to 36 small letters, digits, dots, hyphens and underscores.")]
        )
    return found


def move(document: Any, *, actor: Actor, label: str, number: int, reason: str = "") -> Any:
    """The event; None when the label is there already. Raises NotFound, PermissionRefused."""
    return documents.move_label(document, actor=actor, label=clean_name(label), number=number, reason=reason)


def remove(document: Any, *, actor: Actor, label: str, reason: str = "") -> Any:
    """The event. Raises NotFound when the document has no such label."""
    label = clean_name(label)
    with transaction.atomic(), workspace_scope(actor.workspace):
        return _take_off(document, actor, label, reason)


def _take_off(document: Any, actor: Actor, label: str, reason: str) -> Any:
    event = label_moves.take_off(document, actor=actor, label=label, reason=reason)
    search_texts.refresh(document)
    return event


def undo(document: Any, *, actor: Actor, event_id: int) -> Any:
    """Moves the label back to where it was before that move; only as long as nobody has moved it since."""
    family = family_of(document)
    with transaction.atomic(), workspace_scope(actor.workspace):
        label_moves.lock(document)
        event = family.event.objects.filter(**{family.noun: document}, pk=event_id).first()
        if event is None:
            raise NotFound("There is no such move of a label here.")
        newest = family.event.objects.filter(**{family.noun: document}, name=event.name).first()
        if newest.pk != event.pk:
            raise Conflict(f"“{label_title(event.name)}” was moved again since; undo the newest move first.")
        reason = f"Undone: {event}"
        if event.from_number is None:
            return _take_off(document, actor, event.name, reason)
        return documents.move_label(document, actor=actor, label=event.name, number=event.from_number, reason=reason)


def protect_names(text: str) -> frozenset[str]:
    """What stands in the workspace's setting, as stored names. Raises InvalidInput."""
    return frozenset(clean_name(name) for name in text.split(",") if name.strip())
