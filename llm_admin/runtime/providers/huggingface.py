"""HuggingFace: the inference API (its router to many providers), or an Inference Endpoint by its address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from llm_admin.exceptions import CallFailed
from llm_admin.runtime.providers.addresses import address, option
from llm_admin.runtime.providers.base import EmbeddingResult, Endpoint, Parameters
from llm_admin.runtime.providers.extras import ExtraProvider, made
from llm_admin.runtime.providers.reading import Reading, checked

if TYPE_CHECKING:
    import httpx
    from langchain_core.language_models import BaseChatModel

    from llm_admin.runtime.providers.huggingface_client import Route
    from llm_admin.runtime.providers.pools import Pools

ROUTER = "router.huggingface.co"


class HuggingFaceProvider(ExtraProvider):
    """Options of a connection: `headers` and `body`, both added to every request."""

    modules = ("llm_admin.runtime.providers.huggingface_model",)
    label = "Hugging Face"
    requirement = "langchain-huggingface>=1.2,<2"
    package = "langchain_huggingface"
    default_base_url = f"https://{ROUTER}/v1"
    supports_embeddings = True

    def __init__(self) -> None:
        super().__init__()
        self._clients: Pools[httpx.AsyncClient] | None = None

    def build(self, endpoint: Endpoint, parameters: Parameters) -> BaseChatModel:
        self.require()
        from llm_admin.runtime.providers.huggingface_model import chat_model

        settings = {**option(endpoint, "body"), **parameters}
        route = self._route(endpoint)
        return made(lambda: chat_model(route, endpoint.provider_model, settings))

    async def list_models(self, endpoint: Endpoint) -> list[str]:
        self.require()
        from llm_admin.runtime.providers.huggingface_client import model_names

        with Reading(self):
            return await model_names(self._route(endpoint))

    async def embed(self, endpoint: Endpoint, texts: list[str]) -> EmbeddingResult:
        self.require()
        from llm_admin.runtime.providers.huggingface_model import vectors

        with Reading(self):
            return EmbeddingResult(checked(await vectors(self._route(endpoint), endpoint.provider_model, texts), texts))

    def classify(self, exc: BaseException) -> CallFailed | None:
        if not self.missing:
            from llm_admin.runtime.providers.huggingface_client import classify

            return classify(exc) or super().classify(exc)
        return super().classify(exc)

    async def aclose(self) -> None:
        if self._clients is not None:
            await self._clients.aclose()

    def _route(self, endpoint: Endpoint) -> Route:
        from llm_admin.runtime.providers.huggingface_client import Route, client, pools

        if self._clients is None:
            self._clients = pools()
        url, key = address(endpoint, self.default_base_url)
        headers: dict[str, Any] = option(endpoint, "headers")
        times = (endpoint.timeout, endpoint.first_token_timeout)
        identity = (url, key, tuple(sorted(headers.items())), times)
        shared = self._clients.get(identity, lambda: client(*times, key=key))
        return Route(url, key, headers, shared, routed=urlsplit(url).hostname == ROUTER)
