"""Triggers that count, for each quarter of an hour, the changes of its logs: whoever writes them, and however.

Installed after every migration: on SQLite, a migration that alters the table of logs makes a new one, without them.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

# The log's columns that numbers are made of.
WATCHED = (
    "created_at, workspace_id, status, error_kind, source, cached, prompt_id, prompt_version_id, workflow_id, "
    "model_id, deployment_id, user_id, input_tokens, output_tokens, cost_nano, first_token_ms, latency_ms"
)
COUNT_UP = """INSERT INTO llm_admin_usageslot
    (workspace_id, start, changes, folded, breaks, mended, last_id, frozen)
    VALUES (NEW.workspace_id, {start}, 1, 0, 0, 0, 0, {false})
    ON CONFLICT (workspace_id, start) DO UPDATE SET changes = llm_admin_usageslot.changes + 1,
    breaks = llm_admin_usageslot.breaks + CASE WHEN NEW.id <= llm_admin_usageslot.last_id THEN 1 ELSE 0 END;"""
BREAK = """UPDATE llm_admin_usageslot SET changes = changes + 1,
    breaks = breaks + CASE WHEN OLD.id <= last_id THEN 1 ELSE 0 END
    WHERE workspace_id = OLD.workspace_id AND start = {start} AND NOT frozen;"""
MOVED = "OLD.created_at <> NEW.created_at OR OLD.workspace_id <> NEW.workspace_id"
TABLE = "llm_admin_interactionlog"


def install(connection: BaseDatabaseWrapper) -> None:
    if TABLE not in connection.introspection.table_names():
        return
    statements = {"sqlite": _sqlite, "postgresql": _postgresql}[connection.vendor]()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite" and _is_installed(cursor, statements):
            return
        for statement in statements:
            cursor.execute(statement)


def _is_installed(cursor: Any, statements: list[str]) -> bool:
    cursor.execute("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [TABLE])
    return {row[0] for row in cursor.fetchall()} >= {one for one in statements if one.startswith("CREATE")}


def _slot_in_sqlite(row: str) -> str:
    """As Django writes a time: 2026-11-23 16:45:00"""
    minutes = f"CAST(substr({row}.created_at, 15, 2) AS INTEGER) / 15 * 15"
    return f"substr({row}.created_at, 1, 14) || printf('%02d:00', {minutes})"


def _sqlite() -> list[str]:
    up = COUNT_UP.format(start=_slot_in_sqlite("NEW"), false="0")
    down = BREAK.format(start=_slot_in_sqlite("OLD"))
    bodies = {
        "insert": f"AFTER INSERT ON {TABLE} BEGIN {up} END",
        "update": f"AFTER UPDATE OF {WATCHED} ON {TABLE} BEGIN {down} END",
        "move": f"AFTER UPDATE OF created_at, workspace_id ON {TABLE} WHEN {MOVED} BEGIN {up} END",
        "delete": f"AFTER DELETE ON {TABLE} BEGIN {down} END",
    }
    found = []
    for name, body in bodies.items():
        found += [
            f"DROP TRIGGER IF EXISTS llm_admin_usage_{name}",
            f"CREATE TRIGGER llm_admin_usage_{name} {body}",
        ]
    return found


def _postgresql() -> list[str]:
    slot = "date_bin('15 minutes', {}.created_at, TIMESTAMPTZ '2000-01-01 00:00:00+00')"
    up = COUNT_UP.format(start=slot.format("NEW"), false="FALSE")
    down = BREAK.format(start=slot.format("OLD"))
    functions = {
        "insert": ("AFTER INSERT", f"{up} RETURN NULL;"),
        "update": (f"AFTER UPDATE OF {WATCHED}", f"{down} IF {MOVED} THEN {up} END IF; RETURN NULL;"),
        "delete": ("AFTER DELETE", f"{down} RETURN NULL;"),
    }
    found = []
    for name, (when, body) in functions.items():
        function = f"llm_admin_usage_{name}"
        found += [
            f"CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$",
            f"DROP TRIGGER IF EXISTS {function} ON {TABLE}",
            f"CREATE TRIGGER {function} {when} ON {TABLE} FOR EACH ROW EXECUTE FUNCTION {function}()",
        ]
    return found


def backfill(connection: BaseDatabaseWrapper) -> None:
    """Of logs that are older than the triggers: nothing of them is in a block yet."""
    start = (
        _slot_in_sqlite("log")
        if connection.vendor == "sqlite"
        else ("date_bin('15 minutes', log.created_at, TIMESTAMPTZ '2000-01-01 00:00:00+00')")
    )
    false = "0" if connection.vendor == "sqlite" else "FALSE"
    into = "INSERT INTO llm_admin_usageslot (workspace_id, start, changes, folded, breaks, mended, last_id, frozen) "
    rows = f"SELECT workspace_id, {start}, COUNT(*), 0, 0, 0, 0, {false} FROM {TABLE} log GROUP BY 1, 2"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(into + rows)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Before the tables go that they write to."""
    of = "" if connection.vendor == "sqlite" else f" ON {TABLE}"
    with connection.cursor() as cursor:
        for name in ("insert", "update", "move", "delete"):
            cursor.execute(f"DROP TRIGGER IF EXISTS llm_admin_usage_{name}{of}")
