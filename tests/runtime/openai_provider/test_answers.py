"""Answers, from a real HTTP server (tests/servers/openai_server.py)."""

import asyncio

import pytest

from llm_admin.runtime.providers import Endpoint
from llm_admin.runtime.providers.openai import OpenAIProvider
from tests.runtime.openai_provider.calls import KEY, Call, endpoint_to
from tests.servers.openai_behaviour import Behaviour


async def test_an_answer_streams_in_pieces_with_usage_at_the_end(ask, server):
    call = await ask("words")
    assert call.failure is None
    assert call.text.split() == [f"word{number}" for number in range(1, 21)]
    assert call.usage == (4, 20)
    assert call.metadata["finish_reason"] == "stop"
    [request] = server.requests
    assert request.body["stream"] is True
    assert request.body["stream_options"] == {"include_usage": True}
    assert request.headers["authorization"] == f"Bearer {KEY}"


async def test_each_piece_is_there_before_the_next_is_sent(server, provider):
    server.script("gated", Behaviour(words=4, gate=True))
    got = []
    async for chunk in provider.build(endpoint_to(server, "gated"), {}).astream("x"):
        if chunk.text:
            got.append(chunk.text)
            assert server.requests[0].sent == len(got)
            server.release()
    assert len(got) == 4


@pytest.mark.parametrize("model", ["no-usage", "null-usage"])
async def test_usage_that_is_not_told_is_unknown_and_not_zero(ask, model):
    call = await ask(model)
    assert call.failure is None
    assert call.usage is None


async def test_usage_that_is_told_with_every_piece_counts_once(ask):
    call = await ask("usage-so-far")
    assert call.failure is None
    assert call.usage == (4, 20)


async def test_without_streaming(server, provider):
    message = await provider.build(endpoint_to(server, "echo"), {}).ainvoke("Just say it")
    assert message.text == "Just say it"
    assert message.usage_metadata["input_tokens"] == 3
    assert not server.requests[0].body.get("stream")
    message = await provider.build(endpoint_to(server, "no-usage"), {}).ainvoke("x")
    assert message.usage_metadata is None


async def test_settings_of_the_call_go_into_the_request(ask, server):
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    parameters = {"temperature": 0.5, "top_p": 0.9, "max_tokens": 7, "stop": ["END"], "seed": 3}
    call = await ask("echo", {**parameters, "response_format": schema, "top_k": 4}, options={"body": {"user": "me"}})
    assert call.text == "How are you today?"
    body = server.requests[0].body
    expected = {**parameters, "response_format": schema, "top_k": 4, "user": "me"}
    assert {key: body.get(key) for key in expected} == expected
    assert set(body) == {*expected, "model", "messages", "stream", "stream_options"}


async def test_nothing_is_sent_that_was_not_set(ask, server):
    await ask("echo")
    assert set(server.requests[0].body) == {"model", "messages", "stream", "stream_options"}


@pytest.mark.parametrize("model", ["gpt-5-pro", "my-codex"])
async def test_every_model_is_asked_through_the_same_interface(ask, server, model):
    """LangChain would guess from the name that another one is wanted, which other servers do not have."""
    assert (await ask(model)).failure is None
    assert server.others == []


async def test_openai_itself_gets_the_new_name_of_max_tokens(provider):
    endpoint = Endpoint("openai", "gpt", api_key=KEY)
    assert provider.build(endpoint, {"max_tokens": 7}).extra_body == {"max_completion_tokens": 7}
    other = Endpoint("openai", "gpt", base_url="https://notopenai.com/v1", api_key=KEY)
    assert provider.build(other, {"max_tokens": 7}).extra_body == {"max_tokens": 7}


async def test_headers_of_the_connection_are_sent(ask, server):
    await ask("echo", options={"headers": {"X-Team": "support"}})
    assert server.requests[0].headers["x-team"] == "support"


async def test_a_server_without_a_key_gets_none_not_even_from_the_environment(ask, server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody-else")
    monkeypatch.setenv("OPENAI_ADMIN_KEY", "sk-of-an-admin")
    call = await ask("echo", api_key="")
    assert call.failure is None
    assert "authorization" not in server.requests[0].headers


async def test_connections_are_reused(ask, server):
    for _ in range(5):
        assert (await ask("words")).failure is None
    assert len({request.connection for request in server.requests}) == 1


def test_every_event_loop_has_its_own_connections(server):
    provider = OpenAIProvider()

    async def once():
        return await Call(provider, endpoint_to(server, "words")).run("x", {})

    for _ in range(2):
        assert asyncio.run(once()).failure is None
    assert len({request.connection for request in server.requests}) == 2


async def test_closing_closes_the_connections(ask, server, provider):
    server.script("gated", Behaviour(gate=True))
    stream = provider.build(endpoint_to(server, "gated"), {}).astream("x")
    await anext(stream)
    await provider.aclose()
    assert await asyncio.to_thread(server.requests[0].closed.wait, 30)
    assert (await ask("words")).failure is None, "and opens new ones when needed"


async def test_building_a_model_is_cheap(server, provider):
    endpoint = endpoint_to(server, "words")
    one, other = provider.build(endpoint, {}), provider.build(endpoint, {"temperature": 0.1})
    assert one.root_async_client is other.root_async_client, "an HTTP client takes milliseconds"
    assert one.root_client is None, "no synchronous twin"


async def test_a_hundred_streams_at_once(server, provider):
    server.script("many", Behaviour(words=20, delay_ms=10))
    endpoint = endpoint_to(server, "many", timeout=60)
    calls = await asyncio.gather(*(Call(provider, endpoint).run(f"call {n}", {}) for n in range(100)))
    assert [call.failure for call in calls if call.failure] == []
    assert all(call.usage == (2, 20) for call in calls)
    assert len(server.requests) == 100
