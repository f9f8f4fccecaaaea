"""Raw logs as a block, one cell a row: what is folded into rollups, and the newest rows that are not yet."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.db import connection, models

from llm_admin.rollups.codes import UNKNOWN, WORDS, key_of

if TYPE_CHECKING:
    from llm_admin.rollups.blocks import Block

STRFTIME = "strftime('%%s', "
KEYS = ("model_id", "deployment_id", "prompt_id", "prompt_version_id", "workflow_id")


def read(
    workspace_id: int,
    spans: Sequence[tuple[dt.datetime, dt.datetime]],
    *,
    after_id: int = 0,
    until_id: int | None = None,
    where: Sequence[tuple[str, Sequence[Any]]] = (),
) -> Block:
    """Each span up to but not including its end; `where`: further columns of the log, each with its values.

    A row's `tag` is the number of its quarter of an hour (`slot_number`).
    """
    adapt = connection.ops.adapt_datetimefield_value
    within = " OR ".join(["(workspace_id = %s AND created_at >= %s AND created_at < %s)"] * len(spans))
    sql = [f"{_select()} WHERE ({within})"]
    given: list[Any] = [one for since, until in spans for one in (workspace_id, adapt(since), adapt(until))]
    if after_id:
        sql.append("AND id > %s")
        given.append(after_id)
    if until_id is not None:
        sql.append("AND id <= %s")
        given.append(until_id)
    for column, values in where:
        marks = ", ".join(["%s"] * len(values))
        sql.append(f"AND {connection.ops.quote_name(column)} IN ({marks})")
        given += values
    with connection.cursor() as cursor:
        cursor.execute(" ".join(sql), given)
        return _block(cursor.fetchall())


def slot_number(moment: dt.datetime) -> int:
    return int(moment.timestamp()) // 900


def newest_id() -> int:
    """Of all logs; 0 where there are none."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT MAX(id) FROM llm_admin_interactionlog")
        return cursor.fetchone()[0] or 0


@lru_cache(maxsize=1)
def _select() -> str:
    """Whole numbers only, so that a row becomes a row of an array: written by hand, since nothing is faster to read."""
    words = {"source": "source", "status": "status", "error": "error_kind"}
    if connection.vendor == "sqlite":
        known = sqlite3.sqlite_version_info >= (3, 38)  # half a microsecond a row less, a tenth of what folding takes
        slot = f"{'unixepoch(' if known else STRFTIME}substr(created_at, 1, 19)) / 900"
    else:
        slot = "CAST(floor(extract(epoch FROM created_at) / 900) AS BIGINT)"
    fields = [
        slot,
        *(f"COALESCE({name} + 1, 0)" for name in KEYS),
        "user_id" if not _people_are_numbers() else "COALESCE(user_id + 1, 0)",
        *(_code(column, WORDS[dimension]) for dimension, column in words.items()),
        "CASE WHEN cached THEN 1 ELSE 0 END",
        "CASE WHEN cost_nano IS NULL THEN 0 ELSE 1 END",
        "COALESCE(cost_nano, 0)",
        "COALESCE(input_tokens, 0)",
        "COALESCE(output_tokens, 0)",
        "latency_ms",
        "COALESCE(first_token_ms, -1)",
    ]
    return f"SELECT {', '.join(fields)} FROM llm_admin_interactionlog"  # noqa: S608 - nothing comes from outside


def _code(column: str, numbers: dict[str, int]) -> str:
    cases = " ".join(f"WHEN '{word}' THEN {number}" for word, number in numbers.items())
    return f"CASE {column} {cases} ELSE {UNKNOWN} END"


def _people_are_numbers() -> bool:
    return isinstance(get_user_model()._meta.pk, models.IntegerField)


def _block(rows: list[tuple[Any, ...]]) -> Block:
    import numpy as np

    from llm_admin.rollups.bins import bins_of
    from llm_admin.rollups.blocks import Block, Histograms

    if not _people_are_numbers():
        rows = [(*row[:6], key_of(row[6]), *row[7:]) for row in rows]
    width = 17
    table = np.fromiter(chain.from_iterable(rows), dtype=np.int64, count=width * len(rows)).reshape(-1, width).T.copy()
    slot, model, deployment, prompt, version, workflow, user, source, status, error, cached = table[:11]
    priced, cost, sent, answered, latency, first = table[11:]
    one = np.ones(len(rows), dtype=np.int64)
    asked, tokens = 1 - cached, sent + answered
    timed = asked * (first >= 0)
    columns = {
        "tag": slot,
        "model": model,
        "deployment": deployment,
        "prompt": prompt,
        "version": version,
        "workflow": workflow,
        "user": user,
        "source": source,
        "status": status,
        "error": error,
        "cached": cached,
        "calls": one,
        "failed": (status == WORDS["status"]["failed"]).astype(np.int64),
        "stopped": (status >= WORDS["status"]["cancelled"]).astype(np.int64),
        "hits": cached,
        "priced": priced,
        "cost": cost,
        "input": sent,
        "output": answered,
        "paid_tokens": tokens * asked * priced,
        "hit_tokens": tokens * cached,
        "latency": asked,
        "first": timed,
    }
    times = {
        name: Histograms(bins_of(values[kept > 0]), one[kept > 0])
        for name, values, kept in (("latency", latency, asked), ("first", first, timed))
    }
    return Block(columns, times)
