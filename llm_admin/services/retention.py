"""Old texts and rows are removed, as the workspace's settings say: in small pieces, each recorded with what it did.

The ticker does it once an hour; people may at once, from the settings page or with `manage.py prune`. Numbers of
dashboards stay: they are folded for good before any row goes.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Q
from django.utils import timezone

from llm_admin.choices import PruneStarter, PruneStatus
from llm_admin.exceptions import Conflict, InvalidInput
from llm_admin.jobs.writer import WRITER
from llm_admin.models import PruneRecord, Workspace
from llm_admin.services import retention_parts as parts
from llm_admin.services.actors import Actor
from llm_admin.services.live import LIVE, executor_id

logger = logging.getLogger(__name__)
EVERY = dt.timedelta(hours=1)
WHOLE_EVERY = dt.timedelta(days=1)  # what ended long after it began, or came late, is found by then
LATE = dt.timedelta(days=2)
LEASE_SECONDS = 60
AT_ONCE = 200  # rows in one transaction: some 50 ms, with the words by which their texts are found
PAUSE = 0.05  # seconds between two pieces; at least as long as the piece before took, so others write in between

Write = Callable[[Callable[[], Any]], Any]


def start(*, actor: Actor, by: PruneStarter = PruneStarter.PERSON) -> PruneRecord:
    """In the background. Raises Conflict while it is done already, InvalidInput when everything is kept."""
    record = _new(actor, by)
    transaction.on_commit(lambda: _in_background(record.pk))
    return record


def run(*, actor: Actor, by: PruneStarter = PruneStarter.COMMAND) -> PruneRecord:
    """The same, here and now."""
    record = _new(actor, by)
    work(record.pk)
    record.refresh_from_db()
    return record


def _new(actor: Actor, by: PruneStarter) -> PruneRecord:
    actor.require("change_workspace")
    if not _keeps_less(actor.workspace):
        raise InvalidInput("This workspace keeps everything. Say in its settings after how many days something may go.")
    record = _begin(actor.workspace, by, actor.user, whole=True)
    if record is None:
        raise Conflict("Old texts and rows are being removed already. It is done in a moment.")
    return record


def _keeps_less(workspace: Workspace) -> bool:
    return workspace.keep_texts_days is not None or workspace.keep_logs_days is not None


def _begin(workspace: Workspace, by: PruneStarter, user: Any, *, whole: bool) -> PruneRecord | None:
    """None: somebody is at it."""
    now = timezone.now()
    running = PruneRecord._base_manager.filter(workspace=workspace, status=PruneStatus.RUNNING)
    died = running.filter(Q(lease_expires_at=None) | Q(lease_expires_at__lt=now))
    died.update(status=PruneStatus.INTERRUPTED, ended_at=now, lease_expires_at=None)
    made = PruneRecord(
        workspace=workspace,
        started_by=by,
        user=user,
        texts_before=parts.moment(_texts_days(workspace)),
        rows_before=parts.moment(workspace.keep_logs_days),
        whole=whole,
        executor=executor_id(),
        lease_expires_at=now + dt.timedelta(seconds=LEASE_SECONDS),
        created_at=now,
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        return None
    return made


def _texts_days(workspace: Workspace) -> int | None:
    """Where rows go earlier, their texts go with them."""
    texts, rows = workspace.keep_texts_days, workspace.keep_logs_days
    return None if texts is None or (rows is not None and rows <= texts) else texts


def due() -> list[PruneRecord]:
    """Begun for every workspace that was not looked at for an hour. For the ticker, in the writer's thread."""
    now, begun = timezone.now(), []
    rows = Workspace.objects.exclude(keep_texts_days=None, keep_logs_days=None)
    for workspace in rows:
        ours = PruneRecord._base_manager.filter(workspace=workspace)
        if _finished(ours).filter(created_at__gt=now - EVERY).exists():
            continue
        whole = not _finished(ours).filter(whole=True, created_at__gt=now - WHOLE_EVERY).exists()
        record = _begin(workspace, PruneStarter.TICKER, None, whole=whole)
        if record is not None:
            begun.append(record)
    return begun


async def tick() -> None:
    for record in await WRITER.write(due):
        _in_background(record.pk)


def _finished(records: Any) -> Any:
    return records.filter(status=PruneStatus.FINISHED)


def _in_background(record_id: int) -> None:
    threading.Thread(target=_thread, args=(record_id,), name="llm-retention", daemon=True).start()


def _thread(record_id: int) -> None:
    try:
        work(record_id)
    except DatabaseError:
        logger.exception("Old texts and rows could not be removed. What is left is removed the next time.")
    finally:
        connection.close()


def work(record_id: int, *, write: Write | None = None, pause: float = PAUSE) -> None:
    """Until nothing is left, this process goes down, or another one has it. `write`: instead of the writer's thread."""
    put: Write = write or WRITER.write_sync
    record = PruneRecord._base_manager.get(pk=record_id)
    goes_on = True
    if record.rows_before is not None:  # first: what goes as a whole needs no emptying
        until = parts.frozen_until(record.workspace_id, record.rows_before)
        put(lambda: PruneRecord._base_manager.filter(pk=record.pk).update(rows_before=until))
        span = parts.Span(record.workspace_id, until)
        goes_on = all(_drain(record, part, span, put, pause) for part in parts.ROWS)
    if goes_on and record.texts_before is not None:
        span = parts.Span(record.workspace_id, record.texts_before, _since(record))
        goes_on = all(_drain(record, part, span, put, pause) for part in parts.TEXTS)
    put(lambda: _end(record, PruneStatus.FINISHED if goes_on else PruneStatus.INTERRUPTED))


def _since(record: PruneRecord) -> dt.datetime | None:
    """What is older had its texts removed by the passes before, but for a few that the next whole one finds."""
    if record.whole:
        return None
    earlier = _finished(PruneRecord._base_manager.filter(workspace=record.workspace_id, texts_before__isnull=False))
    last = earlier.order_by("-texts_before").values_list("texts_before", flat=True).first()
    return last - LATE if last else None


def _drain(record: PruneRecord, part: parts.Part, span: parts.Span, write: Write, pause: float) -> bool:
    """Whether it came to its end."""
    after, renewed = None, 0.0
    while not LIVE.stopping:
        found = part.find(span, after)
        some = [found.ids[n : n + AT_ONCE] for n in range(0, len(found.ids), AT_ONCE)]
        if not some and time.monotonic() > renewed + LEASE_SECONDS / 4:
            some = [[]]
        for ids in some:
            began = time.monotonic()
            if LIVE.stopping or not write(partial(_remove, record, part, ids)):
                return False
            renewed = time.monotonic()
            time.sleep(max(pause, min(renewed - began, 1.0)) if pause else 0)
        if found.after is None:
            return True
        after = found.after
    return False


def _remove(record: PruneRecord, part: parts.Part, ids: list[Any]) -> bool:
    """With its count and the lease in one transaction. False: it is not ours any more."""
    until = timezone.now() + dt.timedelta(seconds=LEASE_SECONDS)
    ours = PruneRecord._base_manager.filter(pk=record.pk, status=PruneStatus.RUNNING, executor=executor_id())
    if not ours.update(lease_expires_at=until):
        return False
    if ids:
        ours.update(**{part.name: F(part.name) + part.remove(ids)})
    return True


def _end(record: PruneRecord, status: PruneStatus) -> None:
    """Of passes by itself that found nothing only the newest is kept (and that of a whole one)."""
    ours = PruneRecord._base_manager.filter(pk=record.pk, status=PruneStatus.RUNNING, executor=executor_id())
    if not ours.update(status=status, ended_at=timezone.now(), executor="", lease_expires_at=None):
        return
    nothing = dict.fromkeys(WORDS, 0)
    before = PruneRecord._base_manager.filter(workspace=record.workspace_id, started_by=PruneStarter.TICKER)
    empty = _finished(before).filter(pk__lt=record.pk, **nothing)
    if status == PruneStatus.FINISHED:
        (empty if record.whole else empty.filter(whole=False)).delete()


WORDS = {
    "texts": ("the texts of 1 call", "the texts of {:,} calls"),
    "runs_emptied": ("the texts of 1 run", "the texts of {:,} runs"),
    "rows_emptied": ("the texts of 1 row of a batch", "the texts of {:,} rows of batches"),
    "logs": ("1 call", "{:,} calls"),
    "runs": ("1 run", "{:,} runs"),
    "batches": ("1 batch", "{:,} batches"),
}


def sentence(record: PruneRecord) -> str:
    """“Removed 3 runs and 1 batch.”"""
    found = [
        one if number == 1 else many.format(number)
        for name, (one, many) in WORDS.items()
        if (number := getattr(record, name))
    ]
    if not found:
        return "Nothing was old enough."
    words = found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"
    return f"Removed {words}."
