"""The books of budgets: reserve before a call, settle after it. Everything here runs in the writer's thread.

Reserving is a compare-and-set in SQL, so that processes on one database cannot together take what is not there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Value
from django.utils import timezone

from llm_admin.choices import BudgetUnit, CallStatus
from llm_admin.conf import settings
from llm_admin.models import Budget, BudgetReservation, BudgetUse
from llm_admin.schemas.records import CallRecord
from llm_admin.selectors import budgets as selector
from llm_admin.selectors.budget_periods import Span, span_of
from llm_admin.selectors.budgets import Standing
from llm_admin.services.budget_estimates import Estimate
from llm_admin.services.budget_rules import Rule

MARGIN = dt.timedelta(minutes=1)
AT_A_TIME = 500


@dataclass(frozen=True)
class Refusal:
    """`needed`: what the call may use; None when nobody knows."""

    rule: Rule
    standing: Standing
    needed: int | None


@dataclass(frozen=True, slots=True)
class Claim:
    """One call that wants to be made."""

    ticket: UUID
    run: Any
    at: dt.datetime
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class _Place:
    """Of one budget, in the period of the call."""

    rule: Rule
    budget: Budget
    span: Span
    use: Any


class _Full(Exception):
    def __init__(self, refusal: Refusal, use: int) -> None:
        self.refusal, self.use = refusal, use
        super().__init__()


def reserve(claim: Claim, rules: Sequence[Rule]) -> Refusal | None:
    """Of all budgets that count the call, or of none. The period's rows stay, so that a refusal is counted."""
    places = _places(claim, rules)
    try:
        with transaction.atomic():
            BudgetReservation._base_manager.bulk_create([_take(claim, place) for place in places])
    except _Full as full:
        BudgetUse._base_manager.filter(pk=full.use).update(refused_calls=F("refused_calls") + 1)
        return full.refusal
    return None


def _places(claim: Claim, rules: Sequence[Rule]) -> list[_Place]:
    """In two queries. Budgets that are gone, or off, since a second count nothing."""
    budgets = Budget._base_manager.filter(enabled=True).in_bulk([rule.id for rule in rules])
    spans = {rule.id: span_of(rule.period, claim.at) for rule in rules}
    days = {span.starts_on for span in spans.values()}
    rows = selector.with_extra(BudgetUse._base_manager.filter(budget__in=list(budgets), starts_on__in=days))
    uses = {(use.budget_id, use.starts_on): use for use in rows}
    return [
        _Place(rule, budget, span, uses.get((rule.id, span.starts_on)) or open_use(budget, span))
        for rule in rules
        if (budget := budgets.get(rule.id)) and (span := spans[rule.id])
    ]


def _take(claim: Claim, place: _Place) -> BudgetReservation:
    use, amount = place.use, claim.estimate.amount(place.rule.unit)
    rows = BudgetUse._base_manager.filter(pk=use.pk)
    if amount != 0:  # what costs nothing is let through
        room = place.budget.limit + use.extra - (amount or 1)
        rows = rows.filter(reserved__lte=Value(room) - F("used"))
    if not rows.update(reserved=F("reserved") + (amount or 0)):
        use.refresh_from_db(fields=["used", "reserved"])
        raise _Full(Refusal(place.rule, selector.standing(place.budget, place.span, use), amount), use.pk)
    expires = timezone.now() + 2 * dt.timedelta(seconds=settings().CALL_TIMEOUT) + MARGIN
    return BudgetReservation(use=use, call=claim.ticket, amount=amount or 0, run=claim.run, expires_at=expires)


def open_use(budget: Budget, span: Span) -> Any:
    """The row of this period, with `extra`. It begins with what the logs say was used already."""
    rows = selector.with_extra(BudgetUse._base_manager.filter(budget=budget, starts_on=span.starts_on))
    if (use := rows.first()) is None:
        used, unknown = selector.counted(budget, span)
        defaults = {"used": used, "unknown_calls": unknown}
        BudgetUse._base_manager.get_or_create(budget=budget, starts_on=span.starts_on, defaults=defaults)
        use = rows.get()
    return use


def release(ticket: UUID) -> None:
    """Of a call that was not made after all."""
    _close(ticket, {})


def settle(ticket: UUID, used: dict[str, int | None]) -> None:
    _close(ticket, used)


def _close(ticket: UUID, used: dict[str, int | None]) -> None:
    rows = BudgetReservation._base_manager.filter(call=ticket)
    for pk, use, amount, unit in list(rows.values_list("pk", "use_id", "amount", "use__budget__unit")):
        _give_back(pk, use, amount, used.get(unit, 0))


def _give_back(pk: int, use: int, amount: int, used: int | None) -> None:
    """Whoever deletes the row books it. What nobody knows counts as much as was reserved for it."""
    if not BudgetReservation._base_manager.filter(pk=pk).delete()[0]:
        return
    BudgetUse._base_manager.filter(pk=use).update(
        reserved=F("reserved") - amount,
        used=F("used") + (amount if used is None else used),
        unknown_calls=F("unknown_calls") + int(used is None),
    )


def used_by(record: CallRecord) -> dict[str, int | None]:
    """By unit. A cached answer, and a call that was stopped or refused before it was made, use nothing."""
    nothing_came = record.first_token_ms is None and record.status == CallStatus.FAILED
    not_asked = record.status == CallStatus.CANCELLED and record.start.deployment_id is None
    if record.cached or not_asked or (nothing_came and record.error_kind in selector.UNPAID):
        return dict.fromkeys(BudgetUnit.values, 0)
    known = record.input_tokens is not None and record.output_tokens is not None
    tokens = (record.input_tokens or 0) + (record.output_tokens or 0) if known else None
    return {BudgetUnit.MONEY: record.cost_nano, BudgetUnit.TOKENS: tokens, BudgetUnit.CALLS: 1}


def expire() -> int:
    """Reservations of processes that are gone. Their calls may have been paid for: they count as used."""
    rows = BudgetReservation._base_manager.filter(expires_at__lt=timezone.now()).order_by("pk")
    found = list(rows.values_list("pk", "use_id", "amount", "use__budget__unit")[:AT_A_TIME])
    for pk, use, amount, unit in found:
        _give_back(pk, use, amount, 1 if unit == BudgetUnit.CALLS else None)
    return len(found)
