"""OpenAI, and every server that speaks its chat-completions interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers.addresses import address, option
from llm_admin.runtime.providers.base import EmbeddingResult, Endpoint, Parameters, Provider
from llm_admin.runtime.providers.extras import made
from llm_admin.runtime.providers.reading import Reading, checked, names_of

if TYPE_CHECKING:
    import openai
    from langchain_core.language_models import BaseChatModel

    from llm_admin.runtime.providers.openai_clients import Clients

# What ChatOpenAI has a field for. Anything else goes into the body of the request as it is: so does response_format,
# because LangChain would otherwise change to a streaming interface that parses every chunk anew.
FIELDS = ("temperature", "top_p", "stop", "seed", "presence_penalty", "frequency_penalty", "reasoning_effort")


class OpenAIProvider(Provider):
    """Options of a connection: `headers` and `body`, both added to every request."""

    modules = ("llm_admin.runtime.providers.openai_model", "llm_admin.runtime.providers.openai_clients")
    label = "OpenAI or compatible"
    default_base_url = "https://api.openai.com/v1"
    supports_embeddings = True

    def __init__(self) -> None:
        self._clients: Clients | None = None

    @property
    def clients(self) -> Clients:
        if self._clients is None:
            from llm_admin.runtime.providers.openai_clients import Clients

            self._clients = Clients()
        return self._clients

    def build(self, endpoint: Endpoint, parameters: Parameters) -> BaseChatModel:
        from llm_admin.runtime.providers.openai_model import chat_model

        client = self._client(endpoint)
        fields = {name: value for name, value in parameters.items() if name in FIELDS}
        body = {name: value for name, value in parameters.items() if name not in FIELDS}
        if "max_tokens" in body and self._is_openai(endpoint):
            body["max_completion_tokens"] = body.pop("max_tokens")
        more = {**option(endpoint, "body"), **body}
        return made(lambda: chat_model(client, endpoint.provider_model, fields, more))

    async def list_models(self, endpoint: Endpoint) -> list[str]:
        with Reading(self):
            page = await self._client(endpoint).models.list()
            return names_of(page.data)

    async def embed(self, endpoint: Endpoint, texts: list[str]) -> EmbeddingResult:
        from llm_admin.runtime.providers.openai_embeddings import embed

        client = self._client(endpoint)
        with Reading(self):
            result = await embed(client, endpoint.provider_model, texts, option(endpoint, "body"))
            return EmbeddingResult(checked(result.vectors, texts), result.tokens)

    def classify(self, exc: BaseException) -> CallFailed | None:
        from llm_admin.runtime.providers.openai_errors import classify

        return classify(exc) or super().classify(exc)

    async def aclose(self) -> None:
        if self._clients is not None:
            await self._clients.aclose()

    def _client(self, endpoint: Endpoint) -> openai.AsyncOpenAI:
        url, key = address(endpoint, self.default_base_url)
        return self.clients.get(url, key, option(endpoint, "headers"), endpoint.timeout, endpoint.first_token_timeout)

    def _is_openai(self, endpoint: Endpoint) -> bool:
        """Only OpenAI insists on the new name of max_tokens; other servers may know but the old one."""
        host: Any = urlsplit(endpoint.base_url or self.default_base_url).hostname or ""
        return host == "openai.com" or host.endswith(".openai.com")
