"""Monitors: made, changed, muted, deleted. The address and the secret of a webhook go in here, and only the secret
comes out, once, when it is made anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from llm_admin.choices import MonitorEventKind, MonitorState
from llm_admin.exceptions import Conflict, InvalidInput, NotFound, Problem
from llm_admin.models import Monitor, MonitorEvent
from llm_admin.services.actors import Actor
from llm_admin.services.monitor_checks import check
from llm_admin.services.monitor_webhook import new_secret
from llm_admin.services.monitor_words import sentence
from llm_admin.services.validation import clean
from llm_admin.tenancy import across_workspaces, workspace_scope

STANDING = ("turn", "state", "since", "pending", "told", "told_at", "value", "counted", "evaluated_at")
NOT_SETTINGS = {"id", "workspace", "created_at", "muted_at", "muted_until", *STANDING}
MEASURED = ("measure", "prompt_id", "version_id", "workflow_id", "model_id", "deployment_id", "user_id", "source")
LONGEST_MUTE = 24 * 365  # hours
OFF: dict[str, Any] = {"state": MonitorState.UNKNOWN, "since": None, "told": "", "told_at": None}


def visible(*, actor: Actor) -> QuerySet[Monitor]:
    """What one person uses is for those who may see everyone's calls, and for that person. Open the scope around it."""
    rows: QuerySet[Monitor] = Monitor.objects.all()
    if actor.may("view_all_runs"):
        return rows
    return rows.filter(Q(user=None) | Q(user=actor.user))


def save(
    monitor: Monitor,
    *,
    actor: Actor,
    people: Sequence[Any] = (),
    webhook: str = "",
    remove_webhook: bool = False,
) -> Monitor:
    """Stores the (unsaved) object's fields. An empty `webhook` keeps the stored address. Raises InvalidInput."""
    actor.require("change_monitor" if monitor.pk else "add_monitor")
    if not monitor.pk:
        monitor.workspace = actor.workspace
    _require_here(monitor, actor)
    with workspace_scope(actor.workspace), transaction.atomic():
        before = Monitor.objects.filter(pk=monitor.pk).first() if monitor.pk else None
        _take_webhook(monitor, before, webhook.strip(), remove=remove_webhook)
        if problems := check(monitor, people=people, webhook=webhook.strip()):
            raise InvalidInput(problems)
        clean(monitor, exclude={"webhook_url", "webhook_secret", *STANDING})
        monitor.addresses = list(dict.fromkeys(monitor.addresses))
        _store(monitor, before)
        monitor.people.set(people)
        _note(monitor, actor, f"{'Changed' if before else 'Made'}: {sentence(monitor, actor.workspace)}")
    monitor.refresh_from_db()
    return monitor


def _require_here(monitor: Monitor, actor: Actor) -> None:
    if monitor.workspace_id != actor.workspace.pk:
        raise NotFound("There is no such monitor in this workspace.")


def _take_webhook(monitor: Monitor, before: Monitor | None, webhook: str, *, remove: bool) -> None:
    if webhook and remove:
        raise InvalidInput([Problem(("webhook",), "Give an address or “Remove the stored address”, not both.")])
    kept = before.webhook_url if before and not remove else None
    monitor.webhook_url = webhook or kept or None
    monitor.webhook_secret = before.webhook_secret if before else None
    if monitor.webhook_url and not monitor.webhook_secret:
        monitor.webhook_secret = new_secret()


def _store(monitor: Monitor, before: Monitor | None) -> None:
    """How it stands is left to whoever looks at it; a look that is under way does not count any more."""
    if before is None:
        monitor.save()
        return
    monitor.save(update_fields=[one.name for one in Monitor._meta.concrete_fields if one.name not in NOT_SETTINGS])
    values: dict[str, Any] = {"turn": F("turn") + 1, "evaluated_at": None, "pending": 0}
    if any(getattr(before, name) != getattr(monitor, name) for name in MEASURED):
        values |= {"value": None, "counted": None}
    if not monitor.enabled or not before.enabled:
        values |= OFF
    Monitor.objects.filter(pk=monitor.pk).update(**values)


def _note(monitor: Monitor, actor: Actor, words: str, kind: str = MonitorEventKind.EDITED) -> None:
    MonitorEvent.objects.create(
        monitor=monitor, at=timezone.now(), kind=kind, state=monitor.state, words=words[:400], by=actor.user
    )


def mute(monitor: Monitor, *, actor: Actor, hours: int | None) -> None:
    """None: until somebody unmutes it. It is looked at all the same."""
    actor.require("change_monitor")
    _require_here(monitor, actor)
    if hours is not None and not 1 <= hours <= LONGEST_MUTE:
        raise InvalidInput([Problem(("hours",), f"From 1 to {LONGEST_MUTE:,} hours.")])
    now = timezone.now()
    until = None if hours is None else now + dt.timedelta(hours=hours)
    words = "Until somebody unmutes it" if hours is None else f"For {hours} hour{'' if hours == 1 else 's'}"
    _change_mute(monitor, actor, MonitorEventKind.MUTED, words, muted_at=now, muted_until=until)


def unmute(monitor: Monitor, *, actor: Actor) -> None:
    """What still lasts is told at the next look."""
    actor.require("change_monitor")
    _require_here(monitor, actor)
    _change_mute(monitor, actor, MonitorEventKind.UNMUTED, "", muted_at=None, muted_until=None)


def _change_mute(monitor: Monitor, actor: Actor, kind: str, words: str, **values: Any) -> None:
    with workspace_scope(actor.workspace), transaction.atomic():
        Monitor.objects.filter(pk=monitor.pk).update(turn=F("turn") + 1, **values)
        monitor.refresh_from_db()
        _note(monitor, actor, words, kind)


def replace_secret(monitor: Monitor, *, actor: Actor) -> str:
    """The new one, which nobody sees again; messages are signed with it from now on."""
    actor.require("change_monitor")
    _require_here(monitor, actor)
    if not monitor.webhook_url:
        raise Conflict(f"“{monitor}” has no webhook. Enter its address first.")
    secret = new_secret()
    with workspace_scope(actor.workspace), transaction.atomic():
        Monitor.objects.filter(pk=monitor.pk).update(webhook_secret=secret)
        _note(monitor, actor, "A new secret signs what is posted")
    return secret


def delete(monitor: Monitor, *, actor: Actor) -> None:
    actor.require("delete_monitor")
    _require_here(monitor, actor)
    with workspace_scope(actor.workspace):
        monitor.delete()


def reencrypt() -> tuple[int, list[str]]:
    """Addresses and secrets of webhooks, with the keys that are configured now; how many, and whose are unreadable."""
    done, unreadable = 0, []
    with across_workspaces(), transaction.atomic():
        rows = Monitor.objects.filter(webhook_secret__isnull=False).select_related("workspace")
        for monitor in rows.select_for_update(of=("self",)).order_by("pk"):
            secrets = {"webhook_url": monitor.webhook_url, "webhook_secret": monitor.webhook_secret}
            if any((value or "").startswith("gAAAAA") for value in secrets.values()):
                unreadable.append(f"the webhook of {monitor} ({monitor.workspace})")
                continue
            Monitor.objects.filter(pk=monitor.pk).update(**secrets)
            done += 1
    return done, unreadable
