"""Anthropic's Messages interface, at Anthropic or at a server that speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers.addresses import address, option
from llm_admin.runtime.providers.base import Endpoint, Parameters
from llm_admin.runtime.providers.extras import ExtraProvider, made, schema_of, split
from llm_admin.runtime.providers.reading import Reading, names_of

if TYPE_CHECKING:
    import anthropic
    from langchain_core.language_models import BaseChatModel

    from llm_admin.runtime.providers.pools import Pools

FIELDS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "top_k": "top_k",
    "max_tokens": "max_tokens",
    "stop": "stop_sequences",
    "thinking": "thinking",
    "reasoning_effort": "reasoning_effort",
}
NOT_HERE = ("seed", "presence_penalty", "frequency_penalty")


class AnthropicProvider(ExtraProvider):
    """Options of a connection: `headers` and `body`, both added to every request."""

    modules = ("llm_admin.runtime.providers.anthropic_model",)
    label = "Anthropic"
    requirement = "langchain-anthropic>=1.4,<2"
    package = "langchain_anthropic"
    default_base_url = "https://api.anthropic.com"

    def __init__(self) -> None:
        super().__init__()
        self._clients: Pools[anthropic.AsyncAnthropic] | None = None

    def build(self, endpoint: Endpoint, parameters: Parameters) -> BaseChatModel:
        self.require()
        from llm_admin.runtime.providers.anthropic_model import chat_model, output_config

        known, rest = split(parameters, FIELDS, NOT_HERE)
        body = {**option(endpoint, "body"), **rest}
        config = output_config(schema_of(parameters))
        client = self._client(endpoint)
        return made(lambda: chat_model(client, endpoint.provider_model, {**known, **config}, body))

    async def list_models(self, endpoint: Endpoint) -> list[str]:
        self.require()
        with Reading(self):
            page = await self._client(endpoint).models.list(limit=1000)
            return names_of(page.data)

    def classify(self, exc: BaseException) -> CallFailed | None:
        if not self.missing:
            from llm_admin.runtime.providers.anthropic_model import classify

            return classify(exc) or super().classify(exc)
        return super().classify(exc)

    async def aclose(self) -> None:
        if self._clients is not None:
            await self._clients.aclose()

    def _client(self, endpoint: Endpoint) -> anthropic.AsyncAnthropic:
        from llm_admin.runtime.providers.anthropic_model import client, pools

        if self._clients is None:
            self._clients = pools()
        url, key = address(endpoint, self.default_base_url)
        headers: dict[str, Any] = option(endpoint, "headers")
        times = (endpoint.timeout, endpoint.first_token_timeout)
        identity = (url, key, tuple(sorted(headers.items())), times)
        return self._clients.get(identity, lambda: client(url, key, headers, *times))
