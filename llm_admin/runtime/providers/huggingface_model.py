"""ChatHuggingFace with our client, sending what was set and nothing else, and telling all the tokens."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from huggingface_hub import AsyncInferenceClient
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGenerationChunk
from langchain_huggingface import ChatHuggingFace, HuggingFaceEndpoint, HuggingFaceEndpointEmbeddings

from llm_admin.runtime.providers.addresses import NO_KEY
from llm_admin.runtime.providers.huggingface_client import Inference, Route

KNOWN = set(inspect.signature(AsyncInferenceClient.chat_completion).parameters) - {"self", "messages", "stream"}


class HuggingFaceModel(ChatHuggingFace):
    route: Any = None

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        """LangChain's own leaves cached and reasoning tokens out, and keeps the connection of an answer that is left."""
        dicts, params = self._create_message_dicts(messages, stop)
        asked = {**params, **kwargs, "stream": True, "stream_options": {"include_usage": True}}
        client: Any = Inference(self.route, self.route.url)
        client.wanted_format = asked.get("response_format")
        answer: Any = await client.chat_completion(messages=dicts, **asked)
        usage, finished = None, False
        async with aclosing(client.lines):
            async for chunk in answer:
                usage = _usage(chunk.get("usage")) or usage
                for choice in chunk["choices"][:1]:
                    finished = bool(choice.get("finish_reason")) or finished
                    yield _chunk(choice)
        if usage and finished:
            yield ChatGenerationChunk(message=AIMessageChunk(content="", usage_metadata=usage))


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
    """The endpoint object brings settings of its own (temperature 0.8, 512 tokens ...), which nobody chose."""
    llm = HuggingFaceEndpoint(model=model, huggingfacehub_api_token=NO_KEY)
    made = HuggingFaceModel(llm=llm, route=route)
    made.temperature = made.max_tokens = made.stop = made.top_p = None
    known = {name: value for name, value in settings.items() if name in KNOWN}
    rest = {name: value for name, value in settings.items() if name not in KNOWN}
    made.model_kwargs = {**known, **({"extra_body": rest} if rest else {})}
    return made


async def vectors(route: Route, model: str, texts: list[str]) -> list[list[float]]:
    made = HuggingFaceEndpointEmbeddings(model=model, huggingfacehub_api_token=NO_KEY)
    made.async_client = Inference(route, _feature_url(route, model))
    return await made.aembed_documents(texts)


def _feature_url(route: Route, model: str) -> str:
    """The router has a way of its own to embeddings; an endpoint has them at its root."""
    base = route.url.removesuffix("/v1")
    return f"{base}/hf-inference/models/{model}/pipeline/feature-extraction" if route.routed else base
