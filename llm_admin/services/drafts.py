"""Unsaved work that survives a closed tab, and who else has the same prompt open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from llm_admin.models import Prompt, PromptDraft
from llm_admin.schemas.base import Spec
from llm_admin.services.actors import Actor
from llm_admin.services.secrets import refuse_secrets
from llm_admin.tenancy import workspace_scope

SEEN_SECONDS = 45  # a page reports every 15
KEEP = timedelta(days=30)
LARGEST = 3_000_000


@dataclass(frozen=True)
class Editor:
    """Somebody else who has the prompt open. `changed`: with changes that are not saved."""

    name: str
    changed: bool
    seen_at: datetime


class _Anything(Spec):
    content: Any


def keep(prompt: Prompt | None, *, actor: Actor, content: dict[str, Any] | None, based_on: int) -> None:
    """Stores what stands in the editor; None: nothing unsaved, the page is only open. Raises InvalidInput for keys."""
    actor.require("change_prompt" if prompt else "add_prompt")
    if content is not None:
        refuse_secrets(actor.workspace, _Anything(content=content))
    now = timezone.now()
    values = {
        "content": content,
        "based_on": based_on,
        "changed_at": now if content is not None else None,
        "seen_at": now,
    }
    with workspace_scope(actor.workspace):
        if _mine(actor, prompt).update(**values):
            return
        try:
            with transaction.atomic():
                PromptDraft.objects.create(workspace=actor.workspace, prompt=prompt, user=actor.user, **values)
        except IntegrityError:  # another tab of the same person was first
            _mine(actor, prompt).update(**values)


def seen(prompt: Prompt, *, actor: Actor) -> None:
    """The page is open; what is kept of it stays."""
    with workspace_scope(actor.workspace):
        if not _mine(actor, prompt).update(seen_at=timezone.now()):
            keep(prompt, actor=actor, content=None, based_on=prompt.last_number)


def mine(prompt: Prompt | None, *, actor: Actor) -> PromptDraft | None:
    """With content only, and not older than 30 days."""
    if actor.user is None:
        return None
    with workspace_scope(actor.workspace):
        recent = _mine(actor, prompt).filter(content__isnull=False, changed_at__gte=timezone.now() - KEEP)
        return recent.first()


def discard(prompt: Prompt | None, *, actor: Actor) -> None:
    with workspace_scope(actor.workspace):
        _mine(actor, prompt).update(content=None, changed_at=None)


def leave(prompt: Prompt, *, actor: Actor) -> None:
    """The page was closed: others need not see this person any more."""
    with workspace_scope(actor.workspace):
        _mine(actor, prompt).update(seen_at=timezone.now() - timedelta(seconds=SEEN_SECONDS))


def others(prompt: Prompt, *, actor: Actor) -> list[Editor]:
    with workspace_scope(actor.workspace):
        rows = PromptDraft.objects.filter(prompt=prompt, seen_at__gt=timezone.now() - timedelta(seconds=SEEN_SECONDS))
        rows = rows.exclude(user=actor.user).select_related("user").order_by("user__username")
        return [Editor(str(row.user), row.changed_at is not None, row.seen_at) for row in rows]


def _mine(actor: Actor, prompt: Prompt | None) -> Any:
    return PromptDraft.objects.filter(workspace=actor.workspace, prompt=prompt, user=actor.user)
