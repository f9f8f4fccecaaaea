"""Servers that speak OpenAI's interface, and say some things in their own way."""

import pytest

from llm_admin.choices import ErrorKind
from llm_admin.runtime.providers import Endpoint
from llm_admin.runtime.providers.openai import OpenAIProvider
from tests.runtime.providers.kinds import Call
from tests.servers.recorded_openai_server import RecordedOpenAIServer


@pytest.fixture
async def ask():
    """ask("vllm", "400") -> what came of it."""
    provider = OpenAIProvider()
    with RecordedOpenAIServer() as server:

        async def run(whose, name):
            server.provider = whose
            told = server.answer(name)
            endpoint = Endpoint("openai", "m", base_url=server.base_url, api_key="k")
            return told, await Call(provider, endpoint).run("What is the weather?", {})

        yield run
        await provider.aclose()


@pytest.mark.parametrize(
    ("whose", "name", "kind"),
    [
        ("ollama", "404", ErrorKind.BAD_REQUEST),
        ("vllm", "400", ErrorKind.BAD_REQUEST),
        ("vllm", "too_long", ErrorKind.CONTEXT_TOO_LONG),
        ("litellm", "too_long", ErrorKind.CONTEXT_TOO_LONG),
        ("litellm", "too_long_2", ErrorKind.CONTEXT_TOO_LONG),
        ("litellm", "filter", ErrorKind.CONTENT_FILTER),
        ("azure", "filter", ErrorKind.CONTENT_FILTER),
        ("azure", "429", ErrorKind.RATE_LIMIT),
    ],
)
async def test_a_refusal_has_its_kind_and_the_server_s_words(ask, whose, name, kind):
    told, call = await ask(whose, name)
    assert (call.failure.kind, call.failure.status_code) == (kind, told.status)
    assert call.failure.detail == (told.body.get("error") or told.body)["message"]


@pytest.mark.parametrize("name", ["stream", "stream_asynchronous_filter"])
async def test_azure_s_chunks_about_its_filter_are_passed_over(ask, name):
    told, call = await ask("azure", name)
    assert call.failure is None, call.failure
    assert call.text == told.expect["text"]
    assert (call.usage.input, call.usage.output) == (told.expect["input"], told.expect["output"])
