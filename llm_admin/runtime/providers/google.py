"""Google's Gemini interface (generativelanguage.googleapis.com), with a key of AI Studio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers.addresses import address, option
from llm_admin.runtime.providers.base import EmbeddingResult, Endpoint, Parameters
from llm_admin.runtime.providers.extras import ExtraProvider, made, schema_of, split, wants_json
from llm_admin.runtime.providers.reading import Reading, checked

if TYPE_CHECKING:
    from google.genai import Client
    from langchain_core.language_models import BaseChatModel

    from llm_admin.runtime.providers.pools import Pools

SAME = ("temperature", "top_p", "top_k", "stop", "seed", "presence_penalty", "frequency_penalty")
MORE = ("thinking_budget", "thinking_level", "include_thoughts", "safety_settings", "reasoning_effort")
FIELDS = {**{name: name for name in (*SAME, *MORE)}, "max_tokens": "max_output_tokens"}


class GoogleProvider(ExtraProvider):
    """Options of a connection: `headers` and `body`, both added to every request."""

    modules = ("llm_admin.runtime.providers.google_model",)
    label = "Google Gemini"
    requirement = "langchain-google-genai>=4.2,<5"
    package = "langchain_google_genai"
    default_base_url = "https://generativelanguage.googleapis.com"
    supports_embeddings = True

    def __init__(self) -> None:
        super().__init__()
        self._clients: Pools[Client] | None = None

    def build(self, endpoint: Endpoint, parameters: Parameters) -> BaseChatModel:
        self.require()
        from llm_admin.runtime.providers.google_model import chat_model

        known, rest = split(parameters, FIELDS)
        wanted: dict[str, Any] = {"response_mime_type": "application/json"} if wants_json(parameters) else {}
        if schema := schema_of(parameters):
            wanted["response_schema"] = schema
        body = {**option(endpoint, "body"), **rest}
        client = self._client(endpoint)
        return made(lambda: chat_model(client, endpoint.provider_model, {**known, **wanted}, body))

    async def list_models(self, endpoint: Endpoint) -> list[str]:
        self.require()
        from llm_admin.runtime.providers.google_model import model_names

        with Reading(self):
            return await model_names(self._client(endpoint))

    async def embed(self, endpoint: Endpoint, texts: list[str]) -> EmbeddingResult:
        self.require()
        from llm_admin.runtime.providers.google_model import vectors

        with Reading(self):
            return EmbeddingResult(
                checked(await vectors(self._client(endpoint), endpoint.provider_model, texts), texts)
            )

    def classify(self, exc: BaseException) -> CallFailed | None:
        if not self.missing:
            from llm_admin.runtime.providers.google_errors import classify

            return classify(exc) or super().classify(exc)
        return super().classify(exc)

    async def aclose(self) -> None:
        if self._clients is not None:
            await self._clients.aclose()

    def _client(self, endpoint: Endpoint) -> Client:
        from llm_admin.runtime.providers.google_model import client, pools

        if self._clients is None:
            self._clients = pools()
        url, key = address(endpoint, self.default_base_url)
        headers: dict[str, Any] = option(endpoint, "headers")
        times = (endpoint.timeout, endpoint.first_token_timeout)
        identity = (url, key, tuple(sorted(headers.items())), times)
        return self._clients.get(identity, lambda: client(url, key, headers, *times))
