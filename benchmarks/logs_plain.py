"""The numbers of a filter by plain SQL over the raw rows: what rollups must equal, and what they are faster than."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

COLUMNS = {
    "model": "model_id",
    "deployment": "deployment_id",
    "prompt": "prompt_id",
    "version": "prompt_version_id",
    "workflow": "workflow_id",
    "source": "source",
    "user": "user_id",
    "status": "status",
    "error": "error_kind",
    "cached": "cached",
}
SUMS = """count(*), count(*) filter (where status = 'failed'),
    count(*) filter (where status in ('cancelled', 'interrupted')), sum(cost_nano), count(*) - count(cost_nano),
    coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0), count(*) filter (where cached)"""
NAMES = ("calls", "errors", "stopped", "cost_nano", "unknown_cost", "input_tokens", "output_tokens", "cached")
MOST_WRONG = 0.025  # of a percentile; half a millisecond may come from rounding


def sums(cursor: Any, workspace: int, since: dt.datetime, until: dt.datetime, given: dict[str, Any]) -> dict[str, Any]:
    where, values = _where(workspace, since, until, given)
    cursor.execute(f"select {SUMS} from llm_admin_interactionlog where {where}", values)  # noqa: S608
    found = dict(zip(NAMES, cursor.fetchone(), strict=True))
    if not found["calls"]:
        found["cost_nano"] = 0
    return found | {f"p{n}_ms": _percentile(cursor, where, values, n) for n in (50, 95)}


def by(
    cursor: Any, workspace: int, since: dt.datetime, until: dt.datetime, dimension: str
) -> dict[Any, dict[str, Any]]:
    """The same for each value of a dimension."""
    column, (where, values) = COLUMNS[dimension], _where(workspace, since, until, {})
    cursor.execute(f"select {column}, {SUMS} from llm_admin_interactionlog where {where} group by 1", values)  # noqa: S608
    found = {row[0]: dict(zip(NAMES, row[1:], strict=True)) for row in cursor.fetchall()}
    asked = f"where {where} and not cached order by 1, 2"
    cursor.execute(f"select {column}, latency_ms from llm_admin_interactionlog {asked}", values)  # noqa: S608
    times: dict[Any, list[int]] = {value: [] for value in found}
    for value, latency in cursor.fetchall():
        times[value].append(latency)
    for value, one in found.items():
        one |= {f"p{n}_ms": nearest_rank(times[value], n) for n in (50, 95)}
    return found


def nearest_rank(ordered: list[int], percent: int) -> int | None:
    return ordered[-(-percent * len(ordered) // 100) - 1] if ordered else None


def differences(plain: dict[str, Any], totals: Any) -> list[str]:
    """In words; percentiles may be as wrong as the histograms are."""
    return [
        f"{name}: {getattr(totals, name)} instead of {expected}"
        for name, expected in plain.items()
        if not _same(name, expected, getattr(totals, name))
    ]


def _same(name: str, expected: Any, found: Any) -> bool:
    if expected is None or found is None or not name.startswith("p"):
        return bool(expected == found)
    return bool(abs(found - expected) <= max(0.5, MOST_WRONG * expected))


def _where(workspace: int, since: dt.datetime, until: dt.datetime, given: dict[str, Any]) -> tuple[str, Iterable[Any]]:
    """A value of None: the calls that name none."""
    parts, values = (
        ["workspace_id = %s", "created_at >= %s", "created_at < %s"],
        [workspace, _written(since), _written(until)],
    )
    for name, value in given.items():
        parts.append(f"{COLUMNS[name]} is null" if value is None else f"{COLUMNS[name]} = %s")
        values += [] if value is None else [value]
    return " and ".join(parts), values


def _written(moment: dt.datetime) -> str:
    return str(moment.astimezone(dt.UTC).replace(tzinfo=None))


def _percentile(cursor: Any, where: str, values: Iterable[Any], percent: int) -> int | None:
    """The smallest latency that so many of those that were really asked do not exceed."""
    asked = f"from llm_admin_interactionlog where {where} and not cached"
    cursor.execute(f"select count(*) {asked}", values)
    if not (count := cursor.fetchone()[0]):
        return None
    cursor.execute(
        f"select latency_ms {asked} order by latency_ms limit 1 offset {-(-percent * count // 100) - 1}", values
    )
    return cursor.fetchone()[0]
