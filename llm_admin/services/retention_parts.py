"""What is removed when it is old: each part finds some of it (a read that locks nothing), and removes those.

Never of what goes on: unfinished runs with their calls, and batches that may still go on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from llm_admin.choices import ROW_OPEN, RUN_UNFINISHED, BatchStatus
from llm_admin.models import (
    Approval,
    Batch,
    BatchRow,
    InteractionFeedback,
    InteractionLog,
    InteractionText,
    RowChange,
    Run,
    RunCheckpoint,
    RunError,
    RunStep,
)
from llm_admin.services import feedback, log_search, rollups

SLICE = 1_000  # rows that are looked at at a time
HEAVY_SLICE = 200  # of what has rows of its own below it
WORDS_GONE = "What went wrong in detail was removed when it had become old."


class Found(NamedTuple):
    """`after`: where the next slice begins; None: there is none."""

    ids: list[Any]
    after: Any


@dataclass(frozen=True)
class Span:
    """Of one workspace: what began before `before`, and (where a pass need not look at everything) since `since`."""

    workspace_id: int
    before: dt.datetime
    since: dt.datetime | None = None


@dataclass(frozen=True)
class Part:
    """`name`: what it is counted as (models.retention.COUNTED)."""

    name: str
    find: Callable[[Span, Any], Found]
    remove: Callable[[Sequence[Any]], int]


def _logs(span: Span, after: tuple[dt.datetime, int] | None) -> tuple[list[int], Any]:
    """The next slice of calls without those of unfinished runs."""
    rows = InteractionLog._base_manager.filter(workspace=span.workspace_id, created_at__lt=span.before)
    if after is not None:
        rows = rows.filter(created_at__gte=after[0]).exclude(created_at=after[0], pk__lte=after[1])
    elif span.since is not None:
        rows = rows.filter(created_at__gte=span.since)
    found = list(rows.order_by("created_at", "pk").values_list("pk", "created_at", "run_id")[:SLICE])
    busy = _busy({run for *_, run in found if run}, span.before)
    last = (found[-1][1], found[-1][0]) if len(found) == SLICE else None
    return [pk for pk, _, run in found if run not in busy], last


def _busy(runs: Iterable[UUID], before: dt.datetime) -> set[UUID]:
    rows = Run._base_manager.filter(pk__in=runs)
    settled = Q(batch=None) | Q(batch__in=_ended_batches(before).values("pk"))
    return set(rows.exclude(settled & ~Q(status__in=RUN_UNFINISHED)).values_list("pk", flat=True))


def _calls_with_texts(span: Span, after: Any) -> Found:
    ids, last = _logs(span, after)
    with_texts = InteractionText._base_manager.filter(pk__in=ids).values_list("pk", flat=True)
    notes = InteractionFeedback._base_manager.filter(log_id__in=ids).exclude(note="").values_list("log_id", flat=True)
    return Found(sorted({*with_texts, *notes}), last)


def remove_texts(ids: Sequence[int]) -> int:
    """Also of what was tried before, what was noted, and what can be searched."""
    log_search.forget(ids)
    for log in InteractionLog._base_manager.filter(pk__in=ids, tried__isnull=False).only("tried"):
        tried = [one | {"error": ""} for one in log.tried or ()]
        InteractionLog._base_manager.filter(pk=log.pk).update(tried=tried)
    feedback.forget_notes(ids)
    InteractionText._base_manager.filter(pk__in=ids).delete()
    return len(ids)


def _old_logs(span: Span, after: Any) -> Found:
    return Found(*_logs(span, after))


def remove_logs(ids: Sequence[int]) -> int:
    """What people thought of them stays and is counted; their notes go."""
    remove_texts(ids)
    InteractionLog._base_manager.filter(pk__in=ids).delete()
    return len(ids)


def first_id(moment: dt.datetime) -> UUID:
    """The smallest id that a run of this moment can have (version 7: they begin with their time)."""
    return UUID(int=max(0, int(moment.timestamp() * 1000)) << 80)


def _ended_runs(span: Span, after: Any) -> QuerySet[Run]:
    rows = Run._base_manager.filter(workspace=span.workspace_id, pk__lt=first_id(span.before))
    if after is not None:
        rows = rows.filter(pk__gt=after)
    elif span.since is not None:
        rows = rows.filter(pk__gte=first_id(span.since))
    return rows.order_by("pk")


def _runs(rows: QuerySet[Run], span: Span, wanted: Q, size: int) -> Found:
    """Of a slice of runs those that have ended, also what belongs to them, and are `wanted`."""
    ids = list(rows.values_list("pk", flat=True)[:size])
    below = Run._base_manager.filter(parent=OuterRef("pk"), status__in=RUN_UNFINISHED)
    ended = Run._base_manager.filter(wanted, ~Exists(below), pk__in=ids, ended_at__lt=span.before)
    settled = Q(batch=None) | Q(batch__in=_ended_batches(span.before).values("pk"))
    ended = ended.filter(settled).exclude(status__in=RUN_UNFINISHED)
    return Found(list(ended.values_list("pk", flat=True)), ids[-1] if len(ids) == size else None)


def _runs_with_texts(span: Span, after: Any) -> Found:
    said = ~Q(error_message__in=("", WORDS_GONE))
    noted = InteractionFeedback._base_manager.filter(run_id=OuterRef("pk"), log_id=None).exclude(note="")
    texts = ~Q(spec={}) | ~Q(inputs={}) | Q(output__isnull=False) | said | Q(Exists(noted))
    return _runs(_ended_runs(span, after), span, texts, HEAVY_SLICE)


def _empty_runs(ids: Sequence[UUID]) -> int:
    """As if the workspace had never kept their texts. Their numbers, and the kind of a failure, stay."""
    RunStep._base_manager.filter(run__in=ids).update(input=None, output=None, error_message="", note="")
    RunCheckpoint._base_manager.filter(run__in=ids).delete()
    RunError._base_manager.filter(run__in=ids).delete()
    Approval._base_manager.filter(run__in=ids).update(question="", proposed="", text="", word="")
    InteractionFeedback._base_manager.filter(run_id__in=ids, log_id=None).exclude(note="").update(note="")
    rows = Run._base_manager.filter(pk__in=ids)
    rows.exclude(error_message="").update(error_message=WORDS_GONE)
    return rows.update(spec={}, inputs={}, output=None)


def _old_runs(span: Span, after: Any) -> Found:
    return _runs(_ended_runs(span, after), span, Q(), HEAVY_SLICE)


def _remove_runs(ids: Sequence[UUID]) -> int:
    notes = InteractionFeedback._base_manager.filter(run_id__in=ids).exclude(note="")
    notes.update(note="")
    rows = Run._base_manager.filter(pk__in=ids)
    count = rows.count()
    rows.only("pk").delete()
    return count


def _ended_batches(before: dt.datetime) -> QuerySet[Batch]:
    """Finished or stopped ones, without a row that waits for something."""
    open_rows = BatchRow._base_manager.filter(batch=OuterRef("pk"), status__in=ROW_OPEN)
    ended = Batch._base_manager.filter(~Exists(open_rows), ended_at__lt=before)
    return ended.filter(status__in=(BatchStatus.FINISHED, BatchStatus.STOPPED))


def _batches_of(span: Span) -> QuerySet[Batch]:
    return _ended_batches(span.before).filter(workspace=span.workspace_id)


def _rows_with_texts(span: Span, after: Any) -> Found:
    """By rows: a batch may have a hundred thousand."""
    batches = list(_batches_of(span).values_list("pk", flat=True))
    texts = ~Q(inputs={}) | ~Q(original={}) | Q(output__isnull=False) | ~Q(problem="")
    rows = BatchRow._base_manager.filter(texts, batch__in=batches, pk__gt=after or 0).order_by("pk")
    ids = list(rows.values_list("pk", flat=True)[:SLICE])
    return Found(ids, ids[-1] if len(ids) == SLICE else None)


def _empty_rows(ids: Sequence[int]) -> int:
    """What they changed in the host's tables stays there; it cannot be undone from here any more."""
    RowChange._base_manager.filter(row__in=ids).delete()
    return BatchRow._base_manager.filter(pk__in=ids).update(inputs={}, original={}, output=None, problem="")


def _rows_of_old_batches(span: Span, after: Any) -> Found:
    batches = list(_batches_of(span).values_list("pk", flat=True))
    rows = BatchRow._base_manager.filter(batch__in=batches).order_by("pk")
    ids = list(rows.values_list("pk", flat=True)[:SLICE])
    return Found(ids, 0 if len(ids) == SLICE else None)


def _remove_rows(ids: Sequence[int]) -> int:
    RowChange._base_manager.filter(row__in=ids).delete()
    BatchRow._base_manager.filter(pk__in=ids).delete()
    return 0  # batches are counted, not their rows


def _old_batches(span: Span, after: Any) -> Found:
    empty = _batches_of(span).exclude(rows__isnull=False)
    return Found(list(empty.values_list("pk", flat=True)), None)


def _remove_batches(ids: Sequence[UUID]) -> int:
    rows = Batch._base_manager.filter(pk__in=ids)
    count = rows.count()
    rows.delete()
    return count


TEXTS = (
    Part("texts", _calls_with_texts, remove_texts),
    Part("runs_emptied", _runs_with_texts, _empty_runs),
    Part("rows_emptied", _rows_with_texts, _empty_rows),
)
ROWS = (
    Part("logs", _old_logs, remove_logs),
    Part("runs", _old_runs, _remove_runs),
    Part("batches", _rows_of_old_batches, _remove_rows),
    Part("batches", _old_batches, _remove_batches),
)


def frozen_until(workspace_id: int, before: dt.datetime) -> dt.datetime:
    """Up to when rows may go: what they add up to is kept for good before any of them does."""
    return min(before, rollups.freeze(workspace_id, before))


def moment(days: int | None) -> dt.datetime | None:
    """None: nothing is too old. Whole quarters of an hour: numbers are kept by these."""
    if days is None:
        return None
    now = timezone.now()
    quarter = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    return quarter - dt.timedelta(days=days)
