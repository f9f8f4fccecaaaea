"""Anthropic's Messages interface, at Anthropic or at a server that speaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_admin.runtime.providers.addresses import option
from llm_admin.runtime.providers.base import Endpoint, Parameters
from llm_admin.runtime.providers.extras import ExtraProvider, Library, made, schema_of, split
from llm_admin.runtime.providers.reading import Reading, names_of

if TYPE_CHECKING:
    import anthropic
    from langchain_core.language_models import BaseChatModel

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


class AnthropicProvider(ExtraProvider["anthropic.AsyncAnthropic"]):
    modules = ("llm_admin.runtime.providers.anthropic_model",)
    label = "Anthropic"
    requirement = "langchain-anthropic>=1.4,<2"
    package = "langchain_anthropic"
    default_base_url = "https://api.anthropic.com"

    def library(self) -> Library[anthropic.AsyncAnthropic]:
        from llm_admin.runtime.providers.anthropic_model import classify, client, pools

        return Library(pools, lambda place: client(*place), classify)

    def build(self, endpoint: Endpoint, parameters: Parameters) -> BaseChatModel:
        self.require()
        from llm_admin.runtime.providers.anthropic_model import chat_model, output_config

        known, rest = split(parameters, FIELDS, NOT_HERE)
        body = {**option(endpoint, "body"), **rest}
        config = output_config(schema_of(parameters))
        client = self.client(self.place(endpoint))
        return made(lambda: chat_model(client, endpoint.provider_model, {**known, **config}, body))

    async def list_models(self, endpoint: Endpoint) -> list[str]:
        self.require()
        with Reading(self):
            page = await self.client(self.place(endpoint)).models.list(limit=1000)
            return names_of(page.data)
