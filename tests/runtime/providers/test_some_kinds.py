"""What is so with all kinds of providers but one."""

from __future__ import annotations

import pytest

from llm_admin.choices import ErrorKind
from tests.runtime.providers.kinds import KINDS, Kind
from tests.servers.raw_server import open_ended, whole


def all_but(name: str) -> list[Kind]:
    return [kind for kind in KINDS if kind.name != name]


@pytest.mark.parametrize("kind", all_but("google"), ids=repr)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_that_comes_as_if_all_were_well(ask, raw, kind, stream):
    """Proxies answer 200, and say in the body what went wrong. (Gemini has a shape of its own: test_contract.py)"""
    error = b'{"error": {"message": "No room for you", "type": "rate_limit_error", "code": "rate_limit_exceeded"}}'
    raw.answer = open_ended(b"event: error\ndata: " + error + b"\n\n") if stream else whole(error)
    failure = (await ask(base_url=raw.url)).failure
    assert (failure.kind, failure.detail) == (ErrorKind.RATE_LIMIT, "No room for you")


@pytest.mark.parametrize("kind", all_but("huggingface"), ids=repr)
@pytest.mark.parametrize(("name", "value"), [("temperature", "hot"), ("stop", 5)])
async def test_a_setting_that_the_library_refuses_is_named(ask, raw, kind, name, value):
    """HuggingFace's library passes settings on as they are, and the provider judges them."""
    failure = (await ask({name: value}, base_url=raw.url)).failure
    assert failure.kind == ErrorKind.BAD_REQUEST
    assert f"the provider cannot use this value of {name}" in failure.detail
