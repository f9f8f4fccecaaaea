"""Unsaved work that survives a closed tab, and who else has the same prompt open."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from llm_admin.exceptions import Conflict, InvalidInput, Problem
from llm_admin.models import Prompt, PromptDraft
from llm_admin.schemas.base import Spec
from llm_admin.schemas.storable import texts_in, unfit, why_not
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


def keep(
    prompt: Prompt | None,
    *,
    actor: Actor,
    content: dict[str, Any],
    based_on: int,
    tab: str = "",
    over: bool = False,
) -> datetime:
    """Stores what stands in the editor, and says when.

    `tab` names the page that keeps it. Raises Conflict when another tab of the same person has unsaved work (`over`
    replaces it), InvalidInput for keys, and for what is too large or too deep to be stored.
    """
    _require(actor, prompt)
    _check(actor, content)
    now = timezone.now()
    values = {"content": content | {"tab": tab}, "based_on": based_on, "changed_at": now, "seen_at": now}
    with workspace_scope(actor.workspace):
        rows = _mine(actor, prompt) if over else _free(actor, prompt, tab)
        if not rows.update(**values):
            _create(actor, prompt, rows, values)
    return now


def _create(actor: Actor, prompt: Prompt | None, rows: Any, values: dict[str, Any]) -> None:
    try:
        with transaction.atomic():
            PromptDraft.objects.create(workspace=actor.workspace, prompt=prompt, user=actor.user, **values)
    except IntegrityError:  # another tab of the same person was first
        if not rows.update(**values):
            raise Conflict("Another tab of yours has unsaved changes to this prompt.") from None


def _check(actor: Actor, content: dict[str, Any]) -> None:
    if reason := unfit(content):
        raise InvalidInput(f"It {reason}.")
    if len(json.dumps(content)) > LARGEST:
        raise InvalidInput(f"It is longer than {LARGEST:,} characters.")
    if bad := [Problem(place, f"This {reason}.") for place, text in texts_in(content) if (reason := why_not(text))]:
        raise InvalidInput(bad)
    try:
        refuse_secrets(actor.workspace, _Anything(content=content))
    except InvalidInput as error:
        raise InvalidInput([Problem(p.location[1:], p.message) for p in error.problems]) from None


def seen(prompt: Prompt, *, actor: Actor) -> None:
    """The page is open; what is kept of it stays."""
    _require(actor, prompt)
    with workspace_scope(actor.workspace):
        rows, now = _mine(actor, prompt), timezone.now()
        if not rows.update(seen_at=now):
            with suppress(IntegrityError), transaction.atomic():  # another tab of the same person was first
                PromptDraft.objects.create(workspace=actor.workspace, prompt=prompt, user=actor.user, seen_at=now)


def mine(prompt: Prompt | None, *, actor: Actor) -> PromptDraft | None:
    """With content only, and not older than 30 days."""
    if actor.user is None:
        return None
    with workspace_scope(actor.workspace):
        recent = _mine(actor, prompt).filter(content__isnull=False, changed_at__gte=timezone.now() - KEEP)
        return recent.first()


def discard(prompt: Prompt | None, *, actor: Actor, tab: str | None = None) -> None:
    """`tab` given: only what that tab keeps. Nothing but one's own, so that no role is asked for."""
    with workspace_scope(actor.workspace):
        rows = _mine(actor, prompt)
        rows = rows if tab is None else rows.filter(content__tab=tab)
        rows.update(content=None, changed_at=None)


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


def _free(actor: Actor, prompt: Prompt | None, tab: str) -> Any:
    """The row, unless another tab keeps something in it."""
    return _mine(actor, prompt).filter(
        Q(content__isnull=True) | Q(content__tab=tab) | Q(changed_at__lt=timezone.now() - KEEP)
    )


def _require(actor: Actor, prompt: Prompt | None) -> None:
    actor.require("change_prompt" if prompt else "add_prompt")


def forget_old() -> None:
    """What nobody has come back to for so long is not kept for ever. Called by the ticker."""
    PromptDraft._base_manager.filter(seen_at__lt=timezone.now() - KEEP).delete()
