"""Google's Gemini interface (generativelanguage.googleapis.com), with a key of AI Studio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_admin.runtime.providers.addresses import option
from llm_admin.runtime.providers.base import EmbeddingResult, Endpoint, Parameters
from llm_admin.runtime.providers.extras import ExtraProvider, Library, made, schema_of, split, wants_json
from llm_admin.runtime.providers.reading import Reading, checked

if TYPE_CHECKING:
    from google.genai import Client
    from langchain_core.language_models import BaseChatModel

SAME = ("temperature", "top_p", "top_k", "stop", "seed", "presence_penalty", "frequency_penalty")
MORE = ("thinking_budget", "thinking_level", "include_thoughts", "safety_settings", "reasoning_effort")
FIELDS = {**{name: name for name in (*SAME, *MORE)}, "max_tokens": "max_output_tokens"}


class GoogleProvider(ExtraProvider["Client"]):
    modules = ("llm_admin.runtime.providers.google_model",)
    label = "Google Gemini"
    requirement = "langchain-google-genai>=4.2,<5"
    package = "langchain_google_genai"
    default_base_url = "https://generativelanguage.googleapis.com"
    supports_embeddings = True

    def library(self) -> Library[Client]:
        from llm_admin.runtime.providers.google_errors import classify
        from llm_admin.runtime.providers.google_model import client, pools

        return Library(pools, lambda place: client(*place), classify)

    def build(self, endpoint: Endpoint, parameters: Parameters) -> BaseChatModel:
        self.require()
        from llm_admin.runtime.providers.google_model import chat_model

        known, rest = split(parameters, FIELDS)
        wanted: dict[str, Any] = {"response_mime_type": "application/json"} if wants_json(parameters) else {}
        if schema := schema_of(parameters):
            wanted["response_schema"] = schema
        body = {**option(endpoint, "body"), **rest}
        client = self.client(self.place(endpoint))
        return made(lambda: chat_model(client, endpoint.provider_model, {**known, **wanted}, body))

    async def list_models(self, endpoint: Endpoint) -> list[str]:
        self.require()
        from llm_admin.runtime.providers.google_model import model_names

        with Reading(self):
            return await model_names(self.client(self.place(endpoint)))

    async def embed(self, endpoint: Endpoint, texts: list[str]) -> EmbeddingResult:
        self.require()
        from llm_admin.runtime.providers.google_model import vectors

        with Reading(self):
            return EmbeddingResult(
                checked(await vectors(self.client(self.place(endpoint)), endpoint.provider_model, texts), texts)
            )
