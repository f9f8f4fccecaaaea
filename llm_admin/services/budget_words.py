"""Amounts and refusals in words. A refusal names the budget, whose it is, what is left, and when it begins anew."""

from __future__ import annotations

import math
from decimal import Decimal

from django.utils import formats, timezone

from llm_admin.choices import BudgetUnit
from llm_admin.models import Workspace
from llm_admin.selectors.budgets import Standing
from llm_admin.services.budget_ledger import Refusal
from llm_admin.templatetags.llm_format import NANO, UNKNOWN, cost


def amount_text(amount: int | None, unit: str, workspace: Workspace) -> str:
    """ "$1.20", "1,000 tokens", "1 call"."""
    if amount is None:
        return UNKNOWN
    if unit == BudgetUnit.MONEY:
        return cost(amount, workspace)
    noun = "token" if unit == BudgetUnit.TOKENS else "call"
    return f"{amount:,} {noun}" if amount == 1 else f"{amount:,} {noun}s"


def of_text(used: int, limit: int, unit: str, workspace: Workspace) -> str:
    """ "$1.20 of $5.00", "12 of 1,000 tokens"."""
    whole = amount_text(limit, unit, workspace)
    part = amount_text(used, unit, workspace) if unit == BudgetUnit.MONEY else f"{used:,}"
    return f"{part} of {whole}"


def to_stored(amount: Decimal, unit: str, workspace: Workspace) -> int:
    """What people typed: money in the workspace's currency -> US nano-dollars."""
    return round(amount / workspace.currency_rate * NANO) if unit == BudgetUnit.MONEY else int(amount)


def to_typed(amount: int, unit: str, workspace: Workspace) -> Decimal:
    if unit != BudgetUnit.MONEY:
        return Decimal(amount)
    shown = round(Decimal(amount) / NANO * workspace.currency_rate, 6)
    return shown.quantize(Decimal("0.01")) if shown == round(shown, 2) else shown.normalize()


def refusal(found: Refusal, workspace: Workspace) -> str:
    one, unit = found.standing, found.rule.unit
    owner = f" (owner: {found.rule.owner})" if found.rule.owner else " (without an owner: ask an operator)"
    limit, left = amount_text(one.limit, unit, workspace), amount_text(one.left, unit, workspace)
    state = f"is used up: {limit}" if not one.left else f"has {left} of {limit} left"
    if one.left and unit != BudgetUnit.CALLS and found.needed is not None:
        state += f", and this may need {amount_text(found.needed, unit, workspace)}"
    aside = f", {amount_text(one.reserved, unit, workspace)} of it set aside for calls that run" if one.reserved else ""
    return f"the budget “{found.rule.name}”{owner} {state}{aside}; it begins anew on {begins_anew(one)}"


def begins_anew(one: Standing) -> str:
    local = timezone.localtime(one.span.end, timezone.get_default_timezone())
    return f"{formats.date_format(local, 'j F, H:i')} {local.tzname()}"


def too_many(limit: int, seconds: float) -> str:
    wait = math.ceil(seconds)
    calls = "1 call" if limit == 1 else f"{limit:,} calls"
    return f"you may make {calls} a minute; try again in {wait} {'second' if wait == 1 else 'seconds'}"
