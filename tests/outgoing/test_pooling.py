"""One pool of TCP connections for each connection of ours and event loop: counted at the server, where they arrive."""

from __future__ import annotations

import asyncio

import pytest

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.outgoing import OutgoingRefused
from llm_admin.runtime.providers.openai import OpenAIProvider
from tests.runtime.openai_provider.calls import Call, endpoint_to
from tests.servers.openai_server import OpenAIServer


@pytest.fixture
def server():
    with OpenAIServer() as one:
        yield one


@pytest.fixture
async def provider():
    one = OpenAIProvider()
    yield one
    await one.aclose()


async def call(provider, server, model="echo", **changes):
    done = await Call(provider, endpoint_to(server, model, **changes)).run("hello", {})
    assert done.failure is None, done.failure.detail
    return done


async def test_calls_one_after_the_other_share_one_connection(server, provider):
    for _ in range(20):
        await call(provider, server)
    assert (len(server.requests), server.connections) == (20, 1)


async def test_calls_with_other_parameters_and_models_share_it_too(server, provider):
    for number in range(10):
        await Call(provider, endpoint_to(server, f"model-{number}")).run("x", {"temperature": number / 10})
    await provider.list_models(endpoint_to(server, ""))
    assert (len(server.requests), len(server.others), server.connections) == (10, 1, 1)


async def test_calls_at_once_open_one_connection_each_and_leave_them_for_the_next(server, provider):
    for _ in range(3):
        await asyncio.gather(*(call(provider, server) for _ in range(10)))
    assert len(server.requests) == 30
    assert server.connections <= 10


async def test_another_key_has_connections_of_its_own(server, provider):
    for key in ("first-key-1", "second-key-2", "first-key-1", "second-key-2"):
        await call(provider, server, api_key=key)
    assert server.connections == 2
    by_connection = {one.connection: one.headers["authorization"] for one in server.requests}
    assert len(set(by_connection.values())) == 2


async def test_they_are_closed_at_shutdown(server, provider):
    await asyncio.gather(*(call(provider, server) for _ in range(5)))
    assert server._writers
    await provider.aclose()
    async with asyncio.timeout(10):
        while server._writers:  # noqa: ASYNC110 - the server runs in a thread of its own
            await asyncio.sleep(0.01)


async def test_the_openai_client_is_guarded(server, provider, allow):
    allow()
    done = await Call(provider, endpoint_to(server, "echo")).run("x", {})
    assert done.failure.kind == ErrorKind.PROVIDER_DOWN
    assert "OUTGOING_PRIVATE_HOSTS" in done.failure.detail
    with pytest.raises(CallFailed) as refused:
        await provider.list_models(endpoint_to(server, ""))
    assert isinstance(refused.value, OutgoingRefused)
    assert server.connections == 0
