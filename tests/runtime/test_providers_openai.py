"""Against a real HTTP server: tests/servers/openai_server.py."""

import asyncio
import gc
import socket
import time
from contextlib import aclosing

import langchain_openai  # noqa: F401 - takes seconds; not while we look at the clock
import openai
import pytest

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers import Endpoint
from llm_admin.runtime.providers.openai import OpenAIProvider
from tests.servers.openai_server import Behaviour, OpenAIServer, error

KEY = "planted-0815-key"
WAIT = 0.4  # for each next piece


@pytest.fixture(scope="module")
def shared_server():
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def server(shared_server):
    shared_server.forget()
    return shared_server


@pytest.fixture
async def provider():
    one = OpenAIProvider()
    yield one
    await one.aclose()


@pytest.fixture
def ask(server, provider):
    """ask(model) -> what came of it, as the executor does it."""

    async def run(model, parameters=None, question="How are you today?", **endpoint):
        return await Call(provider, endpoint_to(server, model, **endpoint)).run(question, parameters or {})

    return run


def endpoint_to(server, model, **changes):
    settings = {"base_url": server.base_url, "api_key": KEY, "timeout": 2, "first_token_timeout": WAIT, **changes}
    return Endpoint("openai", model, **settings)


class Call:
    def __init__(self, provider, endpoint):
        self.provider, self.endpoint = provider, endpoint
        self.text, self.usage, self.metadata, self.failure = "", None, {}, None

    async def run(self, question, parameters):
        began = time.perf_counter()
        try:
            async for chunk in self.provider.build(self.endpoint, parameters).astream([("user", question)]):
                self.text += chunk.text
                if chunk.usage_metadata:
                    assert self.usage is None, "told once"
                    self.usage = (chunk.usage_metadata["input_tokens"], chunk.usage_metadata["output_tokens"])
                if chunk.response_metadata.get("finish_reason"):
                    self.metadata = chunk.response_metadata
            self.failure = self.provider.problem_at_end(self.metadata, self.usage is not None)
        except Exception as exc:  # noqa: BLE001 - as the executor does
            self.failure = self.provider.classify(exc)
            assert self.failure, f"not classified: {exc!r}"
        self.seconds = time.perf_counter() - began
        return self


# Answers


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
    async for chunk in provider.build(endpoint_to(server, "gated", first_token_timeout=5), {}).astream("x"):
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
    assert await asyncio.to_thread(server.requests[0].closed.wait, 1)
    assert (await ask("words")).failure is None, "and opens new ones when needed"


async def test_building_a_model_is_cheap(server, provider):
    endpoint = endpoint_to(server, "words")
    provider.build(endpoint, {})
    began = time.thread_time()
    for _ in range(50):
        provider.build(endpoint, {"temperature": 0.1})
    assert (time.thread_time() - began) / 50 < 0.002
    assert provider.build(endpoint, {}).root_client is None, "no synchronous twin"


# Stop


async def until_first_word(stream, heard):
    async for chunk in stream:
        if chunk.text:
            heard.set()


@pytest.mark.parametrize("model", ["gate", "hang"])
async def test_cancelling_closes_the_connection_at_once(server, provider, model):
    heard = asyncio.Event()
    stream = provider.build(endpoint_to(server, model, first_token_timeout=5), {}).astream("x")
    task = asyncio.create_task(until_first_word(stream, heard))
    await (heard.wait() if model == "gate" else asyncio.to_thread(server.wait_for, 1))
    began = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    request = server.requests[0]
    assert await asyncio.to_thread(request.closed.wait, 1), "the provider still holds the connection"
    assert request.closed_at - began < 1
    assert request.closed_after == (1 if model == "gate" else 0), "before its next word"


@pytest.mark.parametrize("how", ["break", "aclosing"])
async def test_a_stream_that_is_left_closes_without_the_garbage_collector(server, provider, how):
    gc.disable()
    try:
        stream = provider.build(endpoint_to(server, "gate", first_token_timeout=5), {}).astream("x")
        await (leave(stream) if how == "break" else leave_properly(stream))
        del stream
        assert await asyncio.to_thread(server.requests[0].closed.wait, 1)
    finally:
        gc.enable()


async def leave(stream):
    async for chunk in stream:
        if chunk.text:
            break


async def leave_properly(stream):
    async with aclosing(stream) as chunks:
        await leave(chunks)


# Failures

TOO_LONG = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
WEB_PAGE = "answered with a web page instead of JSON: is the base URL right?"


@pytest.mark.parametrize(
    ("model", "kind", "detail", "status"),
    [
        (
            "401",
            ErrorKind.AUTHENTICATION,
            "Incorrect API key provided: •••. You can find your key at example.com.",
            401,
        ),
        ("403", ErrorKind.AUTHENTICATION, "You may not sample from this model.", 403),
        ("429", ErrorKind.RATE_LIMIT, "Rate limit reached for requests.", 429),
        ("quota", ErrorKind.RATE_LIMIT, "You exceeded your current quota.", 429),
        ("500", ErrorKind.PROVIDER_DOWN, "The server had an error while processing your request.", 500),
        ("503", ErrorKind.PROVIDER_DOWN, "The engine is overloaded.", 503),
        ("404", ErrorKind.BAD_REQUEST, "The model `404` does not exist.", 404),
        ("400", ErrorKind.BAD_REQUEST, "Unknown parameter: 'wings'.", 400),
        ("context", ErrorKind.CONTEXT_TOO_LONG, TOO_LONG, 400),
        ("context-by-message", ErrorKind.CONTEXT_TOO_LONG, "prompt is too long: 9000 tokens > 8192 maximum", 400),
        ("filter", ErrorKind.CONTENT_FILTER, "The response was filtered by the content management policy.", 400),
        ("filter-at-end", ErrorKind.CONTENT_FILTER, "the provider's content filter stopped the answer", None),
        ("hang", ErrorKind.TIMEOUT, "no answer in time", None),
        ("stall", ErrorKind.TIMEOUT, "no answer in time", None),
        ("cut", ErrorKind.PROVIDER_DOWN, "the answer broke off", None),
        ("cut-at-once", ErrorKind.PROVIDER_DOWN, "the answer broke off", None),
        ("no-finish", ErrorKind.PROVIDER_DOWN, "the answer broke off", None),
        ("usage-so-far-cut", ErrorKind.PROVIDER_DOWN, "the answer broke off", None),
        ("empty", ErrorKind.PROVIDER_DOWN, "the answer broke off", None),
        ("garbage", ErrorKind.PROVIDER_DOWN, "did not answer with JSON: is the base URL right?", None),
        ("error-in-stream", ErrorKind.PROVIDER_DOWN, "Upstream is overloaded", 502),
        ("html", ErrorKind.PROVIDER_DOWN, WEB_PAGE, 200),
        ("html-404", ErrorKind.PROVIDER_DOWN, WEB_PAGE, 404),
        ("html-403", ErrorKind.AUTHENTICATION, WEB_PAGE, 403),
        ("html-502", ErrorKind.PROVIDER_DOWN, "the server has a problem (HTTP 502)", 502),
    ],
)
async def test_each_failure_has_its_kind_within_its_time(ask, model, kind, detail, status):
    call = await ask(model)
    failure = call.failure
    assert (failure.kind, failure.detail, failure.status_code) == (kind, detail, status)
    assert call.seconds < 2
    if kind == ErrorKind.TIMEOUT:
        assert call.seconds >= WAIT


@pytest.mark.parametrize("model", ["cut", "stall", "no-finish", "error-in-stream"])
async def test_what_arrived_before_the_failure_is_there(ask, model):
    assert (await ask(model)).text.split()[:3] == ["word1", "word2", "word3"]


async def test_a_failed_stream_gives_its_connection_back(ask, server):
    await ask("stall")
    assert await asyncio.to_thread(server.requests[0].closed.wait, 1)


async def test_nothing_is_tried_twice(ask, server):
    for model in ("500", "429", "cut", "hang"):
        await ask(model)
    assert [request.model for request in server.requests] == ["500", "429", "cut", "hang"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ({"Retry-After": "7"}, 7),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
async def test_the_wait_that_the_provider_asks_for(ask, server, header, seconds):
    server.enqueue(Behaviour(status=429, body=error(429, "slow down").body, headers=header))
    assert (await ask("x")).failure.retry_after == seconds


@pytest.mark.parametrize(
    ("behaviour", "kind", "detail"),
    [
        (error(402, "Insufficient Balance"), ErrorKind.RATE_LIMIT, "Insufficient Balance"),
        (error(429, "No credit.", code="insufficient_quota"), ErrorKind.RATE_LIMIT, "insufficient quota: No credit."),
        (error(413, "Payload too large"), ErrorKind.CONTEXT_TOO_LONG, "Payload too large"),
        (error(400, "No.", code="string_above_max_length"), ErrorKind.CONTEXT_TOO_LONG, "No."),
        (error(400, "API key not valid.", code="invalid_api_key"), ErrorKind.AUTHENTICATION, "API key not valid."),
        (Behaviour(body={"no": "stream"}), ErrorKind.PROVIDER_DOWN, "the answer broke off"),
        (error(408, "Timed out"), ErrorKind.TIMEOUT, "Timed out"),
        (error(400, "no", code="content_policy_violation"), ErrorKind.CONTENT_FILTER, "no"),
        (Behaviour(status=400, body={"error": "a bare text"}), ErrorKind.BAD_REQUEST, "a bare text"),
        (Behaviour(status=422, body={"detail": [{"loc": ["x"]}]}), ErrorKind.BAD_REQUEST, '[{"loc": ["x"]}]'),
        (Behaviour(status=500, body={}), ErrorKind.PROVIDER_DOWN, "HTTP 500"),
        (
            Behaviour(
                status=400, body={"error": {"message": "m", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}
            ),
            ErrorKind.CONTENT_FILTER,
            "m",
        ),
        (
            Behaviour(error_after=(1, {"message": "This exceeds the context window", "code": "x"})),
            ErrorKind.CONTEXT_TOO_LONG,
            "This exceeds the context window",
        ),
        (
            Behaviour(error_after=(1, {"message": "Slow down", "code": "rate_limit_exceeded"})),
            ErrorKind.RATE_LIMIT,
            "Slow down",
        ),
    ],
)
async def test_errors_of_many_servers(ask, server, behaviour, kind, detail):
    server.enqueue(behaviour)
    failure = (await ask("x")).failure
    assert (failure.kind, failure.detail) == (kind, detail)


async def test_a_long_message_is_cut_after_the_key_is_taken_out(ask, server):
    server.enqueue(error(400, "x" * 290 + "{key}" + "y" * 300))
    detail = (await ask("x")).failure.detail
    assert len(detail) == 300
    assert "•••" in detail and KEY[:6] not in detail


async def test_a_key_in_another_header_is_taken_out_too(ask, server):
    server.enqueue(error(400, "Not this: other-key-4711"))
    failure = (await ask("x", options={"headers": {"api-key": "other-key-4711"}})).failure
    assert failure.detail == "Not this: •••"


async def test_a_server_that_is_not_there(ask):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    failure = (await ask("x", base_url=f"http://127.0.0.1:{port}/v1")).failure
    assert (failure.kind, failure.detail) == (ErrorKind.PROVIDER_DOWN, "no connection to the server")


async def test_a_server_that_takes_no_connection_in_time(ask):
    """A listener whose queue is full drops what comes: the handshake never ends."""
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        call = await ask("x", base_url=f"http://127.0.0.1:{full.getsockname()[1]}/v1")
    assert call.failure.kind == ErrorKind.TIMEOUT
    assert call.seconds < 2


@pytest.mark.parametrize(
    ("changes", "kind", "words"),
    [
        ({"base_url": "localhost:11434/v1"}, ErrorKind.PROVIDER_DOWN, "is no web address"),
        ({"base_url": "ftp://example.com"}, ErrorKind.PROVIDER_DOWN, "is no web address"),
        ({"base_url": "", "api_key": " "}, ErrorKind.AUTHENTICATION, "has no key"),
        ({"base_url": "https://api.openai.com/v1/", "api_key": ""}, ErrorKind.AUTHENTICATION, "has no key"),
        ({"api_key": "schlüssel-0815"}, ErrorKind.AUTHENTICATION, "no key has"),
        ({"api_key": "two\nlines-0815"}, ErrorKind.AUTHENTICATION, "no key has"),
        ({"options": {"headers": ["x"]}}, ErrorKind.BAD_REQUEST, "“headers” must be"),
        ({"options": {"headers": {"x": 1}}}, ErrorKind.BAD_REQUEST, "“headers” must be"),
        ({"options": {"body": "x"}}, ErrorKind.BAD_REQUEST, "“body” must be"),
    ],
)
async def test_what_cannot_work_is_refused_before_any_request(server, provider, changes, kind, words):
    with pytest.raises(CallFailed, match=words) as caught:
        provider.build(endpoint_to(server, "x", **changes), {})
    assert caught.value.kind == kind
    assert "0815" not in str(caught.value)


async def test_a_key_with_a_line_break_at_its_end_works(ask, server):
    assert (await ask("echo", api_key=f" {KEY}\n")).failure is None
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


async def test_an_address_may_end_in_a_slash(ask, server):
    assert (await ask("echo", base_url=f" {server.base_url}/ ")).failure is None
    assert server.others == []


async def test_what_the_library_does_not_explain_is_still_the_provider_s(provider):
    request = openai.DefaultHttpxClient().build_request("POST", "http://example.com")
    assert provider.classify(openai.APIConnectionError(request=request)).kind == ErrorKind.PROVIDER_DOWN
    assert provider.classify(openai.APITimeoutError(request)).kind == ErrorKind.TIMEOUT


async def test_our_own_bugs_are_not_the_provider_s(provider):
    assert provider.classify(RuntimeError("ours")) is None
    assert provider.classify(ValueError("ours")) is None
    assert provider.classify(KeyError("ours")) is None


@pytest.mark.parametrize(
    ("behaviour", "detail"),
    [
        (Behaviour(body={"hello": "world"}), "did not answer with a chat completion: is the base URL right?"),
        (Behaviour(body="<html>"), WEB_PAGE),
        (
            Behaviour(body="Welcome!", headers={"content-type": "text/plain"}),
            "did not answer with JSON: is the base URL right?",
        ),
        (Behaviour(cut_after=2), "the answer broke off"),
    ],
)
async def test_failures_without_streaming(server, provider, behaviour, detail):
    server.enqueue(behaviour)
    with pytest.raises(Exception) as caught:
        await provider.build(endpoint_to(server, "x"), {}).ainvoke("x")
    failure = provider.classify(caught.value)
    assert (failure.kind, failure.detail) == (ErrorKind.PROVIDER_DOWN, detail)


# The list of models


async def test_the_models_of_a_server(server, provider):
    names = await provider.list_models(endpoint_to(server, ""))
    assert "gpt-test" in names
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"api_key": "wrong-bad"}, ErrorKind.AUTHENTICATION),
        ({"base_url": "{root}/nowhere"}, ErrorKind.PROVIDER_DOWN),  # a web page
        ({"base_url": "http://127.0.0.1:9/v1"}, ErrorKind.PROVIDER_DOWN),
        ({"base_url": "nonsense"}, ErrorKind.PROVIDER_DOWN),
    ],
)
async def test_a_connection_that_does_not_work_says_why(server, provider, changes, kind):
    root = server.base_url.removesuffix("/v1")
    changes = {name: value.replace("{root}", root) for name, value in changes.items()}
    with pytest.raises(CallFailed) as caught:
        await provider.list_models(endpoint_to(server, "", **changes))
    assert caught.value.kind == kind


async def test_a_server_whose_models_are_no_list(server, provider):
    server.model_list = {"models": []}
    with pytest.raises(CallFailed, match="did not answer with a list of models"):
        await provider.list_models(endpoint_to(server, ""))


# Many at once


async def test_a_hundred_streams_at_once(server, provider):
    server.script("many", Behaviour(words=20, delay_ms=10))
    endpoint = endpoint_to(server, "many", first_token_timeout=10, timeout=20)
    calls = await asyncio.gather(*(Call(provider, endpoint).run(f"call {n}", {}) for n in range(100)))
    assert [call.failure for call in calls if call.failure] == []
    assert all(call.usage == (2, 20) for call in calls)
    assert len(server.requests) == 100
