"""The numbers of dashboards from the raw rows, in the plainest way."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from llm_admin.selectors.usage import Slice, Totals


def totals(rows: list[Any]) -> Totals:
    known = [row.cost_nano for row in rows if row.cost_nano is not None]
    statuses = Counter(row.status for row in rows)
    asked = [row for row in rows if not row.cached]
    return Totals(
        calls=len(rows),
        errors=statuses["failed"],
        stopped=statuses["cancelled"] + statuses["interrupted"],
        cost_nano=sum(known) if known or not rows else None,
        unknown_cost=len(rows) - len(known),
        input_tokens=sum(row.input_tokens or 0 for row in rows),
        output_tokens=sum(row.output_tokens or 0 for row in rows),
        p50_ms=percentile([row.latency_ms for row in asked], 50),
        p95_ms=percentile([row.latency_ms for row in asked], 95),
        first_p50_ms=percentile([row.first_token_ms for row in asked], 50),
        first_p95_ms=percentile([row.first_token_ms for row in asked], 95),
        cached=len(rows) - len(asked),
        saved_nano=saved(rows),
    )


def percentile(values: list[int | None], percent: int) -> Any:
    """Nearest rank, from its definition: the smallest value that at least this share does not exceed."""
    known = sorted(value for value in values if value is not None)
    enough = percent * len(known)
    found = next((value for place, value in enumerate(known, start=1) if 100 * place >= enough), None)
    return None if found is None else pytest.approx(found, rel=0.025)


def saved(rows: list[Any]) -> int | None:
    """What the tokens of hits cost on average where the model was asked."""
    found = []
    for model in {row.model_id for row in rows}:
        ours = [row for row in rows if row.model_id == model]
        paid = [row for row in ours if not row.cached and row.cost_nano is not None]
        asked, hit = tokens(paid), tokens([row for row in ours if row.cached])
        if asked and hit:
            found.append(hit * sum(row.cost_nano for row in paid) // asked)
    return sum(found) if found else None


def tokens(rows: list[Any]) -> int:
    return sum((row.input_tokens or 0) + (row.output_tokens or 0) for row in rows)


def slices(rows: list[Any], column: str) -> list[Slice]:
    values = {getattr(row, column) for row in rows}
    found = [Slice(value, totals([row for row in rows if getattr(row, column) == value])) for value in values]
    left_out: dict[str, Any] = {"first_p50_ms": None, "first_p95_ms": None}
    if column != "model_id":
        left_out["saved_nano"] = None
    return [Slice(one.value, replace(one.totals, **left_out)) for one in found]


def costs(rows: list[Any]) -> dict[Any, int]:
    found: Counter[Any] = Counter()
    for row in rows:
        if row.cost_nano is not None:
            found[row.model_id] += row.cost_nano
    return dict(found)


def errors(rows: list[Any]) -> dict[str, int]:
    return dict(Counter(row.error_kind for row in rows if row.status == "failed"))
