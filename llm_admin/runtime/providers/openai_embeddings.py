"""OpenAIEmbeddings with our shared client, and the tokens that LangChain leaves out."""

from __future__ import annotations

from typing import Any

import openai
from langchain_openai import OpenAIEmbeddings

from llm_admin.runtime.providers.base import EmbeddingResult


class Counting:
    """Stands between LangChain and the client, and adds up what each answer says it used."""

    def __init__(self, client: openai.AsyncOpenAI) -> None:
        self.client = client
        self.tokens: int | None = 0

    async def create(self, **request: Any) -> Any:
        answer = await self.client.embeddings.create(**request)
        told = answer.usage.prompt_tokens if answer.usage else None
        self.tokens = None if told is None or self.tokens is None else self.tokens + told
        return answer


async def embed(client: openai.AsyncOpenAI, model: str, texts: list[str], body: dict[str, Any]) -> EmbeddingResult:
    """As numbers (`float`): some servers do not know OpenAI's compact form. Whole texts: other servers have other
    tokens, so the text is not cut by OpenAI's."""
    counting = Counting(client)
    more: dict[str, Any] = {"encoding_format": "float", **({"extra_body": body} if body else {})}
    made = OpenAIEmbeddings(
        model=model,
        openai_api_key=_no_sync_client,
        openai_api_base=str(client.base_url),
        async_client=counting,
        check_embedding_ctx_length=False,
        max_retries=0,
        model_kwargs=more,
    )
    return EmbeddingResult(await made.aembed_documents(texts), counting.tokens)


async def _no_sync_client() -> str:
    raise NotImplementedError
