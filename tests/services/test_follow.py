"""Following runs of this process and of others over one stream."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from llm_admin.models import Run, RunCheckpoint
from llm_admin.services import follow
from tests import factories
from tests.services.test_execution import start
from tests.services.test_recovery import stored

pytestmark = pytest.mark.django_db(transaction=True)


async def collect(positions, until=None):
    seen = []
    async for item in follow.follow(positions):
        seen.append(item)
        if until and until(item):
            break
    return seen


def texts(seen, run):
    return "".join(event["text"] for key, _, event in seen if key == str(run.pk) and event["type"] == "token")


async def test_a_run_of_another_process_is_followed_through_its_checkpoints(scope, monkeypatch):
    monkeypatch.setattr(follow, "POLL_SECONDS", 0.02)
    prompt = await sync_to_async(factories.prompt)(scope)
    run = await sync_to_async(stored)(prompt, lease=60)
    checkpoint = await sync_to_async(RunCheckpoint.objects.create)(
        run=run, path="", call={}, text="One", updated_at=timezone.now()
    )
    following = asyncio.create_task(collect({str(run.pk): 0}))
    await asyncio.sleep(0.2)
    checkpoint.text = "One two"
    await sync_to_async(checkpoint.save)()
    await asyncio.sleep(0.2)
    await sync_to_async(Run.objects.filter(pk=run.pk).update)(status="succeeded")
    seen = await asyncio.wait_for(following, 60)
    assert texts(seen, run) == "One two"
    assert seen[-1][2] == {"type": "status", "status": "succeeded"}


async def test_one_stream_carries_runs_of_here_and_elsewhere_from_a_position(scope, monkeypatch):
    monkeypatch.setattr(follow, "POLL_SECONDS", 0.02)
    prompt = await sync_to_async(factories.prompt)(scope)
    elsewhere = await sync_to_async(stored)(prompt, status="succeeded")
    here = await sync_to_async(start)(prompt)
    seen = await asyncio.wait_for(collect({str(here.pk): 0, str(elsewhere.pk): 0}), 60)
    assert {key for key, _, _ in seen} == {str(here.pk), str(elsewhere.pk)}
    answer = (await sync_to_async(Run.objects.get)(pk=here.pk)).output
    assert texts(seen, here) == answer
    middle = next(at for key, at, event in seen if key == str(here.pk) and event["type"] == "token")
    again = await asyncio.wait_for(collect({str(here.pk): middle}), 60)
    assert texts(again, here) == texts(seen, here)[len(texts(seen[: seen.index(first(seen, here)) + 1], here)) :]


def first(seen, run):
    return next(item for item in seen if item[0] == str(run.pk) and item[2]["type"] == "token")


def test_a_snapshot_is_what_has_arrived(scope):
    run = stored(factories.prompt(scope), lease=60)
    assert follow.snapshot(run) == follow.Snapshot(0, {})
    RunCheckpoint.objects.create(run=run, path="", call={}, text="So far", updated_at=timezone.now())
    assert follow.snapshot(run) == follow.Snapshot(6, {"": "So far"})
