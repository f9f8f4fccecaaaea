"""Telling a budget's owner by mail that it runs short; each level once a period, only when MAIL_FROM is set."""

from __future__ import annotations

import logging
from typing import Any

from django.core.mail import EmailMessage
from django.db import connection
from django.db.models import Exists, OuterRef
from django.urls import reverse

from llm_admin.conf import settings
from llm_admin.models import Budget, BudgetUse, Membership
from llm_admin.selectors.budgets import REFUSED, USED_UP, Standing, standings
from llm_admin.services.budget_words import amount_text, begins_anew

logger = logging.getLogger(__name__)


def send_warnings() -> int:
    """To owners who are still members. Each is claimed before it is sent, so that two processes do not send it twice.

    Run it outside of the loop.
    """
    if not settings().MAIL_FROM:
        return 0
    try:
        here = Membership._base_manager.filter(user=OuterRef("owner"), workspace=OuterRef("workspace"))
        budgets = Budget._base_manager.filter(Exists(here), enabled=True).select_related("owner", "workspace")
        return sum(_send(one) for one in standings(list(budgets)))
    finally:
        connection.close()


def reached(one: Standing) -> list[int]:
    """Whoever is told that it is used up knows that calls are refused."""
    levels = {level for level in one.budget.warn_at if one.percent >= level}
    if one.percent >= USED_UP:
        levels |= {USED_UP, REFUSED}
    return sorted(levels | {REFUSED} if one.refused_calls else levels)


def _send(one: Standing) -> bool:
    levels = reached(one)
    address = _address(one.budget.owner)
    if not (levels and address and _claim(one, levels)):
        return False
    try:
        _message(one, levels[-1], address).send()
    except OSError as error:  # smtplib's errors too: the page shows it all the same
        logger.error("The mail about the budget %s could not be sent: %s", one.budget.pk, error)
        return False
    return True


def _claim(one: Standing, levels: list[int]) -> bool:
    if set(levels) <= set(one.warned):
        return False
    rows = BudgetUse._base_manager.filter(budget=one.budget, starts_on=one.span.starts_on, warned=list(one.warned))
    return rows.update(warned=sorted({*one.warned, *levels})) == 1


def _address(owner: Any) -> str:
    return getattr(owner, owner.get_email_field_name(), "") if owner.is_active else ""


def _message(one: Standing, level: int, address: str) -> EmailMessage:
    budget, workspace = one.budget, one.budget.workspace
    used, limit = (amount_text(number, budget.unit, workspace) for number in (one.used, one.limit))
    happened = f"is used to {one.percent}%"
    if level == REFUSED:
        happened = "is used up: calls are refused" if one.percent >= USED_UP else f"{happened}, and refused a call"
    lines = [
        f"The budget “{budget}” of the workspace “{workspace}” {happened}.",
        f"Used: {used} of {limit}. It begins anew on {begins_anew(one)}.",
        settings().PUBLIC_URL.rstrip("/") + reverse("admin:llm_admin_budget_change", args=[budget.pk]),
    ]
    subject = f"Budget “{budget}” {happened}".replace("\n", " ")[:200]
    return EmailMessage(subject=subject, body="\n".join(lines), from_email=settings().MAIL_FROM, bcc=[address])
