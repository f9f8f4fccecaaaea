"""Whoever stops listening closes the connection."""

import asyncio
import gc
from contextlib import aclosing

import pytest

from tests.runtime.openai_provider.calls import endpoint_to


async def until_first_word(stream, heard):
    async for chunk in stream:
        if chunk.text:
            heard.set()


@pytest.mark.parametrize("model", ["gate", "hang"])
async def test_cancelling_closes_the_connection_before_the_next_word(server, provider, model):
    heard = asyncio.Event()
    stream = provider.build(endpoint_to(server, model), {}).astream("x")
    task = asyncio.create_task(until_first_word(stream, heard))
    await (heard.wait() if model == "gate" else asyncio.to_thread(server.wait_for, 1))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    request = server.requests[0]
    assert await asyncio.to_thread(request.closed.wait, 30), "the provider still holds the connection"
    assert request.closed_after == (1 if model == "gate" else 0)


@pytest.mark.parametrize("how", ["break", "aclosing"])
async def test_a_stream_that_is_left_closes_without_the_garbage_collector(server, provider, how):
    gc.disable()
    try:
        stream = provider.build(endpoint_to(server, "gate"), {}).astream("x")
        await (leave(stream) if how == "break" else leave_properly(stream))
        del stream
        assert await asyncio.to_thread(server.requests[0].closed.wait, 30)
    finally:
        gc.enable()


async def leave(stream):
    async for chunk in stream:
        if chunk.text:
            break


async def leave_properly(stream):
    async with aclosing(stream) as chunks:
        await leave(chunks)
