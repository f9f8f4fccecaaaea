"""What people think of answers: a thumb and a note, one of each person for each call or workflow run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import transaction

from llm_admin.choices import FeedbackValue, StoreTexts
from llm_admin.exceptions import Conflict, InvalidInput, NotFound, Problem
from llm_admin.models import InteractionFeedback, InteractionLog, Run
from llm_admin.services import runs
from llm_admin.services.actors import Actor
from llm_admin.services.secrets import redactor
from llm_admin.tenancy import workspace_scope

LONGEST_NOTE = 2_000
Subject = InteractionLog | Run


def give(*, actor: Actor, subject: Subject, value: str, note: str | None = None) -> InteractionFeedback:
    """Again: it is changed. `note` None leaves the one that is there. A workspace that keeps no texts keeps no note.

    Raises InvalidInput, Conflict while the answer is still being written.
    """
    actor.require("add_interactionfeedback")
    if value not in FeedbackValue.values:
        raise InvalidInput([Problem(("value",), "Say “up” for a good answer or “down” for a bad one.")])
    changes: dict[str, Any] = {"value": value} | ({} if note is None else {"note": _clean(note, actor)})
    with workspace_scope(actor.workspace), transaction.atomic():
        given, _ = InteractionFeedback.objects.update_or_create(
            **_key(subject), user=actor.user, defaults=changes, create_defaults=_about(subject, actor) | changes
        )
    return given


def remove(*, actor: Actor, subject: Subject) -> None:
    """One's own; it is no error when there is none."""
    actor.require("add_interactionfeedback")
    with workspace_scope(actor.workspace):
        InteractionFeedback.objects.filter(**_key(subject), user=actor.user).delete()


def forget_notes(log_ids: Iterable[int]) -> None:
    """Of calls whose texts go: what people thought stays, and is counted."""
    InteractionFeedback._base_manager.filter(log_id__in=list(log_ids)).exclude(note="").update(note="")


def find(*, actor: Actor, log_id: Any = None, run_id: Any = None) -> Subject:
    """What this person may judge: a call, or the outcome of a run. A prompt's run stands for its call.

    Raises NotFound, Conflict.
    """
    with workspace_scope(actor.workspace):
        found = _log(actor, log_id) if log_id else _run(actor, run_id)
    if found is None:
        raise NotFound("There is no such answer, or it was removed meanwhile. Open it again from the logs.")
    return found


def _log(actor: Actor, log_id: Any) -> InteractionLog | None:
    if not str(log_id).isdecimal() or len(str(log_id)) > 18:
        return None
    log: InteractionLog | None = InteractionLog.objects.filter(pk=int(log_id)).first()
    if log is None or actor.may("view_all_runs") or log.user_id == getattr(actor.user, "pk", None):
        return log
    return log if runs.visible(actor=actor).filter(pk=log.run_id).exists() else None


def _run(actor: Actor, run_id: Any) -> Subject | None:
    try:
        run = runs.visible(actor=actor).filter(pk=UUID(str(run_id))).first()
    except ValueError:
        return None
    if run is None:
        return None
    if run.is_open or run.is_waiting:
        raise Conflict("It has not ended yet. Say what you think of the answer when it is there.")
    if run.kind == "workflow":
        return run
    return InteractionLog.objects.filter(run=run).order_by("-id").first()


def _clean(note: str, actor: Actor) -> str:
    note = note.replace("\x00", "").strip()
    if len(note) > LONGEST_NOTE:
        raise InvalidInput([Problem(("note",), f"Write at most {LONGEST_NOTE:,} characters.")])
    return redactor().text(note) if note and actor.workspace.store_texts == StoreTexts.MASKED else ""


def _key(subject: Subject) -> dict[str, Any]:
    if isinstance(subject, InteractionLog):
        return {"log_id": subject.pk}
    return {"log_id": None, "run_id": subject.pk}


def _about(subject: Subject, actor: Actor) -> dict[str, Any]:
    """What it is counted by, also when the call itself is gone."""
    shared = {
        "workspace": actor.workspace,
        "prompt_id": subject.prompt_id,
        "prompt_version_id": subject.prompt_version_id,
        "workflow_id": subject.workflow_id,
        "source": subject.source,
        "status": subject.status,
        "error_kind": subject.error_kind,
    }
    if isinstance(subject, Run):
        version = {"workflow_version_id": subject.workflow_version_id}
        return shared | version | {"answered_at": subject.created_at, "caller_id": subject.owner_id}
    return shared | {
        "run_id": subject.run_id,
        "model_id": subject.model_id,
        "deployment_id": subject.deployment_id,
        "caller_id": subject.user_id,
        "cached": subject.cached,
        "answered_at": subject.created_at,
    }
