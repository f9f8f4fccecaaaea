"""What is so at this moment, read when Prometheus asks: from the database, and from this process."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import django
from django.db import DatabaseError
from django.db.models import Count, Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from llm_admin.choices import (
    MONITOR_FIRING,
    RUN_OPEN,
    ApprovalStatus,
    BatchStatus,
    MonitorState,
    RowStatus,
    RunStatus,
)
from llm_admin.jobs.writer import WRITER
from llm_admin.models import Approval, Batch, BatchRow, Connection, Lease, Monitor, Run, Workspace
from llm_admin.services import rollups
from llm_admin.services.live import LIVE

PREFIX = "llm_console_"
TICKER = "ticker"


class Gauges:
    def collect(self) -> Iterator[Metric]:
        """Without a database only what is of this process, and that there is no database."""
        yield from _process()
        try:
            found = list(_database())
        except DatabaseError:
            found = []
        yield _gauge("database_up", "Whether the database answered.", (), [((), float(bool(found)))])
        yield from found


def _gauge(
    name: str, words: str, labels: Iterable[str], values: Iterable[tuple[tuple[Any, ...], float | None]]
) -> GaugeMetricFamily:
    made = GaugeMetricFamily(PREFIX + name, words, labels=list(labels))
    for given, value in values:
        if value is not None:
            made.add_metric([str(one) for one in given], float(value))
    return made


def _process() -> Iterator[Metric]:
    try:
        release = version("llm-console")
    except PackageNotFoundError:  # run from a checkout
        release = "unreleased"
    info = ((release, platform.python_version(), django.get_version()), 1.0)
    yield _gauge("build_info", "What is running here.", ("version", "python", "django"), [info])
    yield _gauge("live_runs", "Runs that this process executes.", (), [((), len(LIVE))])
    yield _gauge("writer_queue", "Writes that wait in this process.", (), [((), WRITER.waiting)])
    yield _gauge("stopping", "1 while this process goes down.", (), [((), LIVE.stopping)])


def _database() -> Iterator[Metric]:
    slugs = dict(Workspace.objects.values_list("pk", "slug"))
    yield from _runs(slugs)
    yield from _batches(slugs)
    rows: Any = Connection._base_manager.exclude(healthy=None).values_list("workspace", "name", "healthy")
    up = [((slugs[where], name), healthy) for where, name, healthy in rows]
    yield _gauge("connection_up", "What a connection's last test or call said.", ("workspace", "connection"), up)
    rows = Monitor._base_manager.exclude(state=MonitorState.UNKNOWN).values_list("workspace", "name", "state")
    firing = [((slugs[where], name), state in MONITOR_FIRING) for where, name, state in rows]
    yield _gauge("monitor_firing", "1: it warns, alarms, or has no data.", ("workspace", "monitor"), firing)
    lease = Lease.objects.filter(name=TICKER).first()
    looked_after = lease is not None and lease.expires_at >= timezone.now()
    yield _gauge("ticker_up", "Whether some process looks after runs.", (), [((), looked_after)])
    yield _gauge("rollup_lag_seconds", "How far the sums of calls lie behind.", (), [((), _lag())])


def _runs(slugs: dict[int, str]) -> Iterator[Metric]:
    """Every workspace has a number, also 0: an alert on a series that is not there never fires."""
    open_ = Run._base_manager.filter(status__in=RUN_OPEN).order_by()
    counts = {(where, status): 0 for where in slugs for status in (*RUN_OPEN, RunStatus.WAITING)}
    counts |= {
        (where, RunStatus(s)): n for where, s, n in open_.values_list("workspace", "status").annotate(Count("pk"))
    }
    asked = Approval._base_manager.filter(status=ApprovalStatus.PENDING).order_by()
    waiting: Any = asked.values_list("workspace").annotate(Count("run", distinct=True))
    counts |= {(where, RunStatus.WAITING): many for where, many in waiting}
    values = [((slugs[where], status.value), many) for (where, status), many in counts.items() if where in slugs]
    yield _gauge("runs", "Runs that have not ended.", ("workspace", "status"), values)
    oldest: Any = open_.filter(status=RunStatus.PENDING).values_list("workspace").annotate(Min("created_at"))
    now = timezone.now()
    ages = [((slugs[where],), (now - begun).total_seconds()) for where, begun in oldest]
    yield _gauge("oldest_pending_run_seconds", "How long a run has waited to start.", ("workspace",), ages)


def _batches(slugs: dict[int, str]) -> Iterator[Metric]:
    going = {BatchStatus.RUNNING: 0, BatchStatus.PAUSED: 0}
    rows = Batch._base_manager.filter(status__in=list(going)).order_by()
    counts = {(where, status): number for where in slugs for status, number in going.items()}
    counts |= {
        (where, BatchStatus(s)): n for where, s, n in rows.values_list("workspace", "status").annotate(Count("pk"))
    }
    values = [((slugs[where], status.value), many) for (where, status), many in counts.items()]
    yield _gauge("batches", "Batches that have not ended.", ("workspace", "status"), values)
    running = rows.filter(status=BatchStatus.RUNNING).values("pk")
    pending = BatchRow._base_manager.filter(batch__in=running, status=RowStatus.PENDING).order_by()
    waiting = dict.fromkeys(slugs, 0) | dict(pending.values_list("batch__workspace").annotate(Count("pk")))
    yield _gauge(
        "batch_rows_pending",
        "Rows that wait for their turn.",
        ("workspace",),
        [((slugs[k],), n) for k, n in waiting.items()],
    )


def _lag() -> float:
    lag = rollups.lag()
    return lag.total_seconds() if lag else 0.0
