"""Deciding what a workflow's run waits for. The decision is a row; the run goes on in whichever process is there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from llm_admin.choices import ApprovalStatus, Role, RunStatus
from llm_admin.exceptions import Conflict, InvalidInput, PermissionRefused, Problem
from llm_admin.models import Approval, Run
from llm_admin.schemas.storable import why_not
from llm_admin.services import execution
from llm_admin.services.actors import Actor
from llm_admin.services.secrets import redactor
from llm_admin.tenancy import workspace_scope

RANKS = [Role.VIEWER, Role.AUTHOR, Role.OPERATOR, Role.ADMIN]
LONGEST = 200_000  # characters of an edited text
DEADLINE_WORD = "Nobody decided in time."


def roles_up_to(role: str) -> list[Role]:
    """The roles whose approvals somebody of this role may decide."""
    known = [one for one in RANKS if one == role]
    return RANKS[1 : RANKS.index(known[0]) + 1] if known else []


def waiting_for(*, actor: Actor) -> Any:
    """What this actor may decide, and nobody has. A queryset; open the scope around it."""
    rows = Approval.objects.filter(status=ApprovalStatus.PENDING)
    if not actor.may("decide_approval"):
        return rows.none()
    if actor.role == Role.ADMIN:
        return rows
    mine = Approval.people.through.objects.filter(user=actor.user).values("approval_id")
    return rows.filter(Q(role__in=roles_up_to(actor.role)) | Q(pk__in=mine))


def visible(*, actor: Actor) -> Any:
    """Also decided ones: those of the actor's roles, of their own runs, and where they were named."""
    rows = Approval.objects.all()
    if actor.may("view_all_runs"):
        return rows
    mine = Approval.people.through.objects.filter(user=actor.user).values("approval_id")
    own = Q(run__owner=actor.user) | Q(decided_by=actor.user) | Q(pk__in=mine)
    return rows.filter(own | Q(role__in=roles_up_to(actor.role)))


def may_decide(approval: Approval, actor: Actor) -> bool:
    if not actor.may("decide_approval"):
        return False
    if actor.role == Role.ADMIN or approval.role in roles_up_to(actor.role):
        return True
    return actor.user is not None and approval.people.filter(pk=actor.user.pk).exists()


def decide(approval: Approval, *, actor: Actor, approve: bool, text: str | None = None, word: str = "") -> Run:
    """`text`: as it was edited; None leaves it as proposed. Declining needs a word.

    Raises PermissionRefused, InvalidInput at ("text",) or ("word",), Conflict when it was decided already.
    """
    actor.require("decide_approval")
    if not may_decide(approval, actor):
        raise PermissionRefused("You are not among those who decide this.")
    decided = approval.proposed if text is None else text.replace("\r\n", "\n")
    _check(decided, word, needs_word=not approve)
    mask = redactor().text
    with transaction.atomic(), workspace_scope(actor.workspace):
        if not _settle(approval.pk, approve=approve, text=mask(decided), word=mask(word.strip()), by=actor.user):
            raise Conflict(_too_late(Approval.objects.select_related("decided_by").get(pk=approval.pk)))
        return go_on(approval.run_id)


def _check(text: str, word: str, *, needs_word: bool) -> None:
    problems = [
        Problem((name,), f"This {why}.") for name, one in (("text", text), ("word", word)) if (why := why_not(one))
    ]
    if needs_word and not word.strip():
        problems.append(Problem(("word",), "Say in a word why you decline it: whoever started the run reads it."))
    if len(word) > 500:
        problems.append(Problem(("word",), "At most 500 characters."))
    if len(text) > LONGEST:
        problems.append(Problem(("text",), f"At most {LONGEST:,} characters."))
    if problems:
        raise InvalidInput(problems)


def _settle(pk: int, *, approve: bool, text: str, word: str, by: Any, before: datetime | None = None) -> bool:
    """Compare-and-set: one decision only."""
    rows = Approval._base_manager.filter(pk=pk, status=ApprovalStatus.PENDING)
    if before is not None:
        rows = rows.filter(deadline_at__lt=before)
    status = ApprovalStatus.APPROVED if approve else ApprovalStatus.DECLINED
    return rows.update(status=status, text=text, word=word, decided_by=by, decided_at=timezone.now()) == 1


def _too_late(approval: Approval) -> str:
    if approval.status == ApprovalStatus.WITHDRAWN:
        return "The run was stopped meanwhile: there is nothing to decide any more."
    who = approval.decided_by or "The deadline"
    return f"{who} has decided this already: {approval.get_status_display().lower()}."


def go_on(run_id: Any) -> Run:
    """A run that is still on its way to waiting notices the decision by itself."""
    rows = Run._base_manager.filter(pk=run_id)
    waited = rows.filter(status=RunStatus.WAITING).update(status=RunStatus.PENDING) == 1
    run = rows.select_related("workspace").get()
    if waited:
        transaction.on_commit(lambda: execution.launch(run))
    return run


def settle_overdue() -> int:
    """Decides as the step says what nobody has decided in time. For the ticker, in the writer's thread."""
    now = timezone.now()
    overdue = Approval._base_manager.filter(status=ApprovalStatus.PENDING, deadline_at__lt=now).order_by("deadline_at")
    return sum(_settle_overdue(approval, now) for approval in overdue[:500])


def _settle_overdue(approval: Approval, now: datetime) -> bool:
    approve = approval.at_deadline == "approve"
    with transaction.atomic():
        if not _settle(approval.pk, approve=approve, text=approval.proposed, word=DEADLINE_WORD, by=None, before=now):
            return False
        go_on(approval.run_id)
    return True
