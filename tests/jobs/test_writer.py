from __future__ import annotations

import asyncio

import pytest
from django.db import IntegrityError

from llm_admin.jobs.writer import GroupWriter, Insert, update_one
from llm_admin.models import Workspace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def writer():
    made = GroupWriter("test-writer")
    yield made
    made.stop()


def test_what_was_written_is_durable_when_the_call_returns(writer):
    writer.write_sync(Insert(Workspace(slug="one", name="One")))
    assert Workspace.objects.filter(slug="one").exists()


def test_a_job_is_all_or_nothing(writer):
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        writer.write_sync(Insert(Workspace(slug="half", name="Half")), fail)
    assert not Workspace.objects.filter(slug="half").exists()


async def test_a_failing_job_does_not_disturb_its_neighbours(writer):
    slugs = ["a", "b", "b", "c"]
    jobs = [writer.write(Insert(Workspace(slug=slug, name=slug))) for slug in slugs]
    results = await asyncio.gather(*jobs, return_exceptions=True)
    assert [isinstance(r, IntegrityError) for r in results] == [False, False, True, False]


async def test_jobs_keep_their_order_and_give_back_the_last_result(writer):
    seen: list[int] = []
    for number in range(20):
        writer.post(lambda n=number: seen.append(n))
    assert await writer.write(lambda: list(seen)) == list(range(20))


def test_then_is_called_after_the_commit(writer):
    found: list[bool] = []
    writer.post(
        Insert(Workspace(slug="then", name="Then")),
        then=lambda: found.append(Workspace.objects.filter(slug="then").exists()),
    )
    writer.write_sync(lambda: None)
    assert found == [True]


def test_stop_writes_what_waits_and_a_later_job_starts_it_anew(writer):
    writer.post(Insert(Workspace(slug="last", name="Last")))
    writer.stop()
    assert Workspace.objects.filter(slug="last").exists()
    writer.write_sync(Insert(Workspace(slug="again", name="Again")))
    assert Workspace.objects.filter(slug="again").exists()


def test_update_one_changes_only_what_it_names_and_counts(writer):
    writer.write_sync(Insert(Workspace(slug="one", name="One")), lambda: None)
    assert writer.write_sync(lambda: update_one(Workspace, {"slug": "one", "name": "One"}, {"name": "Uno"})) == 1
    assert writer.write_sync(lambda: update_one(Workspace, {"slug": "one", "name": "One"}, {"name": "Eins"})) == 0
    assert Workspace.objects.get(slug="one").name == "Uno"
