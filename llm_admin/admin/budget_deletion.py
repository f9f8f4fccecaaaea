"""What the page that deletes a budget says: what goes with it, or why it has to stay. Amounts as people read them."""

from __future__ import annotations

from typing import Any

from llm_admin.admin.budget_page import days
from llm_admin.models import Budget, BudgetOverride
from llm_admin.selectors import budgets as selector
from llm_admin.selectors.budget_periods import span_from
from llm_admin.services.budget_words import amount_text


def goes(budget: Budget) -> list[Any]:
    """As Django's template takes it: a name, then a list of what belongs to it."""
    periods = selector.history(budget)
    lines = [f"{days(one.span)}: {_amount(one.used, budget)} used" for one in periods]
    return [f"Budget: {budget}", *([lines] if lines else [])]


def stays(budget: Budget) -> list[str]:
    """What was allowed on top of it, the newest first."""
    rows = BudgetOverride.objects.filter(use__budget=budget).select_related("by", "use")
    return [
        f"{_amount(one.amount, budget)} more in {days(span_from(budget.period, one.use.starts_on))}, "
        f"by {one.by or 'code'}: {one.reason}"
        for one in rows
    ]


def _amount(amount: int, budget: Budget) -> str:
    return amount_text(amount, budget.unit, budget.workspace)
