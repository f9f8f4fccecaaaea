from __future__ import annotations

import asyncio
import threading

from llm_admin.channels import memory
from llm_admin.channels.memory import MemoryChannel


async def collect(channel, positions, **options):
    return [item async for batch in channel.follow(positions, **options) for item in batch]


async def test_a_late_follower_gets_everything_and_its_end():
    channel = MemoryChannel()
    channel.open("a")
    channel.append("a", "one")
    channel.append("a", "two")
    channel.end("a")
    assert await collect(channel, {"a": 0}) == [("a", 1, "one"), ("a", 2, "two")]
    assert await collect(channel, {"a": 1}) == [("a", 2, "two")]


async def test_events_appended_by_another_thread_arrive_in_order_and_none_is_missed():
    channel = MemoryChannel()
    keys = [f"k{n}" for n in range(5)]
    for key in keys:
        channel.open(key)

    def produce():
        for number in range(500):
            for key in keys:
                channel.append(key, number)
        for key in keys:
            channel.end(key)

    thread = threading.Thread(target=produce)
    thread.start()
    followers = await asyncio.wait_for(
        asyncio.gather(*(collect(channel, dict.fromkeys(keys, 0)) for _ in range(3))), 60
    )
    thread.join()
    for items in followers:
        for key in keys:
            assert [event for k, _, event in items if k == key] == list(range(500))


async def test_silence_gives_an_empty_batch_and_unknown_keys_have_ended():
    channel = MemoryChannel()
    channel.open("quiet")
    stream = channel.follow({"quiet": 0, "unknown": 0}, patience=0.01)
    assert await anext(stream) == []
    channel.end("quiet")
    assert [batch async for batch in stream if batch] == []


async def test_what_ended_long_ago_is_forgotten(monkeypatch):
    monkeypatch.setattr(memory, "KEEP_SECONDS", -1.0)
    channel = MemoryChannel()
    for key in ("old", "new"):
        channel.open(key)
        channel.end(key)
    channel.end("new")
    assert "old" not in channel


async def test_a_follower_that_leaves_leaves_nothing_behind():
    channel = MemoryChannel()
    channel.open("a")
    stream = channel.follow({"a": 0}, patience=0.01)
    await anext(stream)
    await stream.aclose()
    assert not channel._streams["a"].waiters
