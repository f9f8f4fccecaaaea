"""What the deployments of a model mean together, and which of them rest, in sentences. The rows are loaded already."""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import groupby

from llm_admin.models import Deployment
from llm_admin.services import route_state
from llm_admin.services.route_state import Rest


def sentences(deployments: Iterable[Deployment]) -> list[str]:
    """Empty deployments: where calls go is said, too."""
    active = [one for one in deployments if one.enabled]
    if not active:
        return ["This model runs nowhere: every place is switched off or missing, so calls are refused."]
    return [_order(levels(active)), *_rests(active), *(words for one in active if (words := _limits(one)))]


def levels(active: Iterable[Deployment]) -> list[list[Deployment]]:
    """Those of one priority together, the first to be asked first."""
    ordered = sorted(active, key=lambda one: (one.priority, one.pk))
    return [list(group) for _, group in groupby(ordered, key=lambda one: one.priority)]


def name(deployment: Deployment) -> str:
    return f"{deployment.provider_model} at {deployment.connection}"


def _order(found: list[list[Deployment]]) -> str:
    words = f"Calls go to {_shares(found[0])}"
    for before, level in zip(found, found[1:], strict=False):
        words += f"; {_if_these_fail(len(before))}, to {_shares(level)}"
    last = _if_these_fail(len(found[-1])).removeprefix("if ")
    return f"{words}. If {last} as well, the call fails." if len(found) > 1 else f"{words}."


def _if_these_fail(count: int) -> str:
    return {1: "if that fails", 2: "if both fail"}.get(count, f"if all {count} fail")


def _shares(level: list[Deployment]) -> str:
    if len(level) == 1:
        return name(level[0])
    weights = [max(one.weight, 1) for one in level]  # as the router takes it
    parts = [f"{name(one)} ({100 * weight / sum(weights):.0f} %)" for one, weight in zip(level, weights, strict=True)]
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def _rests(active: list[Deployment]) -> list[str]:
    """The only one is asked even so."""
    if len(active) < 2:
        return []
    found, now = route_state.resting(one.pk for one in active), time.time()
    return [_rest(one, found[one.pk], now) for one in active if one.pk in found]


def _rest(one: Deployment, rest: Rest, now: float) -> str:
    minutes = max(1, round((rest.until - now) / 60))
    why = "a failure" if rest.failures == 1 else f"{rest.failures} failures in a row"
    words = f"Now {name(one)} rests after {why}, for about {minutes} minute{'s' if minutes > 1 else ''} more"
    return f"{words}: until then calls go to the others. Testing its connection ends this at once when it works."


def _limits(one: Deployment) -> str:
    limits = []
    if one.requests_per_minute:
        limits.append(f"{one.requests_per_minute:,} requests a minute")
    if one.tokens_per_minute:
        limits.append(f"{one.tokens_per_minute:,} tokens a minute")
    if one.max_concurrency:
        limits.append(f"{one.max_concurrency:,} calls at the same time")
    if not limits:
        return ""
    return f"{name(one)} takes at most {' and '.join(limits)}; when it is full, calls go on to the next."
