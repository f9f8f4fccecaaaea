"""The checks that are always there. Each gets a workspace, or None for all."""

from __future__ import annotations

import time
import uuid
from concurrent.futures import TimeoutError as TooLate
from datetime import timedelta

from django.core.cache import cache as default_cache
from django.db import connection as database_connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Exists, OuterRef
from django.utils import timezone

from llm_admin.choices import RunStatus
from llm_admin.conf import settings
from llm_admin.jobs.local import LOCAL
from llm_admin.models import Connection, Deployment, Lease, Run, Workspace
from llm_admin.services.health import Finding
from llm_admin.services.server import TICKER

SLOW_MS = 500
LOOP_TIMEOUT = 2.0
PATIENCE = timedelta(seconds=60)  # what waits for longer than this to begin waits in vain
MOST_NAMES = 5
_migrated = False


def database(workspace: Workspace | None) -> Finding:
    """Writes, reads and deletes a row."""
    now, name = timezone.now(), f"health:{uuid.uuid4().hex[:12]}"
    Lease.objects.filter(name__startswith="health:", expires_at__lt=now).delete()
    began = time.perf_counter()
    Lease.objects.create(name=name, holder="health", expires_at=now + timedelta(minutes=1))
    wrote = _since(began)
    began = time.perf_counter()
    Lease.objects.get(name=name)
    read = _since(began)
    Lease.objects.filter(name=name).delete()
    words = f"{database_connection.display_name}: a row is written in {wrote:.1f} ms and read in {read:.1f} ms."
    if max(wrote, read) > SLOW_MS:
        return Finding.look(f"Slow. {words}")
    return Finding.works(words)


def migrations(workspace: Workspace | None) -> Finding:
    """What is applied stays applied: then it is not looked up again."""
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(database_connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if missing:
            words = "1 is" if len(missing) == 1 else f"{len(missing)} are"
            return Finding.broken(f"{words} not applied. Run manage.py migrate.")
        _migrated = True
    return Finding.works("All are applied.")


def cache(workspace: Workspace | None) -> Finding:
    name, value = f"llm_admin.health.{uuid.uuid4().hex}", uuid.uuid4().hex
    began = time.perf_counter()
    default_cache.set(name, value, 60)
    found = default_cache.get(name)
    took = _since(began)
    default_cache.delete(name)
    if found != value:
        return Finding.broken("What is put in does not come out. Look at CACHES in the settings.")
    words = f"A value is put in and read in {took:.1f} ms."
    return Finding.look(f"Slow. {words}") if took > SLOW_MS else Finding.works(words)


def jobs(workspace: Workspace | None) -> Finding:
    """Whether somebody looks after runs, this process's loop answers, and nothing waits in vain."""
    if not _loop_answers():
        return Finding.broken("The loop that executes runs in this process does not answer. Start the server again.")
    now = timezone.now()
    lease = Lease.objects.filter(name=TICKER).first()
    if lease is None:
        return Finding.look("Nobody looks after runs yet. A server does, some seconds after its start.")
    if lease.expires_at < now:
        since = int((now - lease.expires_at).total_seconds())
        return Finding.broken(f"No server has looked after runs for {since} s. Start one.")
    if stalled := _stalled(workspace):
        words = "1 run waits" if stalled == 1 else f"{stalled} runs wait"
        return Finding.broken(f"{words} in vain: look at the server's log, or start it again.")
    return Finding.works("Runs are looked after, and none waits in vain.")


def _loop_answers() -> bool:
    async def answer() -> None:
        return

    if not LOCAL.is_running:
        return True
    try:
        LOCAL.submit(answer()).result(LOOP_TIMEOUT)
    except TooLate:
        return False
    return True


def _stalled(workspace: Workspace | None) -> int:
    now, rows = timezone.now(), Run._base_manager.all()
    if workspace is not None:
        rows = rows.filter(workspace=workspace)
    lost = now - timedelta(seconds=settings().LEASE_SECONDS)
    abandoned = rows.filter(status=RunStatus.RUNNING, lease_expires_at__lt=lost)
    waiting = rows.filter(status=RunStatus.PENDING, created_at__lt=now - PATIENCE, batch__isnull=True)
    return abandoned.count() + waiting.count()


def providers(workspace: Workspace | None) -> Finding:
    """What tests and calls said of the connections; nobody is asked now."""
    rows = Connection._base_manager.all()
    if workspace is not None:
        rows = rows.filter(workspace=workspace)
    runs_here = Deployment._base_manager.filter(connection=OuterRef("pk"), enabled=True, model__enabled=True)
    found = list(rows.annotate(used=Exists(runs_here)).order_by("name").values_list("name", "healthy", "used"))
    used = [name for name, healthy, used in found if healthy is False and used]
    unused = [name for name, healthy, used in found if healthy is False and not used]
    if used:
        return Finding.broken(f"{_names(used)} did not work when last used or tested. Test each on its page.")
    if unused:
        return Finding.look(f"{_names(unused)} did not work when tested; no model uses it.")
    working = sum(healthy is True for _, healthy, _ in found)
    untested = len(found) - working
    if not found:
        return Finding.look("There is no connection yet.")
    if not working:
        return Finding.look("No connection was tested yet. Test each on its page.")
    rest = f", {untested} not tested yet" if untested else ""
    return Finding.works(f"{working} work{'s' if working == 1 else ''}{rest}.")


def _names(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(f"“{name}”" for name in names[:MOST_NAMES]) + more


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
