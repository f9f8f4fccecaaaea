"""The moves of labels, inside somebody's transaction. Rights are checked here; what to move, by the callers."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from llm_admin import signals
from llm_admin.exceptions import NotFound
from llm_admin.models import label_title
from llm_admin.services.actors import Actor
from llm_admin.services.families import family_of
from llm_admin.services.validation import refuse_unstorable


def may_move(actor: Actor, noun: str, label: str) -> bool:
    protected = label in actor.workspace.protected
    return actor.may(f"publish_{noun}") and (not protected or actor.may("move_protected_label"))


def lock(document: Any) -> None:
    """Takes the document's row, so that simultaneous changes follow one another."""
    family_of(document).document.objects.filter(pk=document.pk).update(updated_at=timezone.now())


def put(document: Any, *, actor: Actor, label: str, version: Any, reason: str) -> Any:
    """The event; None when the label is there already."""
    family = family_of(document)
    _require(actor, family.noun, label)
    refuse_unstorable(reason=reason)
    lock(document)
    row = family.label.objects.filter(**{family.noun: document}, name=label).select_related("version").first()
    before = row.version.number if row else None
    if before == version.number:
        return None
    if row:
        row.version = version
        row.save(update_fields=["version", "moved_at"])
    else:
        family.label.objects.create(**{family.noun: document}, name=label, version=version)
    return _record(document, actor, label, before, version.number, reason)


def take_off(document: Any, *, actor: Actor, label: str, reason: str) -> Any:
    """The event. Raises NotFound when no version has it."""
    family = family_of(document)
    _require(actor, family.noun, label)
    refuse_unstorable(reason=reason)
    lock(document)
    row = family.label.objects.filter(**{family.noun: document}, name=label).select_related("version").first()
    if row is None:
        raise NotFound(f"“{document}” has no label “{label_title(label)}”.")
    before = row.version.number
    row.delete()
    return _record(document, actor, label, before, None, reason)


def _require(actor: Actor, noun: str, label: str) -> None:
    actor.require(f"publish_{noun}")
    if label in actor.workspace.protected:
        actor.require("move_protected_label")


def _record(document: Any, actor: Actor, label: str, before: int | None, after: int | None, reason: str) -> Any:
    family = family_of(document)
    event = family.event.objects.create(
        **{family.noun: document},
        name=label,
        from_number=before,
        to_number=after,
        actor=actor.user,
        reason=reason[:500],
    )
    transaction.on_commit(lambda: signals.label_moved.send(family.document, document=document, event=event))
    return event
