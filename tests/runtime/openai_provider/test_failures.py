"""Each failure of a server has its kind and its words."""

import asyncio

import pytest

from llm_admin.choices import ErrorKind
from llm_admin.runtime.providers import no_stream
from tests.runtime.openai_provider.calls import KEY, WAIT, WEB_PAGE, endpoint_to
from tests.servers.openai_behaviour import Behaviour, error

TOO_LONG = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."


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
async def test_each_failure_has_its_kind(ask, model, kind, detail, status):
    waits = kind == ErrorKind.TIMEOUT
    call = await ask(model, **({"first_token_timeout": WAIT} if waits else {}))
    failure = call.failure
    assert (failure.kind, failure.detail, failure.status_code) == (kind, detail, status)
    if waits:
        assert call.seconds >= WAIT


@pytest.mark.parametrize("model", ["cut", "stall", "no-finish", "error-in-stream"])
async def test_what_arrived_before_the_failure_is_there(ask, model):
    wait = {"first_token_timeout": 2} if model == "stall" else {}
    assert (await ask(model, **wait)).text.split()[:3] == ["word1", "word2", "word3"]


async def test_a_failed_stream_gives_its_connection_back(ask, server):
    await ask("stall", first_token_timeout=WAIT)
    assert await asyncio.to_thread(server.requests[0].closed.wait, 30)


async def test_nothing_is_tried_twice(ask, server):
    for model in ("500", "429", "cut", "hang"):
        await ask(model, **({"first_token_timeout": WAIT} if model == "hang" else {}))
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
        (Behaviour(body={"no": "stream"}), ErrorKind.PROVIDER_DOWN, no_stream.NO_STREAM),
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
