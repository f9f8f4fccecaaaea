"""Budgets: made, changed, exceeded with permission. What one counts stays as it is: another one begins with the same
logs, so nothing is lost by making it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from llm_admin.choices import BudgetScope
from llm_admin.exceptions import Conflict, InvalidInput, NotFound, Problem
from llm_admin.models import Budget, BudgetOverride, BudgetUse, Membership, Prompt, Workflow
from llm_admin.selectors import budgets as selector
from llm_admin.selectors.budget_periods import span_of
from llm_admin.services import catalogue
from llm_admin.services.actors import Actor
from llm_admin.services.budget_ledger import open_use
from llm_admin.services.validation import clean, refuse_unstorable
from llm_admin.tenancy import workspace_scope

SUBJECTS = (BudgetScope.USER, BudgetScope.GROUP, BudgetScope.PROMPT, BudgetScope.WORKFLOW)
FIXED = ("scope", "user_id", "group_id", "prompt_id", "workflow_id", "period", "unit")
MOST = 10**18  # a thousand million dollars; the column takes no more than nine times that
WHOM = {"user": "person", "group": "group", "prompt": "prompt", "workflow": "workflow"}


def save(budget: Budget, *, actor: Actor) -> Budget:
    """Stores the (unsaved) object's fields. A new one has what was used in this period already. Raises InvalidInput."""
    actor.require("change_budget" if budget.pk else "add_budget")
    if not budget.pk:
        budget.workspace = actor.workspace
    if budget.workspace_id != actor.workspace.pk:
        raise NotFound("There is no such budget in this workspace.")
    with workspace_scope(actor.workspace), transaction.atomic():
        _forget_other_subjects(budget)
        before = Budget.objects.filter(pk=budget.pk).first()
        if problems := check(budget, before=before):
            raise InvalidInput(problems)
        clean(budget)
        budget.save()
        if budget.enabled:
            _bring_up_to_date(budget, was_on=bool(before and before.enabled))
    return budget


def _forget_other_subjects(budget: Budget) -> None:
    for name in SUBJECTS:
        if name != budget.scope:
            setattr(budget, name, None)


def check(budget: Budget, *, before: Budget | None = None) -> list[Problem]:
    """Beside the fields' own rules; open the scope around it."""
    problems = [*_check_name(budget), *_check_subject(budget), *_check_numbers(budget)]
    if before and any(getattr(before, name) != getattr(budget, name) for name in FIXED):
        words = "What a budget counts stays as it is. Make another one: it begins with what was used already."
        problems.append(Problem((), words))
    if budget.owner_id and not Membership.objects.filter(user=budget.owner_id).exists():
        problems.append(Problem(("owner",), "Choose a member of this workspace."))
    return problems


def _check_name(budget: Budget) -> list[Problem]:
    """The table's constraint says it too, but a form without the workspace does not ask it."""
    if Budget.objects.filter(name=budget.name).exclude(pk=budget.pk).exists():
        return [Problem(("name",), "There is a budget of this name already.")]
    return []


def _check_subject(budget: Budget) -> list[Problem]:
    scope = budget.scope
    if scope not in SUBJECTS:
        return []
    subject = getattr(budget, f"{scope}_id")
    rows: dict[str, Any] = {
        "user": Membership.objects.filter(user=subject),
        "group": groups().filter(pk=subject),
        "prompt": Prompt.objects.filter(pk=subject),
        "workflow": Workflow.objects.filter(pk=subject),
    }
    if subject is None or not rows[scope].exists():
        return [Problem((str(scope),), f"Choose a {WHOM[scope]} of this workspace.")]
    return []


def groups() -> QuerySet[Group]:
    """Groups belong to no workspace: those that members of this one are in; others' names are not ours to show."""
    return Group.objects.filter(user__in=Membership.objects.values("user")).distinct().order_by("name")


def _check_numbers(budget: Budget) -> list[Problem]:
    problems = [Problem(("limit",), words)] if (words := _wrong_with(budget.limit or 0)) else []
    levels = budget.warn_at
    if not isinstance(levels, list) or any(type(one) is not int or not 1 <= one <= 99 for one in levels):
        problems.append(Problem(("warn_at",), "Whole percents from 1 to 99, with commas between: 50, 80."))
    else:
        budget.warn_at = sorted(set(levels))
    return problems


def _wrong_with(amount: int, *, before: int = 0) -> str:
    if amount < 1:
        return "Give an amount above 0."
    return "That is more than a budget can hold. Give a smaller amount." if before + amount > MOST else ""


def _bring_up_to_date(budget: Budget, *, was_on: bool) -> None:
    """While it was off nobody counted: the logs did. Levels that are not reached any more may be told again."""
    span = span_of(budget.period, timezone.now())
    use = open_use(budget, span)
    values: dict[str, Any] = {}
    if not was_on:
        used, unknown = selector.counted(budget, span)
        values = {"used": max(used, use.used), "unknown_calls": max(unknown, use.unknown_calls)}
    values["warned"] = _still_reached(budget, use)
    BudgetUse._base_manager.filter(pk=use.pk).update(**values)


def _still_reached(budget: Budget, use: Any) -> list[int]:
    limit = budget.limit + use.extra
    return [level for level in use.warned if level == selector.REFUSED or use.used * 100 >= level * limit]


def override(budget: Budget, *, actor: Actor, amount: int, reason: str) -> BudgetOverride:
    """Allows so much more in this period, on record. `amount` in the budget's unit, money in US nano-dollars."""
    actor.require("override_budget")
    if budget.workspace_id != actor.workspace.pk:
        raise NotFound("There is no such budget in this workspace.")
    reason = " ".join(reason.split())
    if not reason:
        raise InvalidInput([Problem(("reason",), "Say why: it stays on record.")])
    refuse_unstorable(reason=reason)
    with workspace_scope(actor.workspace), transaction.atomic():
        use = open_use(budget, span_of(budget.period, timezone.now()))
        if words := _wrong_with(amount, before=budget.limit + use.extra):
            raise InvalidInput([Problem(("amount",), words)])
        refused = use.refused_calls
        made = BudgetOverride(use=use, amount=amount, by=actor.user, reason=reason, refused_before=refused)
        clean(made, exclude={"by"})  # None: code
        made.save()
        use.extra += amount
        BudgetUse._base_manager.filter(pk=use.pk).update(warned=_still_reached(budget, use))
    catalogue.forget()
    return made


def delete(budget: Budget, *, actor: Actor) -> None:
    """Raises Conflict when somebody allowed it to be exceeded: that stays on record."""
    actor.require("delete_budget")
    with workspace_scope(actor.workspace):
        if BudgetOverride.objects.filter(use__budget=budget).exists():
            raise Conflict(f"“{budget}” was exceeded with permission, which stays on record. Switch it off instead.")
        budget.delete()
