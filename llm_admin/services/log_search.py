"""Fills the index that texts are searched in, a little at a time and never in the way of a call (selectors/log_search).

`index_some` runs in the ticker. Whoever removes texts calls `forget` before, in the same transaction.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence

from django.db import OperationalError, connection, transaction
from django.db.models import Max

from llm_admin.models import InteractionText, LogIndexMark
from llm_admin.selectors import log_words
from llm_admin.selectors.log_search import LATE, NAME, backend, documents
from llm_admin.services import log_minutes

logger = logging.getLogger(__name__)
AT_ONCE = 200  # texts in one transaction: others want to write, too
SECONDS = 1.0


def tick() -> None:
    """As much as fits into a second, outside of the loop."""
    try:
        index_for(SECONDS)
    except OperationalError as error:  # others write; the next tick goes on from the same place
        logger.warning("Texts could not be made searchable just now: %s", error)
    finally:
        connection.close()


def index_for(seconds: float) -> None:
    until = time.monotonic() + seconds
    while (log_minutes.index_some() or index_some()) and time.monotonic() < until:
        pass


def index_all() -> None:
    """Everything there is, for tests, imports and benchmarks."""
    while log_minutes.index_some(50_000):
        pass
    while index_some(2_000):
        pass


def index_some(most: int = AT_ONCE) -> int:
    """The next texts behind the mark; how many. Words are split before the transaction begins."""
    mark = LogIndexMark.objects.filter(name=NAME).first()
    fresh = mark is None or mark.version != log_words.VERSION
    upto = 0 if fresh or mark is None else mark.upto
    texts = list(InteractionText._base_manager.filter(log_id__gt=upto).defer("parameters").order_by("log_id")[:most])
    late = _late(upto)
    if not texts and not late:
        return 0
    found, until = documents([*late, *texts]), texts[-1].log_id if texts else upto
    with transaction.atomic():
        if fresh:
            backend().clear()
            LogIndexMark.objects.update_or_create(name=NAME, defaults={"upto": 0, "version": log_words.VERSION})
        if not LogIndexMark.objects.filter(name=NAME, upto=upto).update(upto=until):
            return 0  # another process was here
        backend().add(_still_there(found))
    return len(found)


def _late(upto: int) -> list[InteractionText]:
    """On PostgreSQL, a call may become visible later than one with a higher id."""
    if backend().SETTLED_AT_ONCE or not upto:
        return []
    rows = InteractionText._base_manager.filter(log_id__gt=upto - LATE, log_id__lte=upto)
    ids = list(rows.values_list("log_id", flat=True))
    missing = set(ids) - backend().has(ids)
    return list(InteractionText._base_manager.filter(log_id__in=missing).defer("parameters"))


def _still_there(found: Sequence[tuple[int, list[str]]]) -> list[tuple[int, list[str]]]:
    """Not what was removed since it was read: its words would stay."""
    ids = [pk for pk, _ in found]
    there = set(InteractionText._base_manager.filter(log_id__in=ids).values_list("log_id", flat=True))
    return [one for one in found if one[0] in there]


def forget(log_ids: Iterable[int]) -> None:
    """The words of calls whose texts are about to be removed. The texts must be there still."""
    mark = LogIndexMark.objects.filter(name=NAME, version=log_words.VERSION).first()
    if mark is None:
        return
    rows = InteractionText._base_manager.filter(log_id__in=list(log_ids), log_id__lte=mark.upto).defer("parameters")
    if found := documents(rows):
        backend().remove(found)


def rebuild() -> None:
    """The whole index again, where it was damaged; until it is there, the newest texts are searched only."""
    newest = InteractionText._base_manager.aggregate(newest=Max("log_id"))["newest"] or 0
    LogIndexMark.objects.filter(name=NAME).delete()
    while newest and index_some(2_000):
        pass
