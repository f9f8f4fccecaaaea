"""Keeps what lets the list of logs be filtered without reading all of them (selectors/log_minutes.py)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Max

from llm_admin.models import InteractionLog, LogIndexMark, LogMinutes
from llm_admin.selectors.log_minutes import LATE, NAME, VERSION, bits_of, joined_bits, kept_rows
from llm_admin.selectors.log_spans import DAY

AT_ONCE = 5_000


def index_some(most: int = AT_ONCE) -> int:
    """The next ones behind the mark; how many ids further it is now. Those just behind it are looked at again: on
    PostgreSQL, a call may become visible later than one with a higher id."""
    mark = LogIndexMark.objects.filter(name=NAME).first()
    upto = mark.upto if mark and mark.version == VERSION else 0
    newest = InteractionLog._base_manager.aggregate(newest=Max("pk"))["newest"] or 0
    until = min(newest, upto + most)
    if until <= upto:
        return 0
    rows = InteractionLog._base_manager.filter(pk__gt=max(0, upto - LATE), pk__lte=until)
    bits = bits_of(list(kept_rows(rows.order_by())))
    with transaction.atomic():
        if mark is None or mark.version != VERSION:
            LogMinutes._base_manager.all().delete()
            LogIndexMark.objects.update_or_create(name=NAME, defaults={"upto": 0, "version": VERSION})
        if not LogIndexMark.objects.filter(name=NAME, upto=upto).update(upto=until):
            return 0  # another process was here
        _store(bits)
    return until - upto


def changed(log_ids: Iterable[int]) -> None:
    """After calls got another price: in the same transaction."""
    rows = InteractionLog._base_manager.filter(pk__in=list(log_ids)).order_by()
    list(LogIndexMark.objects.select_for_update().filter(name=NAME))  # after whoever is at it just now
    _store(bits_of(list(kept_rows(rows))))


def _store(bits: dict[tuple[int, str, str, dt.date], int]) -> None:
    if not bits:
        return
    days = {key[3] for key in bits}
    known = LogMinutes._base_manager.filter(
        workspace__in={key[0] for key in bits},
        dimension__in={key[1] for key in bits},
        day__gte=min(days),
        day__lte=max(days),
    )
    before = {
        (workspace, dimension, value, day): minutes
        for workspace, dimension, value, day, minutes in known.values_list(
            "workspace_id", "dimension", "value", "day", "minutes"
        ).iterator()
        if (workspace, dimension, value, day) in bits
    }
    empty = bytes(DAY // 8)
    rows = [
        LogMinutes(
            workspace_id=key[0],
            dimension=key[1],
            value=key[2],
            day=key[3],
            minutes=joined_bits(before.get(key, empty), new),
        )
        for key, new in bits.items()
    ]
    LogMinutes._base_manager.bulk_create(
        [row for row in rows if before.get((row.workspace_id, row.dimension, row.value, row.day)) != row.minutes],
        update_conflicts=True,
        unique_fields=["workspace", "dimension", "value", "day"],
        update_fields=["minutes"],
        batch_size=500,
    )
