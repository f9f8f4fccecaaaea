"""Folds a database from nothing in a process of its own, measures it, and compares numbers with plain SQL."""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

from logs_clock import stand_still
from logs_database import set_up
from logs_plain import differences, sums
from logs_rows import DAYS, END

ROLLUPS = "llm_admin_usage"
ZONES = ("Europe/Berlin",)
COMPARED: tuple[dict[str, Any], ...] = ({}, {"source": "code"}, {"cached": False, "status": "failed"})


def forget() -> None:
    """As if rollups had only just been introduced."""
    from django.db import connection

    from llm_admin.models import Workspace, rollup_triggers
    from llm_admin.services import rollup_days

    tables = [name for name in connection.introspection.table_names() if name.startswith(ROLLUPS)]
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"delete from {table}")  # noqa: S608
    rollup_triggers.backfill(connection)
    for workspace in Workspace.objects.all():
        for zone in ZONES:
            rollup_days.use_zone(workspace.pk, zone)


def fold() -> dict[str, Any]:
    from llm_admin.services import rollups

    began, cpu = time.perf_counter(), time.process_time()
    counts = rollups.fold_all()
    return {"rows": counts.rows, "seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}  # fmt: skip


def compare() -> tuple[str, str]:
    """(what differs, how much faster than plain SQL the same numbers are)"""
    from django.db import connection

    from llm_admin.selectors import usage
    from llm_admin.services import workspaces
    from llm_admin.tenancy import workspace_scope

    workspace, since = workspaces.default(), END - dt.timedelta(days=DAYS)
    wrong, ratios = [], []
    for given in COMPARED:
        began = time.perf_counter()
        with connection.cursor() as cursor:
            plain = sums(cursor, workspace.pk, since, END, given)
        between = time.perf_counter()
        with workspace_scope(workspace):
            wrong += differences(plain, usage.totals(usage.UsageFilter(since=since, until=END, **given)))
        ratios.append((between - began) / (time.perf_counter() - between))
    said = (
        f"the numbers of 90 days: {min(ratios):,.0f} to {max(ratios):,.0f} times as fast as by plain SQL over the rows"
    )
    return "; ".join(wrong) or "yes", said


def sizes() -> dict[str, float]:
    """MB of each table with its indexes; the search index counts as one."""
    from django.db import connection

    found: dict[str, float] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "select tbl_name, sum(pages) * (select page_size from pragma_page_size) "
            "from (select name, pageno as pages from dbstat where aggregate = 1) "
            "join sqlite_master using (name) where tbl_name like 'llm_admin_%' group by 1 order by 2 desc"
        )
        for table, size in cursor.fetchall():
            name = "llm_admin_logwords (search)" if table.startswith("llm_admin_logwords") else table
            found[name] = found.get(name, 0) + size / 1e6
    return {name: mb for name, mb in found.items() if mb >= 0.1}


def main(database: Path) -> None:
    set_up(database)
    from django.core.management import call_command

    began = time.perf_counter()
    call_command("migrate", verbosity=0)
    print(f"{database.stem}: migrations took {time.perf_counter() - began:.1f} s")
    stand_still(END)
    forget()
    answer = fold()
    answer["verified"], said = compare()
    print(f"{database.stem}: {said}")
    answer["tables"] = sizes()
    answer["rollups_mb"] = sum(mb for name, mb in answer["tables"].items() if name.startswith(ROLLUPS))
    print(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
