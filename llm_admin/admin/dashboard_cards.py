"""The cards of a panel of numbers: each with its change in words, and the address of the logs behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from llm_admin.admin.dashboard_query import View
from llm_admin.admin.log_links import BY_LATENCY
from llm_admin.choices import CallStatus
from llm_admin.models import Workspace
from llm_admin.selectors.usage import Report, Totals
from llm_admin.templatetags.llm_format import cost, duration, tokens

SPEED = ("slower", "faster")
LESS_IS_BETTER = ("worse", "better")


@dataclass(frozen=True)
class Delta:
    """Against the period before, in words; `tone` ("better", "worse", "") only adds colour to them."""

    arrow: str
    words: str
    tone: str = ""


@dataclass(frozen=True)
class Card:
    title: str
    value: str
    url: str
    delta: Delta
    notes: list[tuple[str, str]] = field(default_factory=list)  # (text, address or "")


def cards(report: Report, view: View, workspace: Workspace) -> list[Card]:
    now, before, then = report.totals, report.before, view.period.before
    url = view.logs()
    counted = now.input_tokens or now.output_tokens
    in_all = [(f"{tokens(now.input_tokens)} tokens in, {tokens(now.output_tokens)} out", "")] if counted else []
    return [
        Card(
            "Cost",
            cost(now.cost_nano, workspace),
            url,
            delta(now.cost_nano, before.cost_nano, then, before, text=lambda nano: cost(nano, workspace)),
            _cost_notes(now, view),
        ),
        Card("Calls", f"{now.calls:,}", url, delta(now.calls, before.calls, then, before), in_all),
        _time_card("Typical time of a call", now.p50_ms, before.p50_ms, "Half took at most this (p50)", view, report),
        _time_card("Slow calls", now.p95_ms, before.p95_ms, "95% took at most this (p95)", view, report),
        Card(
            "Errors",
            f"{now.errors:,}",
            view.logs(status=CallStatus.FAILED.value),
            delta(now.errors, before.errors, then, before, words=("more", "fewer"), tones=LESS_IS_BETTER),
            _error_notes(now, view),
        ),
        *_cache_card(report, view, workspace),
    ]


def _time_card(title: str, now: int | None, before: int | None, note: str, view: View, report: Report) -> Card:
    then = view.period.before
    change = delta(now, before, then, report.before, words=SPEED, tones=LESS_IS_BETTER, text=duration)
    value = "–" if now is None else duration(now)
    return Card(title, value, view.logs(**BY_LATENCY), change, [(note, "")] if now is not None else [])


def _cache_card(report: Report, view: View, workspace: Workspace) -> list[Card]:
    """Where nothing was ever answered from the cache, it is not spoken of."""
    now, before = report.totals, report.before
    if not (now.cached or before.cached):
        return []
    notes = [(f"{now.cached:,} of {now.calls:,} calls cost nothing", "")]
    if now.saved_nano:
        notes.append((f"Saved about {cost(now.saved_nano, workspace)}", ""))
    part = now.cached / now.calls if now.calls else 0
    share = f"{part:.0%}" if part >= 0.1 else f"{part:.1%}"
    url = view.logs(cached="yes")
    change = delta(now.cached, before.cached, view.period.before, before)
    return [Card("Answered from the cache", share, url, change, notes)]


def _cost_notes(now: Totals, view: View) -> list[tuple[str, str]]:
    if not now.unknown_cost:
        return []
    what = "1 call" if now.unknown_cost == 1 else f"{now.unknown_cost:,} calls"
    return [(f"Not counted: {what} of unknown cost", view.logs(cost="unknown"))]


def _error_notes(now: Totals, view: View) -> list[tuple[str, str]]:
    notes = [(f"{now.errors / now.calls:.1%} of the calls", "")] if now.errors else []
    if now.stopped:
        were = "1 more was" if now.stopped == 1 else f"{now.stopped:,} more were"
        notes.append((f"{were} stopped or interrupted", view.logs(status="unfinished")))
    return notes


def delta(
    now: int | None,
    before: int | None,
    then: str,
    totals_before: Totals,
    *,
    words: tuple[str, str] = ("more", "less"),
    tones: tuple[str, str] = ("", ""),
    text: Callable[[int], str] = "{:,}".format,
) -> Delta:
    """`then`: what it is compared with. `text` words the difference itself, where a share says nothing."""
    if not totals_before.calls:
        return Delta("", f"No calls in {then}")
    if now is None or before is None:
        return Delta("", f"Not comparable with {then}")
    if abs(now - before) * 100 < before or now == before:  # under one percent
        return Delta("≈", f"About as in {then}")
    up = now > before
    return Delta("▲" if up else "▼", f"{_change(now, before, text)} {words[not up]} than in {then}", tones[not up])


def _change(now: int, before: int, text: Callable[[int], str]) -> str:
    if not before or not now:
        return text(abs(now - before))
    more = Decimal(now) / Decimal(before) - 1
    return f"{more:.0f} times" if more >= 10 else f"{abs(more):.0%}"
