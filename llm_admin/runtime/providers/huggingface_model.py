"""ChatHuggingFace with our client, sending what was set and nothing else, and telling all the tokens."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Any, Self

from huggingface_hub import AsyncInferenceClient
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_huggingface import ChatHuggingFace, HuggingFaceEndpointEmbeddings
from pydantic import Field, model_validator

from llm_admin.runtime.providers.addresses import NO_KEY
from llm_admin.runtime.providers.huggingface_client import Inference, Route

KNOWN = set(inspect.signature(AsyncInferenceClient.chat_completion).parameters) - {"self", "messages", "stream"}


class HuggingFaceModel(ChatHuggingFace):
    """Theirs wants an endpoint object, which makes clients of its own and brings settings that nobody chose
    (temperature 0.8, 512 tokens ...): there is none."""

    llm: Any = None
    route: Any = Field(default=None, exclude=True, repr=False)

    @model_validator(mode="after")
    def validate_llm(self) -> Self:
        return self

    def _inherit_llm_properties(self) -> None:
        return None

    def _resolve_model_id(self) -> None:
        return None

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, *args, **kwargs))

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        """LangChain's own leaves cached and reasoning tokens out, and keeps the connection of what is left early."""
        dicts, params = self._create_message_dicts(messages, stop)
        asked = {**params, **kwargs, "stream": True, "stream_options": {"include_usage": True}}
        client: Any = Inference(self.route, self.route.url)
        client.wanted_format = asked.get("response_format")
        answer: Any = await client.chat_completion(messages=dicts, **asked)
        usage, finished = None, False
        async with aclosing(client.lines):
            async for chunk in answer:
                usage = _usage(chunk.usage) or usage
                for choice in chunk["choices"][:1]:
                    finished = bool(choice.get("finish_reason")) or finished
                    yield _chunk(choice)
            await _finish(client.lines)
        if usage and finished:
            yield ChatGenerationChunk(message=AIMessageChunk(content="", usage_metadata=usage))


async def _finish(lines: AsyncIterator[str]) -> None:
    """What follows the last event, so that the connection can be used again."""
    with suppress(TimeoutError):
        async with asyncio.timeout(1):
            async for _ in lines:
                continue


def _chunk(choice: Any) -> ChatGenerationChunk:
    reason = choice.get("finish_reason")
    message = AIMessageChunk(content=(choice.get("delta") or {}).get("content") or "")
    named = {"eos_token": "stop", "stop_sequence": "stop"}.get(reason, reason)
    return ChatGenerationChunk(message=message, generation_info={"finish_reason": named} if named else None)


def _usage(told: Any) -> UsageMetadata | None:
    """Usage without numbers is unknown usage."""
    read, written = (told or {}).get("prompt_tokens"), (told or {}).get("completion_tokens")
    if read is None or written is None:
        return None
    usage = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
    if (cached := (told.get("prompt_tokens_details") or {}).get("cached_tokens")) is not None:
        usage["input_token_details"] = InputTokenDetails(cache_read=cached)
    if (reasoning := (told.get("completion_tokens_details") or {}).get("reasoning_tokens")) is not None:
        usage["output_token_details"] = OutputTokenDetails(reasoning=reasoning)
    return usage


def chat_model(route: Route, model: str, settings: dict[str, Any]) -> HuggingFaceModel:
    known = {name: value for name, value in settings.items() if name in KNOWN}
    rest = {name: value for name, value in settings.items() if name not in KNOWN}
    return HuggingFaceModel(
        model_id=model, route=route, model_kwargs={**known, **({"extra_body": rest} if rest else {})}
    )


async def vectors(route: Route, model: str, texts: list[str]) -> list[list[float]]:
    made = HuggingFaceEndpointEmbeddings(model=model, huggingfacehub_api_token=NO_KEY)
    made.async_client = Inference(route, _feature_url(route, model))
    return await made.aembed_documents(texts)


def _feature_url(route: Route, model: str) -> str:
    """The router has a way of its own to embeddings; an endpoint has them at its root."""
    base = route.url.removesuffix("/v1")
    return f"{base}/hf-inference/models/{model}/pipeline/feature-extraction" if route.routed else base
