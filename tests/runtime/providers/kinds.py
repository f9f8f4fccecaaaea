"""The provider kinds, each with a server that answers as the provider did, and what they send for a setting."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from llm_admin.runtime.providers import Endpoint, get_provider
from llm_admin.runtime.providers.base import Provider
from llm_admin.runtime.streaming import pieces
from llm_admin.schemas.usage import TokenUsage
from tests.servers.anthropic_server import AnthropicServer
from tests.servers.google_server import GoogleServer
from tests.servers.huggingface_server import HuggingFaceServer
from tests.servers.recorded_openai_server import RecordedOpenAIServer
from tests.servers.recorded_server import Request

PATIENCE = 30  # for each next piece: longer than any machine is busy
WAIT = 0.4  # for one that never comes
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
RESPONSE_FORMAT = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}


@dataclass(frozen=True)
class Kind:
    """`schema`, `stop` ...: where the request has what a prompt's settings ask for."""

    name: str
    server: type
    key_header: Callable[[Request], str]
    schema: Callable[[Any], Any]
    settings: Callable[[Any], tuple[Any, Any, Any]]  # stop, temperature, the longest answer
    embeds: bool = True

    def __repr__(self) -> str:
        return self.name


KINDS = [
    Kind(
        "openai",
        RecordedOpenAIServer,
        lambda request: request.headers["authorization"].removeprefix("Bearer "),
        lambda body: body["response_format"]["json_schema"]["schema"],
        lambda body: (body["stop"], body["temperature"], body["max_tokens"]),
    ),
    Kind(
        "anthropic",
        AnthropicServer,
        lambda request: request.headers.get("x-api-key") or request.headers["authorization"].removeprefix("Bearer "),
        lambda body: body["output_config"]["format"]["schema"],
        lambda body: (body["stop_sequences"], body["temperature"], body["max_tokens"]),
        embeds=False,
    ),
    Kind(
        "google",
        GoogleServer,
        lambda request: request.headers["x-goog-api-key"],
        lambda body: body["generationConfig"]["responseJsonSchema"],
        lambda body: tuple(body["generationConfig"][n] for n in ("stopSequences", "temperature", "maxOutputTokens")),
    ),
    Kind(
        "huggingface",
        HuggingFaceServer,
        lambda request: request.headers["authorization"].removeprefix("Bearer "),
        lambda body: body["response_format"]["value"],  # as text-generation-inference wants it
        lambda body: (body["stop"], body["temperature"], body["max_tokens"]),
    ),
]


class Call:
    """A call as the runtime makes it."""

    def __init__(self, provider: Provider, endpoint: Endpoint) -> None:
        self.provider, self.endpoint = provider, endpoint
        self.text, self.metadata, self.usage, self.failure, self.error = "", {}, TokenUsage(), None, None
        self.pieces = 0

    async def run(self, question: str, parameters: dict[str, Any]) -> Call:
        from langchain_core.messages import HumanMessage, SystemMessage

        told = None
        asked = [SystemMessage(content="Be brief."), HumanMessage(content=question)]
        try:
            model = self.provider.build(self.endpoint, parameters)
            async for text, usage, metadata in pieces(self.provider, model, asked):
                self.text += text
                self.pieces += bool(text)
                if usage is not None:
                    assert told is None, "told once"
                    told = usage
                if metadata.get("finish_reason"):
                    self.metadata = metadata
            self.failure = self.provider.problem_at_end(self.metadata, told is not None)
        except Exception as error:  # noqa: BLE001 - as the runtime does
            self.error = error
            self.failure = self.provider.classify(error)
            assert self.failure, f"not classified: {error!r}"
        self.usage = TokenUsage.of(told)
        return self


def provider_of(kind: Kind) -> Provider:
    """A new one, with connections of its own."""
    return type(get_provider(kind.name))()
