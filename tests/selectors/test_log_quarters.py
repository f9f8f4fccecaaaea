"""The list of logs with several filters, where the sums of the logs tell in which quarters of an hour to look."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from llm_admin.models import BlockLevel, InteractionLog, UsageBlock, UsageSlot
from llm_admin.selectors import log_minutes, log_pages, log_quarters
from llm_admin.selectors.log_query import LogQuery
from llm_admin.services import log_minutes as keeping
from llm_admin.services import rollups
from tests.log_rows import log, unsaved
from tests.selectors.test_log_pages import BEGIN, by_hand, fill, queries, walked

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    monkeypatch.setattr(log_minutes, "SMALL", 0)
    monkeypatch.setattr(log_minutes, "LATE", 0)
    monkeypatch.setattr(log_minutes, "SOON", 2)
    monkeypatch.setattr(log_quarters, "SPARSE", 0)


def fold(*, days):
    assert rollups.fold_all().days
    if not days:
        UsageBlock.objects.exclude(level=BlockLevel.SLOT).delete()


@pytest.mark.parametrize("summed", ["quarters", "days", "days elsewhere", "frozen"])
def test_each_page_has_the_calls_that_come_next(scope, summed, settings):
    settings.TIME_ZONE = "Asia/Kolkata" if summed == "days elsewhere" else "UTC"
    rows = fill(scope, 120, 4)
    fold(days="days" in summed)
    rows += fill(scope, 20, 99)  # later than the sums
    if summed == "frozen":  # whatever becomes of these calls, their sums stay as they are
        UsageSlot.objects.update(frozen=True)
        for row in rows[::15]:
            row.user_id, row.error_kind = 6, "timeout"
            row.save()
    keeping.index_some(rows[-1].pk)
    rng = random.Random(4)
    for query in [*queries(scope.pk, rng), LogQuery(scope.pk, values={"user": (6,), "error": ("timeout",)})]:
        expected = [row.pk for row in by_hand(rows, query)]
        assert walked(query, rng.choice([11, 40])) == expected, query


@pytest.mark.parametrize("derived", [True, False])
def test_what_meets_in_every_minute_but_in_no_call_is_not_looked_for(scope, django_assert_max_num_queries, derived):
    both = {"user_id": 6, "error_kind": "timeout", "status": "failed"}
    moments = [BEGIN + dt.timedelta(minutes=n) for n in range(900)]
    rows = [unsaved(scope, at=at, user_id=6) for at in moments]
    rows += [unsaved(scope, at=at, user_id=5, error_kind="timeout", status="failed") for at in moments]
    rows += [unsaved(scope, at=moments[n], **both) for n in (100, 500)]
    InteractionLog.objects.bulk_create(rows)
    keeping.index_some(10**6)
    fold(days=derived)
    late = log(scope, at=moments[300], **both)
    query = LogQuery(scope.pk, values={"user": (6,), "error": ("timeout",)})
    finder = log_pages.Finder(query)
    spans = [span for some in finder._groups(None, newer=False) for span in some]
    looked_at = sum(((end - start).total_seconds() for start, end in spans), 0.0) / 60
    assert looked_at <= 2 + 3 * 15  # the first ones, and the quarters of an hour of the three calls
    with django_assert_max_num_queries(20):
        assert log_pages.page(query, size=50).ids == [rows[-1].pk, late.pk, rows[-2].pk]
    assert log_pages.page(LogQuery(scope.pk, viewer=6, values={"error": ("rate_limit",)}), size=50).ids == []
