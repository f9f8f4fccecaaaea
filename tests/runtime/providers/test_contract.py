"""One list of cases for all kinds of providers, over real HTTP; the answers are the providers' own (tests/servers)."""

from __future__ import annotations

import json

import pytest

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from tests.runtime.providers.kinds import KINDS, RESPONSE_FORMAT, SCHEMA, WAIT

pytestmark = pytest.mark.parametrize("kind", KINDS, ids=repr)

ANSWERS = [("stream", "stop"), ("cached", "stop"), ("reasoning", "stop"), ("stop", "stop"), ("length", "length")]
REFUSALS = [
    ("401", ErrorKind.AUTHENTICATION, None),
    ("403", ErrorKind.AUTHENTICATION, None),
    ("404", ErrorKind.BAD_REQUEST, None),
    ("400", ErrorKind.BAD_REQUEST, None),
    ("429", ErrorKind.RATE_LIMIT, 7.0),
    ("too_long", ErrorKind.CONTEXT_TOO_LONG, None),
    ("filter", ErrorKind.CONTENT_FILTER, None),
    ("500", ErrorKind.PROVIDER_DOWN, None),
    ("503", ErrorKind.PROVIDER_DOWN, None),
    ("overloaded", ErrorKind.PROVIDER_DOWN, None),
]
BREAKS = [
    ({"cut_after": 2}, ErrorKind.PROVIDER_DOWN, "the answer broke off"),
    ({"cut_after": 0}, ErrorKind.PROVIDER_DOWN, "the answer broke off"),
    ({"end_after": 2}, ErrorKind.PROVIDER_DOWN, "the answer broke off"),
    ({"garbage_after": 1}, ErrorKind.PROVIDER_DOWN, "did not answer with JSON: is the base URL right?"),
    ({"page": True}, ErrorKind.PROVIDER_DOWN, "answered with a web page instead of JSON: is the base URL right?"),
    ({"hang": True}, ErrorKind.TIMEOUT, "no answer in time"),
    ({"stall_after": 1}, ErrorKind.TIMEOUT, "no answer in time"),
]


@pytest.mark.parametrize(("name", "reason"), ANSWERS)
async def test_an_answer_streams_with_all_its_tokens(ask, server, name, reason):
    expected = server.answer(name).expect
    call = await ask()
    assert call.failure is None, call.failure
    assert call.text == expected["text"]
    assert call.metadata["finish_reason"] == reason
    told = {part: getattr(call.usage, part) for part in expected if part != "text"}
    assert told == {part: number for part, number in expected.items() if part != "text"}
    assert server.unknown == []


async def test_it_arrives_in_pieces(ask, server):
    server.answer("stream")
    assert (await ask()).pieces >= 3


async def test_what_the_provider_does_not_tell_is_unknown_and_not_zero(ask, server):
    server.answer("stream")
    usage = (await ask()).usage
    assert usage.cache_write in (None, 0)
    assert usage.reasoning in ((0,) if server.provider == "openai" else (None,))  # OpenAI tells its zeros


async def test_structured_output_is_asked_for_in_the_provider_s_own_way(ask, server, kind):
    expected = server.answer("json").expect
    call = await ask({"response_format": RESPONSE_FORMAT})
    assert json.loads(call.text) == json.loads(expected["text"]) == {"city": "Oslo"}
    sent = kind.schema(server.requests[0].body)
    assert (sent["type"], list(sent["properties"]), sent["required"]) == ("object", ["city"], SCHEMA["required"])


async def test_settings_go_where_the_provider_wants_them(ask, server, kind):
    server.answer("stop")
    await ask({"stop": ["END"], "temperature": 0.0, "max_tokens": 7})
    assert kind.settings(server.requests[0].body) == (["END"], 0.0, 7)


async def test_nothing_is_sent_that_was_not_set(ask, server):
    server.answer("stream")
    await ask()
    sent = json.dumps(server.requests[0].body)
    assert "temperature" not in sent and "top_p" not in sent and "topP" not in sent and "stop" not in sent


async def test_further_settings_and_headers_go_as_they_are(ask, server):
    server.answer("stream")
    extra = {"openai": "verbosity", "anthropic": "service_tier", "google": "cachedContent"}.get(
        server.provider, "repetition_penalty"
    )
    value = 1.5 if server.provider == "huggingface" else "low"
    call = await ask({extra: value}, options={"headers": {"X-Team": "support"}})
    assert call.failure is None, call.failure
    assert server.requests[0].body[extra] == value
    assert server.requests[0].headers["x-team"] == "support"


@pytest.mark.parametrize(("name", "expected", "wait"), REFUSALS)
async def test_a_refusal_has_its_kind(ask, server, name, expected, wait):
    told = server.answer(name)
    failure = (await ask()).failure
    assert failure.kind == expected
    assert failure.status_code == (None if told.events else told.status)
    if wait is not None:
        assert failure.retry_after == wait
    assert failure.detail
    assert len(server.requests) == 1, "it is the router that tries again"


async def test_a_model_that_it_does_not_have_may_be_known_elsewhere(ask, server):
    """HuggingFace says 400, and what it is in a code."""
    server.answer("404")
    failure = (await ask()).failure
    assert failure.status_code == 404 or failure.unknown_model


async def test_an_error_in_the_middle_of_a_stream(ask, server):
    server.answer("error_in_stream")
    call = await ask()
    assert call.text.startswith("Rain")
    assert call.failure.kind == ErrorKind.PROVIDER_DOWN
    assert call.failure.detail


@pytest.mark.parametrize(("how", "expected", "detail"), BREAKS, ids=lambda one: str(one))
async def test_a_broken_answer_is_noticed(ask, server, how, expected, detail):
    server.answer("stream", **how)
    waits = {"first_token_timeout": WAIT} if expected == ErrorKind.TIMEOUT else {}
    failure = (await ask(**waits)).failure
    assert (failure.kind, failure.detail) == (expected, detail)
    assert len(server.requests) == 1


async def test_nobody_there(ask):
    failure = (await ask(base_url="http://127.0.0.1:9")).failure
    assert (failure.kind, failure.detail) == (ErrorKind.PROVIDER_DOWN, "no connection to the server")


async def test_the_models_are_listed(provider, endpoint, server):
    expected = server.answer("models", "models").expect
    assert await provider.list_models(endpoint()) == expected["models"]


@pytest.mark.parametrize("name", ["401", "500"])
async def test_a_list_that_is_refused(provider, endpoint, server, name):
    server.answer(name, "models")
    with pytest.raises(CallFailed) as caught:
        await provider.list_models(endpoint())
    assert caught.value.kind == {one: kind for one, kind, _ in REFUSALS}[name]


async def test_connections_are_reused_and_closed(ask, server, provider):
    for _ in range(3):
        server.answer("stream")
        assert (await ask()).failure is None
    assert len({request.port for request in server.requests}) == 1
    await provider.aclose()
    assert (await ask()).failure is None, "and opens new ones when needed"
    assert len({request.port for request in server.requests}) == 2


async def test_the_key_that_was_given_is_sent_and_none_of_the_environment(ask, server, kind, monkeypatch):
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GOOGLE_API_KEY", "GEMINI_API_KEY", "HF_TOKEN"):
        monkeypatch.setenv(name, "key-of-somebody-else")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "key-of-somebody-else")
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "x-secret: key-of-somebody-else")
    monkeypatch.setenv("HUGGINGFACEHUB_API_TOKEN", "key-of-somebody-else")
    server.answer("stream")
    assert (await ask()).failure is None
    assert kind.key_header(server.requests[0]) == f"planted-{kind.name}-4711-key"
    assert (await ask(api_key="")).failure is None
    assert "key-of-somebody-else" not in str([request.headers for request in server.requests])
    with pytest.raises(KeyError):
        kind.key_header(server.requests[1])
