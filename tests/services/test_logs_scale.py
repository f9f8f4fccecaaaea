"""The benchmark's logs, 100,000 of them in a fortnight with a change of the clock: each number as by plain SQL."""

from __future__ import annotations

import datetime as dt
import importlib
import random
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.db import connection, transaction
from django.utils import timezone

from llm_admin.selectors import periods, usage
from llm_admin.selectors.usage import UsageFilter
from llm_admin.services import rollup_days, rollups, workspaces
from llm_admin.tenancy import workspace_scope

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(120)]

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
ROWS, DAYS, FOLDED = 100_000, 14, 0.7
ZONE = "Europe/Berlin"


@pytest.fixture
def logs(workspace, monkeypatch):
    """The benchmark's modules, with its clock."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    names = ("data", "plain", "rows", "world")
    found = SimpleNamespace(**{name: importlib.import_module(f"logs_{name}") for name in names})
    monkeypatch.setattr(timezone, "now", lambda: found.rows.END)
    return found


def insert(logs, worlds):
    """In two goes: those that are folded, and those that are not."""
    for table, columns, rows in logs.data.batches(worlds, ROWS, 0, DAYS):
        rows = list(rows)
        first = round(len(rows) * FOLDED)
        for some in (rows[:first], rows[first:]):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.executemany(logs.data.insertion(table, columns, "%s"), some)
            yield len(some)


def wrong_numbers(logs, workspace):
    """Everything in which a page of numbers differs from the rows."""
    end, chance = logs.rows.END, random.Random(9)
    whole = UsageFilter(since=periods.quarter_before(end - dt.timedelta(days=DAYS // 2)), until=end)
    starts = periods.starts(whole.since, whole.until, "day")
    with workspace_scope(workspace), connection.cursor() as cursor:
        report = usage.report(whole, starts, by=usage.DIMENSIONS)
        checks = [(whole, {}, report.totals), (whole.before(), {}, report.before)]
        checks += [
            (UsageFilter(since=since, until=until), {}, bucket.totals)
            for (since, until), bucket in zip(pairwise([*starts, end]), report.buckets, strict=True)
        ]
        found = {}
        for name, slices in report.by.items():
            plain = logs.plain.by(cursor, workspace.pk, whole.since, whole.until, name)
            assert {one.value for one in slices} == {*plain}, name
            for one in slices:
                if differences := logs.plain.differences(plain[one.value], one.totals):
                    found[name, one.value] = differences
            if name in ("model", "error", "cached"):
                known = [value for value in plain if value is not None and value != ""]
                checks += combined(whole, name, known, report, chance)
        for one, given, totals in checks:
            plain = logs.plain.sums(cursor, workspace.pk, one.since, one.until, given)
            if differences := logs.plain.differences(plain, totals):
                found[one] = differences
    return found


def combined(whole, name, values, report, chance):
    """Filters on several dimensions at once; also over times that begin and end in the middle of a minute."""
    for others in (("prompt",), ("source", "user"), ("workflow", "status"), ("version", "deployment")):
        given = {name: chance.choice(values)}
        for other in others:
            often = [one.value for one in report.by[other] if one.value is not None][:5]
            given[other] = chance.choice(often)
        ragged = dt.timedelta(seconds=chance.randrange(5 * 24 * 3600), microseconds=chance.randrange(1_000_000))
        for since, until in ((whole.since, whole.until), (whole.since + ragged, whole.until - ragged / 3)):
            asked = UsageFilter(since=since, until=until, **given)
            yield asked, given, usage.totals(asked)


def test_every_number_equals_plain_sql_over_the_rows(logs):
    worlds = logs.world.build()
    both = [workspaces.default(), workspaces.by_slug("small")]
    inserted = insert(logs, worlds)
    with timezone.override(ZONE):
        for workspace in both:
            rollup_days.use_zone(workspace.pk, ZONE)
        first = next(inserted)
        counts = rollups.fold_all()
        assert counts.rows == first
        assert counts.days
        assert first + next(inserted) == ROWS
        assert [wrong_numbers(logs, workspace) for workspace in both] == [{}, {}]
        assert rollups.fold_all().rows == ROWS - first
        assert rollups.fold_all().rows == 0
        assert [wrong_numbers(logs, workspace) for workspace in both] == [{}, {}]
    with workspace_scope(both[0]):
        spans = [UsageFilter(since=logs.rows.END - dt.timedelta(days=DAYS), until=logs.rows.END)]
        assert usage.totals(spans[0]).calls + small_calls(both[1], spans[0]) == ROWS


def small_calls(workspace, span):
    with workspace_scope(workspace):
        return usage.totals(span).calls
