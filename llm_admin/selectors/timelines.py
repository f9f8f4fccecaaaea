"""A run's steps as bars against its duration."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils import timezone

from llm_admin.models import RunStep
from llm_admin.selectors.trace_parts import Step
from llm_admin.selectors.traces import Trace

MOST_BARS = 60
THINNEST = 0.4  # percent
Ran = tuple[Step, RunStep, int, int | None]  # with its depth, and the entry of the loop that it stands in


@dataclass(frozen=True)
class Bar:
    """`left` and `width` in percent of the run; `after_ms`: when it began."""

    step: Step
    depth: int
    left: str
    width: str
    after_ms: float
    entry: int | None = None


@dataclass(frozen=True)
class TimeLine:
    bars: list[Bar]
    left_out: int
    duration_ms: float


def time_line(trace: Trace) -> TimeLine | None:
    """Without the steps that were kept from an earlier run, and those that did not run. None: nothing to show."""
    began = trace.run.started_at
    drawn = list(_ran(trace.steps))
    if began is None or not drawn:
        return None
    end = trace.run.ended_at or timezone.now()
    span = max((end - began).total_seconds() * 1000, 1.0)
    bars = [_bar(one, began, end, span) for one in drawn[:MOST_BARS]]
    return TimeLine(bars, len(drawn) - len(bars), span)


def _bar(one: Ran, began: dt.datetime, end: dt.datetime, span: float) -> Bar:
    step, row, depth, entry = one
    after = max((row.started_at - began).total_seconds() * 1000, 0.0)
    lasted = ((row.ended_at or end) - row.started_at).total_seconds() * 1000
    left = min(100 * after / span, 100 - THINNEST)
    width = min(max(100 * lasted / span, THINNEST), 100 - left)
    return Bar(step, depth, f"{left:.2f}", f"{width:.2f}", after, entry)


def _ran(steps: list[Step], depth: int = 0, entry: int | None = None) -> Iterator[Ran]:
    for step in steps:
        if step.row and not step.reused:
            yield step, step.row, depth, entry
        for way in step.ways:
            yield from _ran(way.steps, depth + 1, entry)
        for one in step.loop.entries if step.loop else ():
            yield from _ran(one.steps, depth + 1, one.number)
