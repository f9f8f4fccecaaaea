"""HuggingFace: the inference API (its router to many providers), or an Inference Endpoint by its address."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llm_admin.runtime.providers.addresses import option
from llm_admin.runtime.providers.base import EmbeddingResult, Endpoint, Parameters
from llm_admin.runtime.providers.extras import ExtraProvider, Library, made
from llm_admin.runtime.providers.reading import Reading, checked

if TYPE_CHECKING:
    import httpx
    from langchain_core.language_models import BaseChatModel

    from llm_admin.runtime.providers.huggingface_client import Route

ROUTER = "router.huggingface.co"


class HuggingFaceProvider(ExtraProvider["httpx.AsyncClient"]):
    modules = ("llm_admin.runtime.providers.huggingface_model",)
    label = "Hugging Face"
    requirement = "langchain-huggingface>=1.2,<2"
    package = "langchain_huggingface"
    default_base_url = f"https://{ROUTER}/v1"
    supports_embeddings = True

    def library(self) -> Library[httpx.AsyncClient]:
        from llm_admin.runtime.providers.huggingface_client import classify, client, pools

        return Library(pools, lambda place: client(place.timeout, place.wait, key=place.key), classify)

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

    def _route(self, endpoint: Endpoint) -> Route:
        from llm_admin.runtime.providers.huggingface_client import Route

        place = self.place(endpoint)
        routed = urlsplit(place.url).hostname == ROUTER
        return Route(place.url, place.key, place.headers, self.client(place), routed=routed)
