"""Code that does not stream gets the same text and numbers; OpenAI's: tests/runtime/openai_provider."""

import pytest

from llm_admin.schemas.usage import TokenUsage
from tests.runtime.providers.kinds import KINDS


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.name != "openai"], ids=repr)
async def test_code_that_does_not_stream_gets_the_same(provider, endpoint, server):
    expected = server.answer("cached").expect
    message = await provider.build(endpoint(), {}).ainvoke("What is the weather?")
    usage = TokenUsage.of(message.usage_metadata)
    assert (message.text, usage.input, usage.output) == (expected["text"], expected["input"], expected["output"])
    assert usage.cached_input == expected["cached_input"]
