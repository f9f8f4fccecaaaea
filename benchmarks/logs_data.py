"""Writes generated logs straight into the tables of SQLite, as Django would have written them."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from logs_rows import DAYS, ERRORS, SELDOM_ERROR, SOURCES, STATUSES, Columns, chunks, version_of
from logs_texts import Texts
from logs_world import Workspace

SEED = 20_260_402
LOG = "llm_admin_interactionlog"
TEXT = "llm_admin_interactiontext"
TEXT_COLUMNS = ("log_id", "workspace_id", "messages", "answer", "error", "parameters")
TRIED = '[{"deployment_id": 1, "deployment": "demo", "error_kind": "rate_limit", "error": "Too many requests", '
TRIED += '"latency_ms": 120, "waited_ms": 400}]'
ERROR_KINDS = np.array([*ERRORS, SELDOM_ERROR, ""], dtype=object)
NOWHERE = list(ERRORS).index("internal")  # such a call did not get as far as a model
Batch = tuple[str, tuple[str, ...], Iterator[tuple[Any, ...]]]  # table, columns, rows


def batches(worlds: list[Workspace], count: int, texts: int, days: int = DAYS) -> Iterator[Batch]:
    """`count` logs, the newest `texts` of them with their texts."""
    words = Texts(count, SEED, worlds[0].id)
    for columns in chunks(worlds, count, SEED, days):
        named = _named(worlds, columns)
        yield LOG, tuple(named), zip(*_lists(named, len(columns["id"])), strict=True)
        kept = columns["id"] > count - texts
        if kept.any():
            yield TEXT, TEXT_COLUMNS, words.rows(columns, kept)


def fill(database: Path, worlds: list[Workspace], count: int, texts: int) -> None:
    """Indexes are made afterwards: it takes half the time. Triggers did not see the rows."""
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("pragma synchronous=off")
        connection.execute("pragma cache_size=-200000")
        indexes = _without_indexes(connection)
        connection.execute("begin")
        for table, columns, rows in batches(worlds, count, texts):
            connection.executemany(insertion(table, columns, "?"), rows)
            connection.execute("commit")
            connection.execute("begin")
        for statement in indexes:
            connection.execute(statement)
        connection.execute("commit")


def insertion(table: str, columns: tuple[str, ...], place: str) -> str:
    return f"insert into {table} ({', '.join(columns)}) values ({', '.join([place] * len(columns))})"  # noqa: S608


def _without_indexes(connection: sqlite3.Connection) -> list[str]:
    query = "select name, sql from sqlite_master where type in ('index', 'trigger') and tbl_name in (?, ?) and sql > ''"
    found = connection.execute(query, (LOG, TEXT)).fetchall()
    for name, statement in found:
        connection.execute(f"drop {statement.split()[1].lower().replace('unique', 'index')} {name}")
    return [statement for _, statement in found]


def _lists(named: Columns, amount: int) -> list[list[Any]]:
    return [[values] * amount if isinstance(values, str) else values for values in named.values()]


def _named(worlds: list[Workspace], drawn: Columns) -> Columns:
    """Numbers that were drawn become the keys and words that the table holds."""
    keys = {name: np.zeros(len(drawn["id"]), dtype=np.int64) for name in KEYS}
    for world in worlds:
        rows = np.flatnonzero(drawn["workspace_id"] == world.id)
        for name, values in _keys(world, {name: values[rows] for name, values in drawn.items()}).items():
            keys[name][rows] = values
    cached, status, failed = drawn["cached"], drawn["status"], drawn["status"] == 1
    kinds = ERROR_KINDS[drawn["error"]]
    kinds[status == 2], kinds[status == 3] = "cancelled", "interrupted"
    unknown = (status != 0) | (keys["price_id"] < 0) & ~cached
    return {
        "id": drawn["id"].tolist(),
        "workspace_id": drawn["workspace_id"].tolist(),
        "created_at": _moments(drawn["created"]),
        "kind": "chat",
        "status": STATUSES[status].tolist(),
        "error_kind": kinds.tolist(),
        "source": SOURCES[drawn["source"]].tolist(),
        "cached": cached.tolist(),
        "run_id": _run_ids(drawn),
        "step_path": np.array([*map(str, range(1, 20)), ""], dtype=object)[drawn["step"]].tolist(),
        **{name: _or_null(keys[name], keys[name] < 0) for name in KEYS if name not in ("nano_in", "nano_out")},
        "input_tokens": _or_null(drawn["input"], status != 0),
        "output_tokens": _or_null(drawn["output"], status != 0),
        "cached_input_tokens": _or_null(drawn["input"] // 2, (status != 0) | (drawn["chance"] > 0.2)),
        "cost_nano": _or_null(np.where(cached, 0, _cost(drawn, keys)), unknown),
        "first_token_ms": _or_null(drawn["first"], failed),
        "latency_ms": drawn["latency_ms"].tolist(),
        "tried": _or_null(np.full(len(cached), TRIED, dtype=object), cached | (drawn["chance"] < 0.99)),
    }


KEYS = ("prompt_id", "prompt_version_id", "workflow_id", "model_id", "deployment_id", "user_id", "price_id",
        "nano_in", "nano_out")  # fmt: skip


def _keys(world: Workspace, drawn: Columns) -> Columns:
    """-1: it names none."""
    versions = np.array([*(versions for _, versions in world.prompts), [-1] * len(world.prompts[0][1])])
    places = [(one.places * 2)[:2] for one in world.models]

    nowhere = drawn["error"] == NOWHERE

    def place(read: Any) -> Any:
        known = np.array([[-1 if (value := read(one)) is None else value for one in two] for two in places])
        return np.where(nowhere, -1, known[drawn["model"], drawn["place"]])

    return {
        "prompt_id": np.array([*(pk for pk, _ in world.prompts), -1])[drawn["prompt"]],
        "prompt_version_id": versions[drawn["prompt"], version_of(drawn["prompt"], drawn["age"], drawn["chance"])],
        "workflow_id": np.array([*(pk for pk, _ in world.workflows), -1])[drawn["flow"]],
        "model_id": np.where(nowhere, -1, np.array([one.id for one in world.models])[drawn["model"]]),
        "deployment_id": place(lambda one: one.id),
        "price_id": place(lambda one: one.price_id),
        "nano_in": place(lambda one: one.nano_in),
        "nano_out": place(lambda one: one.nano_out),
        "user_id": np.array([*world.users, -1])[drawn["user"]],
    }


def _cost(drawn: Columns, keys: Columns) -> Any:
    return drawn["input"] * keys["nano_in"] + drawn["output"] * keys["nano_out"]


def _moments(microseconds: Any) -> list[str]:
    """As Django writes them: `2026-01-02 03:04:05.000006`."""
    microseconds = microseconds + (microseconds % 1_000_000 == 0)
    written = np.datetime_as_string(microseconds.astype("datetime64[us]"), unit="us")
    written.view(np.uint32).reshape(len(written), -1)[:, 10] = ord(" ")
    return written.tolist()


def _run_ids(drawn: Columns) -> list[str]:
    pairs = zip((drawn["run_us"] // 1000).tolist(), drawn["run_low"].tolist(), strict=True)
    return [f"{ms:012x}7008{low:016x}" for ms, low in pairs]


def _or_null(values: Any, missing: Any) -> list[Any]:
    found = values.tolist()
    for row in np.flatnonzero(missing).tolist():
        found[row] = None
    return found
