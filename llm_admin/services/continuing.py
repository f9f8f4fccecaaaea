"""Runs that go on where they were: what is done already, and what was decided meanwhile.

Everything here runs in the writer's thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from llm_admin.choices import ApprovalStatus, ErrorKind, StepStatus
from llm_admin.models import Approval, Membership, Run, RunStep
from llm_admin.schemas.records import ApprovalRequest, Decision, Done

DECIDED = (ApprovalStatus.APPROVED, ApprovalStatus.DECLINED)


@dataclass(frozen=True)
class State:
    """By step path. `stored`: which have a row."""

    done: dict[str, Done] = field(default_factory=dict)
    decisions: dict[str, Decision] = field(default_factory=dict)
    stored: set[str] = field(default_factory=set)


def load(run: Run) -> State:
    """Decisions that the run goes on with are marked as used."""
    state = State()
    for row in RunStep._base_manager.filter(run=run):
        state.stored.add(row.path)
        if row.status in (StepStatus.SUCCEEDED, StepStatus.FAILED):
            failed = ErrorKind(row.error_kind or ErrorKind.INTERNAL) if row.status == StepStatus.FAILED else None
            state.done[row.path] = Done(row.output, failed, row.error_message)
    decided = Approval._base_manager.filter(run=run, status__in=DECIDED).select_related("decided_by")
    for approval in decided:
        state.decisions[approval.path] = Decision(
            approved=approval.status == ApprovalStatus.APPROVED,
            text=approval.text,
            by=_who(approval),
            word=approval.word,
        )
    decided.update(used=True)
    return state


def _who(approval: Approval) -> str:
    if approval.decided_by is not None:
        return str(approval.decided_by)
    overdue = approval.deadline_at is not None and approval.decided_at and approval.decided_at >= approval.deadline_at
    return "the deadline" if overdue else "the console itself"  # code of the project, on nobody's behalf


def is_decided(run: Run) -> bool:
    """Somebody decided something since the run went on the last time."""
    return Approval._base_manager.filter(run=run, status__in=DECIDED, used=False).exists()


def ask(run: Run, request: ApprovalRequest, text: str, question: str) -> None:
    """Once for each place: a run that waits at two of them asks for the other again when it goes on. One that was
    stopped while it waited, and goes on with its batch, asks anew."""
    now = timezone.now()
    approval, new = Approval._base_manager.get_or_create(
        run=run,
        path=request.path,
        defaults={
            "workspace_id": run.workspace_id,
            "step_id": request.step_id,
            "title": request.title[:200],
            "question": question,
            "proposed": text,
            "role": request.role,
            "deadline_at": None if request.hours is None else now + timedelta(hours=request.hours),
            "at_deadline": request.at_deadline,
            "asked_at": now,
        },
    )
    if not new and approval.status == ApprovalStatus.WITHDRAWN:
        deadline = None if request.hours is None else now + timedelta(hours=request.hours)
        again = {"status": ApprovalStatus.PENDING, "decided_at": None, "asked_at": now, "deadline_at": deadline}
        Approval._base_manager.filter(pk=approval.pk).update(**again, question=question, proposed=text)
    if new and request.people:
        rows = Membership._base_manager.filter(workspace=run.workspace_id, user__username__in=request.people)
        approval.people.set(rows.values_list("user_id", flat=True))


def forget_texts(run: Run) -> None:
    """In a workspace that keeps none: what was needed only for going on."""
    RunStep._base_manager.filter(run=run).update(input=None, output=None)
    Approval._base_manager.filter(run=run).update(question="", proposed="", text="")


def give_up(run: Run) -> None:
    """A run with open questions has ended: nobody has to decide any more, and its steps have ended."""
    now = timezone.now()
    pending = Approval._base_manager.filter(run=run, status=ApprovalStatus.PENDING)
    pending.update(status=ApprovalStatus.WITHDRAWN, decided_at=now)
    waiting = RunStep._base_manager.filter(run=run, status=StepStatus.WAITING)
    waiting.update(status=StepStatus.CANCELLED, error_kind=ErrorKind.CANCELLED, ended_at=now)
