"""What the list of prompts shows: folders, tags, editors, and the numbers of a week."""

from __future__ import annotations

import datetime as dt

import pytest

from llm_admin.models import InteractionLog
from llm_admin.selectors import prompt_numbers, prompts
from llm_admin.services import shelf
from llm_admin.tenancy import workspace_scope
from tests import factories

NOW = dt.datetime(2026, 5, 20, 12, tzinfo=dt.UTC)


def called(prompt, *, hours=1.0, latency=100, cost=5, source="code"):
    return InteractionLog.objects.create(
        workspace=prompt.workspace, created_at=NOW - dt.timedelta(hours=hours), status="succeeded", source=source,
        prompt=prompt, latency_ms=latency, cost_nano=cost,
    )  # fmt: skip


def test_folders_count_what_is_below_them_and_leave_out_the_archive(scope, system):
    for folder in ("a/b/c", "a/b", "a", "A2", "", "gone"):
        shelf.put_away(factories.prompt(scope, name=f"In {folder}"), actor=system, folder=folder)
    shelf.archive(scope.prompts.get(folder="gone"), actor=system)
    assert prompts.folders() == [("a", 3), ("a/b", 2), ("a/b/c", 1), ("A2", 1)]


def test_a_folder_of_a_similar_name_is_another_one(scope, system):
    for folder in ("a_b", "a_b/c", "axb/c", "a_bc"):
        shelf.put_away(factories.prompt(scope), actor=system, folder=folder)
    assert set(scope.prompts.filter(prompts.inside("a_b")).values_list("folder", flat=True)) == {"a_b", "a_b/c"}


def test_tags_in_use_are_those_of_this_workspace(scope, system):
    shelf.put_away(factories.prompt(scope), actor=system, tags="b, A")
    shelf.put_away(factories.prompt(scope), actor=system, tags="")
    assert prompts.tags() == ["A", "b"]
    with workspace_scope(factories.workspace()):
        assert prompts.tags() == []


def test_a_week_is_counted_by_day_with_known_and_unknown_costs(scope):
    prompt, other = factories.prompt(scope), factories.prompt(scope)
    for hours in (1, 23, 25, 155.9):
        called(prompt, hours=hours)
    called(prompt, hours=30, cost=None)
    called(prompt, hours=156.1)
    called(other, cost=None)
    found = prompt_numbers.weeks([prompt.pk, other.pk], now=NOW)
    assert found[prompt.pk].days == [1, 0, 0, 0, 0, 3, 1]
    assert (found[prompt.pk].calls, found[prompt.pk].cost_nano, found[prompt.pk].unknown_cost) == (5, 20, 1)
    assert found[other.pk].cost_nano is None
    assert prompt_numbers.weeks([], now=NOW) == {}


@pytest.mark.parametrize("count", [1, 2, 19, 20, 21, 100])
def test_p95_is_the_dashboards(scope, count):
    prompt, other = factories.prompt(scope), factories.prompt(scope)
    latencies = [(n * 37) % 101 + n for n in range(count)]
    for latency in latencies:
        called(prompt, latency=latency)
        called(other, latency=latency * 10)
    found = prompt_numbers.weeks([prompt.pk, other.pk], now=NOW)
    expected = sorted(latencies)[-(-95 * count // 100) - 1]
    assert found[prompt.pk].p95_ms == pytest.approx(expected, rel=0.025)
    assert found[other.pk].p95_ms == pytest.approx(expected * 10, rel=0.025)


def test_numbers_stay_in_their_workspace(scope):
    prompt = factories.prompt(scope)
    called(prompt)
    with workspace_scope(factories.workspace()):
        assert prompt_numbers.weeks([prompt.pk], now=NOW) == {}


def test_it_takes_few_queries_however_many_prompts_and_calls(scope, django_assert_num_queries):
    made = [factories.prompt(scope) for _ in range(5)]
    for prompt in made:
        called(prompt)
    with django_assert_num_queries(5):
        prompt_numbers.weeks([prompt.pk for prompt in made], now=NOW)


def test_calls_by_where_they_came_from(scope):
    prompt = factories.prompt(scope)
    for source in ("code", "studio", "code"):
        called(prompt, source=source)
    called(prompt, hours=200)
    assert prompt_numbers.calls_by_source(prompt.pk, now=NOW) == [("code", 2), ("studio", 1)]
