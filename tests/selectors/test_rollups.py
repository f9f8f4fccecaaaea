"""Whatever happens to logs, and whenever they are folded: every number of a page equals the raw rows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_admin.models import InteractionLog, UsageBlock, UsageSlot, UsageZone
from llm_admin.selectors import periods, usage
from llm_admin.selectors.usage import COLUMNS, UsageFilter
from llm_admin.services import rollup_checks, rollup_days, rollups
from tests import factories, usage_by_hand
from tests.log_rows import unsaved

pytestmark = pytest.mark.django_db(transaction=True)

# Around the nights in which clocks change in Europe and in America, and in a zone of half an hour.
NIGHTS = [dt.datetime(2025, 10, 26, tzinfo=dt.UTC), dt.datetime(2026, 3, 8, 8, tzinfo=dt.UTC)]
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "Asia/Kathmandu"]
ENDINGS = [("succeeded", ""), ("failed", "timeout"), ("failed", "rate_limit"), ("cancelled", "cancelled")]

seconds = st.integers(-3 * 86_400, 3 * 86_400)
maybe = st.one_of(st.none(), st.integers(0, 10**9))
calls = st.fixed_dictionaries(
    {
        "after": st.one_of(seconds, st.integers(-300, 300).map(lambda slots: slots * 900)),
        "microseconds": st.sampled_from([-1, 0, 1, 500_000]),
        "ending": st.sampled_from(ENDINGS),
        "cached": st.sampled_from([False, False, True]),
        "source": st.sampled_from(["studio", "code"]),
        "model_id": st.sampled_from([None, 1, 2, 70_000]),
        "deployment_id": st.sampled_from([None, 4]),
        "prompt_id": st.sampled_from([None, 7, 8]),
        "prompt_version_id": st.sampled_from([None, 9]),
        "workflow_id": st.sampled_from([None, 5]),
        "user_id": st.sampled_from([None, 1, 2]),
        "cost_nano": maybe,
        "input_tokens": maybe,
        "output_tokens": maybe,
        "latency_ms": st.integers(0, 10**6),
        "first_token_ms": st.one_of(st.none(), st.integers(0, 10**5)),
    }
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(calls, min_size=1, max_size=12)),
        st.tuples(st.just("fold"), st.booleans()),
        st.tuples(st.just("reprice"), st.tuples(st.integers(0, 50), maybe)),
        st.tuples(st.just("delete"), st.integers(0, 50)),
        st.tuples(st.just("prune"), seconds),
        st.tuples(st.just("rebuild"), seconds),
        st.tuples(st.just("read in"), st.sampled_from(ZONES)),
    ),
    min_size=2,
    max_size=9,
)
# All, and those that panels show: of some questions days hold only these.
BREAKDOWNS = [list(COLUMNS), ["prompt", "workflow", "model", "user", "source", "error"]]
FILTERS: list[dict[str, Any]] = [
    {},
    {"model": 2},
    {"user": 1},
    {"status": "succeeded"},
    {"cached": False},
    {"cached": False, "status": "succeeded"},
    {"prompt": 7, "status": "failed"},
    {"user": 2, "source": "code", "cached": False},
    {"model": (1, 70_000), "error": "timeout", "workflow": 5},
    {"deployment": (4, 6)},
    {"version": 9},
    {"workflow": 5, "error": "timeout"},
    {"source": "studio", "error": "rate_limit"},
    {"deployment": 4, "version": 9, "cached": True},
]


@dataclass
class World:
    """What happened, in plain lists: `rows` are those that count, also where retention has deleted them."""

    workspace: Any
    night: dt.datetime
    rows: list[InteractionLog] = field(default_factory=list)
    pruned_until: dt.datetime | None = None

    def add(self, some: list[dict[str, Any]]) -> None:
        made = []
        for one in some:
            values = dict(one)
            status, kind = values.pop("ending")
            values["cost_nano"] = 0 if values["cached"] else values["cost_nano"]
            at = self.night + dt.timedelta(seconds=values.pop("after"), microseconds=values.pop("microseconds"))
            made.append(unsaved(self.workspace, at=at, status=status, error_kind=kind, **values))
        InteractionLog.objects.bulk_create(made)
        self.rows += made

    def fold(self, everything: bool) -> None:
        rollups.fold_all() if everything else rollups.fold_some()

    def reprice(self, which: tuple[int, int | None]) -> None:
        for row in [row for row in self.living() if not row.cached][which[0] : which[0] + 2]:
            row.cost_nano = which[1]
            row.save(update_fields=["cost_nano"])

    def delete(self, place: int) -> None:
        """By a person: it does not count any more."""
        for row in self.living()[place : place + 2]:
            self.rows.remove(row)
            InteractionLog.objects.filter(pk=row.pk).delete()

    def prune(self, after: int) -> None:
        until = rollups.freeze(self.workspace.pk, self.night + dt.timedelta(seconds=after))
        self.pruned_until = max(until, self.pruned_until or until)
        InteractionLog.objects.filter(created_at__lt=until).delete()

    def rebuild(self, after: int) -> None:
        rollups.rebuild(since=self.night + dt.timedelta(seconds=after))

    def read_in(self, zone: str) -> None:
        rollup_days.use_zone(self.workspace.pk, zone)

    def living(self) -> list[InteractionLog]:
        """Those that retention will never have touched."""
        return [row for row in self.rows if self.pruned_until is None or row.created_at >= self.pruned_until]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    steps=steps,
    night=st.sampled_from(NIGHTS),
    zone=st.sampled_from(ZONES),
    unit=st.sampled_from(["quarter", "hour", "day"]),
    chosen=st.sampled_from(FILTERS),
    by=st.sampled_from(BREAKDOWNS),
    since=st.integers(-300, 200),
    length=st.integers(1, 300),
    inside=st.sampled_from([0, 0, 4, 11]),
)
def test_every_number_equals_the_rows(scope, steps, night, zone, unit, chosen, by, since, length, inside):
    for model in (InteractionLog, UsageBlock, UsageSlot, UsageZone):
        model._base_manager.all().delete()
    world = World(scope, night)
    for what, details in steps:
        getattr(world, what.replace(" ", "_"))(details)
    # Within a quarter of an hour only where its rows are still there.
    start = night + dt.timedelta(minutes=15 * since + (inside if world.pruned_until is None else 0))
    with timezone.override(ZoneInfo(zone)):
        asked = UsageFilter(since=start, until=start + length * dt.timedelta(minutes=15), **chosen)
        compare(world, asked, unit, by)
        rollups.fold_all()
        compare(world, asked, unit, by)
    assert list(rollup_checks.differences()) == []


def compare(world: World, chosen: UsageFilter, unit: Any, by: list[str]) -> None:
    starts = periods.starts(chosen.since, chosen.until, unit)
    report = usage.report(chosen, starts, by=by)
    within = [row for row in world.rows if passes(row, chosen)]
    now = between(within, chosen.since, chosen.until)
    assert report.totals == usage_by_hand.totals(now)
    assert report.before == usage_by_hand.totals(between(within, chosen.before().since, chosen.since))
    for bucket in report.buckets:
        mine = between(within, bucket.start, bucket.end)
        assert bucket.totals == usage_by_hand.totals(mine)
        assert bucket.cost_by_model == usage_by_hand.costs(mine)
        assert bucket.errors == usage_by_hand.errors(mine)
    for name, slices in report.by.items():
        key = lambda one: str(one.value)  # noqa: E731
        assert sorted(slices, key=key) == sorted(usage_by_hand.slices(now, COLUMNS[name]), key=key)
    assert ("user" in report.by) == (set(chosen.given()) <= {"user"})


def passes(row: InteractionLog, chosen: UsageFilter) -> bool:
    for name, value in chosen.given().items():
        if getattr(row, COLUMNS[name]) not in (value if isinstance(value, tuple) else (value,)):
            return False
    return True


def between(rows: list[InteractionLog], since: dt.datetime, until: dt.datetime) -> list[InteractionLog]:
    return [row for row in rows if since <= row.created_at < until]


def test_of_another_workspace_nothing_counts(scope):
    other = factories.workspace()
    unsaved(other, at=NIGHTS[0]).save(force_insert=True)
    rollups.fold_all()
    chosen = UsageFilter(since=NIGHTS[0] - dt.timedelta(days=1), until=NIGHTS[0] + dt.timedelta(days=1))
    assert usage.totals(chosen).calls == 0


def test_a_page_takes_as_many_queries_for_many_days_as_for_one(scope, django_assert_max_num_queries):
    rows = [unsaved(scope, at=NIGHTS[0] + dt.timedelta(minutes=47 * n)) for n in range(300)]
    InteractionLog.objects.bulk_create(rows)
    rollups.fold_all()
    chosen = UsageFilter(since=NIGHTS[0] - dt.timedelta(days=1), until=NIGHTS[0] + dt.timedelta(days=20))
    starts = periods.starts(chosen.since, chosen.until, "day")
    with django_assert_max_num_queries(8):
        assert usage.report(chosen, starts, by=["prompt", "model"]).totals.calls == 300
    assert UsageBlock._base_manager.filter(level="day").count() == 10


def test_an_edge_within_a_quarter_is_exact_as_long_as_its_rows_are_there(scope):
    moments = [NIGHTS[0] + dt.timedelta(minutes=n) for n in range(60)]
    InteractionLog.objects.bulk_create([unsaved(scope, at=moment) for moment in moments])
    rollups.fold_all()
    chosen = UsageFilter(since=NIGHTS[0] + dt.timedelta(minutes=7), until=NIGHTS[0] + dt.timedelta(minutes=41))
    found = usage.series(chosen, [chosen.since, NIGHTS[0] + dt.timedelta(minutes=20)])
    assert [bucket.totals.calls for bucket in found] == [13, 21]


def test_days_and_hours_on_both_sides_of_one_another_count_once(scope):
    """Days in the middle, hours around them, quarters at the edges, also of the period before."""
    begin = NIGHTS[0] - dt.timedelta(days=5)
    moments = [begin + dt.timedelta(minutes=13 * n) for n in range(10 * 24 * 60 // 13)]
    InteractionLog.objects.bulk_create([unsaved(scope, at=moment) for moment in moments])
    rollups.fold_all()
    assert {"day", "hour", "slot"} <= set(UsageBlock._base_manager.values_list("level", flat=True))
    chosen = UsageFilter(since=begin + dt.timedelta(days=5, hours=1, minutes=45), until=begin + dt.timedelta(days=9))
    report = usage.report(chosen, periods.starts(chosen.since, chosen.until, "day"), by=["prompt"])
    assert report.totals.calls == sum(chosen.since <= moment < chosen.until for moment in moments)
    before = chosen.before()
    assert report.before.calls == sum(before.since <= moment < before.until for moment in moments)


def test_two_who_fold_at_once_count_nothing_twice(scope):
    InteractionLog.objects.bulk_create([unsaved(scope, at=NIGHTS[0]) for _ in range(5)])
    slots = list(rollups.unfolded())
    ours, theirs = rollups.fold(slots), rollups.fold(slots)
    with transaction.atomic():
        assert (rollups._store(ours), rollups._store(theirs)) == (1, 0)
    InteractionLog.objects.bulk_create([unsaved(scope, at=NIGHTS[0]) for _ in range(3)])
    assert usage.totals(UsageFilter(NIGHTS[0], NIGHTS[0] + dt.timedelta(hours=1))).calls == 8


def test_people_whose_keys_are_no_numbers_have_numbers():
    from llm_admin.rollups.codes import key_of

    keys = {key_of(f"00000000-0000-0000-0000-{n:012}") for n in range(1000)}
    assert len(keys) == 1000
    assert all(0 <= key < 2**63 for key in keys)
