"""What the gate has to know of a workspace before each call: its budgets and the limits of its people; cached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group

from llm_admin.choices import BudgetScope
from llm_admin.jobs.writer import WRITER
from llm_admin.models import Budget, Membership, Workspace
from llm_admin.schemas.records import CallStart
from llm_admin.services import catalogue

NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Rule:
    """One budget. `subject`: the id of its person, group, prompt or workflow."""

    id: int
    name: str
    scope: str
    subject: int | None
    period: str
    unit: str
    owner: str

    def counts(self, caller: Caller, start: CallStart) -> bool:
        if self.scope == BudgetScope.WORKSPACE:
            return True
        if self.scope == BudgetScope.GROUP:
            return self.subject in caller.groups
        known = {"user": caller.user, "prompt": start.prompt_id, "workflow": caller.workflow}
        return self.subject == known[self.scope]


@dataclass(frozen=True, slots=True)
class Rules:
    budgets: tuple[Rule, ...] = ()
    per_minute: int | None = None
    per_minute_of: dict[int, int] | None = None  # by person, where it differs

    def limit_of(self, user: int) -> int | None:
        """Calls a minute. Code that runs for nobody has no limit."""
        return (self.per_minute_of or {}).get(user, self.per_minute)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as what; from a run."""

    workspace: int
    user: int | None
    workflow: int | None
    groups: frozenset[int] = NOBODY


async def of_workspace(workspace_id: int) -> Rules:
    """Read in the writer's thread when it is not cached: the loop holds no connection."""
    key = ("budgets", workspace_id)
    found = catalogue.peek(key)
    if found is None:
        found = await WRITER.write(lambda: catalogue.cached(key, lambda: _load(workspace_id)))
    return found


async def groups_of(user_id: int) -> frozenset[int]:
    key = ("groups", user_id)
    found = catalogue.peek(key)
    if found is None:
        found = await WRITER.write(lambda: catalogue.cached(key, lambda: _groups(user_id)))
    return found


def _groups(user_id: int) -> frozenset[int]:
    return frozenset(Group.objects.filter(user=user_id).values_list("pk", flat=True))


def _load(workspace_id: int) -> Rules:
    budgets = Budget._base_manager.filter(workspace_id=workspace_id, enabled=True).select_related("owner")
    members: Any = Membership._base_manager.filter(workspace_id=workspace_id, calls_per_minute__isnull=False)
    everybody = Workspace.objects.filter(pk=workspace_id).values_list("calls_per_minute", flat=True).first()
    # By id: two processes that take several lock them in the same order.
    rules = tuple(rule_of(budget) for budget in budgets.order_by("pk"))
    return Rules(rules, everybody, dict(members.values_list("user_id", "calls_per_minute")))


def rule_of(budget: Budget) -> Rule:
    subject = None if budget.scope == BudgetScope.WORKSPACE else getattr(budget, f"{budget.scope}_id")
    owner = budget.owner.get_username() if budget.owner else ""
    return Rule(budget.pk, budget.name, budget.scope, subject, budget.period, budget.unit, owner)
