"""ChatOpenAI with our shared client, and its numbers put right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import openai
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI
from openai.resources.chat.completions import AsyncCompletions


class PlainChunks(AsyncCompletions):
    """Streams dictionaries. Typed chunks, which LangChain turns back at once, cost more than all the rest together."""

    async def create(self, **payload: Any) -> Any:
        if not payload.get("stream"):
            return await super().create(**payload)
        extra = payload.pop("extra_body", None) or {}
        return await self._client.post(
            "/chat/completions",
            body={**payload, **extra},
            cast_to=object,
            stream=True,
            stream_cls=openai.AsyncStream[object],
        )


class OpenAIModel(ChatOpenAI):
    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        """Tells the usage once, at the end: some servers repeat it, so far, with every chunk."""
        usage, finished = None, False
        async for chunk in super()._astream(*args, **kwargs):
            message = chunk.message
            if getattr(message, "usage_metadata", None) is not None:
                usage, message.usage_metadata = message.usage_metadata, None  # type: ignore[attr-defined]
            if chunk.generation_info and chunk.generation_info.get("finish_reason"):
                finished = True
            yield chunk
        if usage and finished:
            yield ChatGenerationChunk(message=AIMessageChunk(content="", usage_metadata=usage))

    def _convert_chunk_to_generation_chunk(self, chunk: dict[str, Any], *args: Any) -> ChatGenerationChunk | None:
        """Usage without numbers is unknown usage; LangChain would say 0. And some chunks of Azure have no delta."""
        if any(choice.get("delta") is None for choice in chunk.get("choices") or ()):
            return None
        told = chunk.get("usage")
        if told and not all(type(told.get(name)) is int for name in ("prompt_tokens", "completion_tokens")):
            chunk = {**chunk, "usage": None}
        return super()._convert_chunk_to_generation_chunk(chunk, *args)


def chat_model(client: openai.AsyncOpenAI, model: str, fields: dict[str, Any], body: dict[str, Any]) -> OpenAIModel:
    return OpenAIModel(
        model=model,
        base_url=str(client.base_url),
        api_key=_no_sync_client,
        async_client=PlainChunks(client),
        root_async_client=client,
        max_retries=0,
        stream_usage=True,
        # The client's read time-out does the same without a task per chunk.
        stream_chunk_timeout=None,
        use_responses_api=False,
        extra_body=body or None,
        **fields,
    )


async def _no_sync_client() -> str:
    """For a key that only a coroutine gives, LangChain makes no synchronous twin of the client."""
    raise NotImplementedError
