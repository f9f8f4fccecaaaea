"""Databases with N generated logs, kept in a folder so that they are made once."""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent / ".cache"


def name_of(rows: int) -> str:
    for size, letter in ((1_000_000, "m"), (1_000, "k")):
        if rows % size == 0:
            return f"{rows // size}{letter}"
    return str(rows)


def set_up(database: Path | str) -> None:
    """Django on this database, in this process."""
    sys.path.insert(0, str(ROOT))
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "console.settings",
        "DATABASE_URL": f"sqlite:///{database}",
        "SECRET_KEY": "benchmark-" + "x" * 50,
        "ALLOWED_HOSTS": "testserver",
    }
    import django

    django.setup()


def make(database: Path, rows: int, texts: int) -> None:
    """In a process of its own. An unfinished one never has the final name."""
    from django.core.management import call_command
    from django.db import connection
    from logs_data import fill
    from logs_world import build

    from llm_admin.models import rollup_triggers

    call_command("migrate", verbosity=0)
    worlds = build()
    connection.close()
    began = time.perf_counter()
    fill(Path(connection.settings_dict["NAME"]), worlds, rows, texts)
    rollup_triggers.backfill(connection)
    took = time.perf_counter() - began
    connection.close()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{rows:,} logs and {min(texts, rows):,} texts in {took:.0f} s: {rows / took:,.0f} a second, {memory:.0f} MB")
    Path(connection.settings_dict["NAME"]).rename(database)


if __name__ == "__main__":
    final = Path(sys.argv[1])
    final.parent.mkdir(parents=True, exist_ok=True)
    unfinished = final.with_suffix(".unfinished")
    for left in final.parent.glob(f"{unfinished.name}*"):
        left.unlink()
    set_up(unfinished)
    make(final, int(sys.argv[2]), int(sys.argv[3]))
