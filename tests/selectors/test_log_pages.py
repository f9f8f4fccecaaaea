"""What the list of logs finds, against the plainest way to find it: with its index, partly with it, and without."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace

import pytest

from llm_admin.models import InteractionLog, LogIndexMark
from llm_admin.selectors import log_minutes, log_pages
from llm_admin.selectors.log_query import LogQuery
from llm_admin.services import log_minutes as keeping
from tests import factories
from tests.log_rows import log, unsaved

BEGIN = dt.datetime(2026, 5, 18, 22, tzinfo=dt.UTC)
ERRORS = ["", "", "timeout", "rate_limit"]


def fill(where, count, seed):
    """Over three midnights, some minutes crowded, some moments shared by several calls."""
    rng = random.Random(seed)
    moments = [BEGIN + dt.timedelta(seconds=rng.randrange(4 * 86_400)) for _ in range(count // 3)]
    rows = []
    for _ in range(count):
        moment = rng.choice(moments) + dt.timedelta(seconds=rng.choice([0, 0, 1, 50, 4_000]))
        error = rng.choice(ERRORS)
        rows.append(
            unsaved(
                where,
                at=moment,
                status="failed" if error else rng.choice(["succeeded", "cancelled"]),
                error_kind=error,
                source=rng.choice(["studio", "code"]),
                cached=rng.random() < 0.2,
                prompt_id=rng.choice([1, 2, 3, None]),
                prompt_version_id=rng.choice([1, 2, None]),
                workflow_id=rng.choice([1, None]),
                model_id=rng.choice([1, 2]),
                deployment_id=rng.choice([1, 2]),
                user_id=rng.choice([5, 5, 5, 6, 7, None]),
                cost_nano=rng.choice([None, 0, 7, rng.randrange(10**9)]),
                latency_ms=rng.choice([0, 900, rng.randrange(100_000)]),
                input_tokens=rng.choice([None, 10, rng.randrange(5_000)]),
            )
        )
    return InteractionLog.objects.bulk_create(rows)


def queries(workspace_id, rng):
    base = LogQuery(workspace_id)
    choices = {
        "prompt": [1, 3, 9], "version": [1], "workflow": [1], "model": [1, 2], "deployment": [2], "user": [6, 99],
        "status": ["failed"], "error": ["timeout"], "source": ["code"], "cached": [True, False],
    }  # fmt: skip
    for name, values in choices.items():
        yield replace(base, values={name: (rng.choice(values),)})
        other = rng.choice(sorted(set(choices) - {name}))
        yield replace(base, values={name: tuple(values), other: (rng.choice(choices[other]),)}, since=BEGIN)
    for amount, low, high in (("latency", 900, 901), ("latency", 50_000, None), ("cost", 0, 8), ("tokens", None, 100)):
        yield replace(base, amounts={amount: (low, high)})
        yield replace(base, amounts={amount: (low, high)}, viewer=5, until=BEGIN + dt.timedelta(days=2))
    yield replace(base, cost_known=False, values={"user": (6,)})
    yield replace(base, cost_known=True)
    yield replace(base, since=BEGIN + dt.timedelta(days=1, minutes=3), until=BEGIN + dt.timedelta(days=2, seconds=7))


def by_hand(rows, query):
    columns = {"model": "model_id", "deployment": "deployment_id", "prompt": "prompt_id", "workflow": "workflow_id",
               "version": "prompt_version_id", "user": "user_id", "error": "error_kind"}  # fmt: skip

    def fits(row):
        tokens = None if None in (row.input_tokens, row.output_tokens) else row.input_tokens + row.output_tokens
        amounts = {"latency": row.latency_ms, "cost": row.cost_nano, "tokens": tokens}
        return (
            row.workspace_id == query.workspace_id
            and (query.viewer is None or row.user_id == query.viewer)
            and (query.since is None or row.created_at >= query.since)
            and (query.until is None or row.created_at < query.until)
            and all(getattr(row, columns.get(name, name)) in values for name, values in query.values.items())
            and all(
                amounts[name] is not None and (low or 0) <= amounts[name] and (high is None or amounts[name] < high)
                for name, (low, high) in query.amounts.items()
            )
            and (query.cost_known is None or (row.cost_nano is not None) is query.cost_known)
        )

    return sorted(filter(fits, rows), key=lambda row: (row.created_at, row.pk), reverse=True)


def walked(query, size):
    """Page after page to the end, then back to the beginning."""
    pages, begin = [], None
    while True:
        page = log_pages.page(query, size=size, begin=begin)
        assert page.looked_back_to is None
        pages.append(page.keys)
        if not page.more:
            break
        begin = page.keys[-1]
    back = [pages[-1]]
    while len(back) < len(pages):
        back.insert(0, log_pages.page(query, size=size, begin=back[0][0], newer=True).keys)
    assert back == pages
    return [pk for keys in pages for _, pk in keys]


@pytest.mark.parametrize("indexed", ["all", "some", "none", "small"])
def test_each_page_has_the_calls_that_come_next(scope, monkeypatch, indexed):
    seed = len(indexed)
    monkeypatch.setattr(log_minutes, "SMALL", 10**6 if indexed == "small" else 0)
    monkeypatch.setattr(log_minutes, "LATE", 3)
    monkeypatch.setattr(log_pages, "TOGETHER", 4)
    rows = [*fill(scope, 120, seed), *fill(factories.workspace(), 20, seed)]
    if indexed in ("all", "some"):
        keeping.index_some(rows[-1].pk if indexed == "all" else rows[60].pk)
        rows += [log(scope, at=BEGIN - dt.timedelta(days=9), prompt_id=1, user_id=6)]  # late, and not in the index
    rng = random.Random(seed)
    used = 0
    for query in queries(scope.pk, rng):
        expected = [row.pk for row in by_hand(rows, query)]
        assert walked(query, rng.choice([11, 40])) == expected, query
        assert [pk for some in log_pages.every(query, 9) for pk in some] == expected
        used += log_pages.Finder(query).minutes.usable
    assert bool(used) is (indexed in ("all", "some"))


@pytest.mark.parametrize("small", [0, 10**6])
@pytest.mark.parametrize(("order", "column"), [("latency", "latency_ms"), ("cost", "cost_nano")])
def test_the_greatest_come_first_and_unknown_ones_last(scope, monkeypatch, small, order, column):
    monkeypatch.setattr(log_minutes, "SMALL", small)
    rows = fill(scope, 120, 3)
    keeping.index_some(rows[90].pk)
    for query in list(queries(scope.pk, random.Random(3)))[::4]:
        query = replace(query, order=order)
        amounts = [(getattr(row, column), row) for row in by_hand(rows, query)]
        expected = sorted(amounts, key=lambda one: (-1 if one[0] is None else one[0], one[1].created_at, one[1].pk))
        expected = [row.pk for _, row in reversed(expected)]
        first, second = (log_pages.biggest(query, size=11, skip=skip) for skip in (0, 11))
        assert first.ids + second.ids == expected[:22], query
        assert first.more is (len(expected) > 11)


def test_a_new_price_is_found_at_once(scope, monkeypatch):
    """The index knew the old one."""
    monkeypatch.setattr(log_minutes, "SMALL", 0)
    monkeypatch.setattr(log_minutes, "LATE", 0)
    row = log(scope, at=BEGIN, cost_nano=5)
    keeping.index_some()
    InteractionLog.objects.filter(pk=row.pk).update(cost_nano=10**9)
    keeping.changed([row.pk])
    assert log_pages.page(LogQuery(scope.pk, amounts={"cost": (10**8, None)}), size=5).ids == [row.pk]


def test_indexing_is_resumed_and_done_once(scope):
    rows = fill(scope, 30, 1)
    assert keeping.index_some(10) > 0
    assert LogIndexMark.objects.get(name="minutes").upto == 10 or rows[0].pk > 1
    while keeping.index_some(10):
        pass
    assert keeping.index_some(10) == 0
    assert LogIndexMark.objects.get(name="minutes").upto == rows[-1].pk


def test_a_rare_value_reads_few_rows_and_takes_few_queries(scope, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(log_minutes, "SMALL", 0)
    monkeypatch.setattr(log_minutes, "LATE", 0)
    InteractionLog.objects.bulk_create(
        [unsaved(scope, at=BEGIN + dt.timedelta(minutes=n), user_id=6 if n == 700 else 5) for n in range(3_000)]
    )
    keeping.index_some(10**6)
    finder = log_pages.Finder(LogQuery(scope.pk, values={"user": (6,)}))
    groups = list(finder._groups(None, newer=False))
    assert [(end - start).total_seconds() for spans in groups for start, end in spans] == [60]
    with django_assert_max_num_queries(8):
        assert len(log_pages.page(finder.query, size=100).ids) == 1


def test_it_says_how_far_it_looked_when_there_was_no_time(scope, monkeypatch):
    monkeypatch.setattr(log_pages, "SECONDS", -1)
    monkeypatch.setattr(log_minutes, "SMALL", 0)
    fill(scope, 200, 1)
    keeping.index_some(10**6)
    page = log_pages.page(LogQuery(scope.pk, values={"user": (6,), "error": ("timeout",), "cached": (True,)}), size=100)
    assert page.looked_back_to is not None
    assert not page.more
