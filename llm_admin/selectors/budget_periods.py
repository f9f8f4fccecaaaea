"""The days, weeks and months of budgets, as the clocks of settings.TIME_ZONE show them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

from llm_admin.choices import BudgetPeriod

ZERO_HOUR = dt.time()


@dataclass(frozen=True)
class Span:
    """From `start` up to, but not including, `end`. `starts_on` names it: the local day on which it begins."""

    starts_on: dt.date
    start: dt.datetime
    end: dt.datetime

    @property
    def last_day(self) -> dt.date:
        return timezone.localdate(self.end, timezone.get_default_timezone()) - dt.timedelta(days=1)

    def passed(self, moment: dt.datetime) -> float:
        """The share of it that is over, from 0 to 1. A day with a clock change has its own length."""
        return min(1.0, max(0.0, (moment - self.start) / (self.end - self.start)))


def span_of(period: str, moment: dt.datetime) -> Span:
    first = _first_day(period, timezone.localdate(moment, timezone.get_default_timezone()))
    return span_from(period, first)


def span_from(period: str, first: dt.date) -> Span:
    return Span(first, _midnight(first), _midnight(_next(period, first)))


def _first_day(period: str, day: dt.date) -> dt.date:
    if period == BudgetPeriod.MONTH:
        return day.replace(day=1)
    return day - dt.timedelta(days=day.weekday()) if period == BudgetPeriod.WEEK else day


def _next(period: str, first: dt.date) -> dt.date:
    if period == BudgetPeriod.MONTH:
        return (first + dt.timedelta(days=31)).replace(day=1)
    return first + dt.timedelta(days=7 if period == BudgetPeriod.WEEK else 1)


def _midnight(day: dt.date) -> dt.datetime:
    """In UTC; where the clocks leave midnight out, the moment at which they do."""
    return dt.datetime.combine(day, ZERO_HOUR, timezone.get_default_timezone()).astimezone(dt.UTC)
