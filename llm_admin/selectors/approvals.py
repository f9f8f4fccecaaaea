"""Questions that runs wait with, as pages show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from llm_admin.choices import ApprovalStatus, Role
from llm_admin.models import Approval, Run
from llm_admin.schemas import walking
from llm_admin.schemas.word_diffs import Piece, words
from llm_admin.selectors.trace_parts import Step

MOST_CARDS = 10  # of one run: a loop may ask for every entry
MOST_BEFORE = 20
HOLDERS = ("branch", "for_each")  # their results are those of the steps within
ROLE_WORDS = {
    Role.AUTHOR.value: "authors, operators and admins",
    Role.OPERATOR.value: "operators and admins",
    Role.ADMIN.value: "admins",
    "": "admins",
}


@dataclass(frozen=True)
class Context:
    """What somebody needs for deciding. `before`: the last steps that stand before it and ran."""

    workflow: str
    inputs: dict[str, Any]
    before: list[Step] = field(default_factory=list)


def pending(run: Run) -> Any:
    """Of a run that waits, the oldest question first."""
    return Approval.objects.filter(run=run, status=ApprovalStatus.PENDING).order_by("id")


def deciders(approval: Approval) -> str:
    """“ada, bo, and authors, operators and admins”. Give it with its people prefetched."""
    names = [str(person) for person in approval.people.all()]
    return ", ".join([*names, f"and {ROLE_WORDS[approval.role]}" if names else ROLE_WORDS[approval.role]])


def context_of(approval: Approval) -> Context:
    """Of a loop only the entry that the question is about."""
    run, place = approval.run, walking.order(approval.path)
    light = run.steps.exclude(type__in=HOLDERS).values_list("pk", "path")
    before = [(walking.order(path), pk) for pk, path in light if approval.path.startswith(_block(path))]
    wanted = [pk for order, pk in sorted(before) if order < place][-MOST_BEFORE:]
    rows = sorted(run.steps.filter(pk__in=wanted), key=lambda row: walking.order(row.path))
    steps = [Step(path=row.path, title=str(row), type=row.type, row=row) for row in rows]
    return Context(str(run.workflow or run.title), run.inputs, steps)


def _block(path: str) -> str:
    """What the paths of the steps beside this one begin with."""
    return path.rstrip("0123456789")


def edited(approval: Approval) -> list[Piece]:
    """What who decided changed in the text; nothing when it stayed as it was."""
    if approval.status != ApprovalStatus.APPROVED or approval.text == approval.proposed:
        return []
    return words(approval.proposed, approval.text)
