"""What is refused, or fails, before any server could answer; and what is no failure of the provider."""

import socket

import openai
import pytest

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from tests.runtime.openai_provider.calls import KEY, endpoint_to


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
        call = await ask("x", base_url=f"http://127.0.0.1:{full.getsockname()[1]}/v1", first_token_timeout=0.4)
    assert call.failure.kind == ErrorKind.TIMEOUT


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
