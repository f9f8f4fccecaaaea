"""ChatAnthropic with our shared client, and its numbers put right."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import anthropic
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.outgoing import guarded_transport
from llm_admin.runtime.providers import no_stream
from llm_admin.runtime.providers.addresses import NO_KEY
from llm_admin.runtime.providers.failures import NO_JSON, WAITED, refusal, transport
from llm_admin.runtime.providers.pools import Pools

CONNECT_TIMEOUT = 10.0
# Anthropic's reasons in OpenAI's words, which is how the runtime knows them.
REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "tool_use": "tool_calls",
}


class AnthropicModel(ChatAnthropic):
    shared: Any = Field(default=None, exclude=True, repr=False)

    @property
    def _async_client(self) -> anthropic.AsyncAnthropic:
        return self.shared

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, *args, **kwargs))

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        """Usage comes in two parts: what was read at the start, and what was written at the end."""
        told: dict[str, Any] = {}
        async for chunk in super()._astream(*args, **kwargs):
            message = chunk.message
            told |= message.response_metadata.pop("usage_so_far", {})
            if isinstance(message, AIMessageChunk) and message.usage_metadata is not None:
                message.usage_metadata = usage_of(told)
            yield chunk

    def _make_message_chunk_from_anthropic_event(self, event: Any, **options: Any) -> Any:
        chunk, started = super()._make_message_chunk_from_anthropic_event(event, **options)
        if chunk is not None and event.type == "message_start":
            chunk.response_metadata["usage_so_far"] = numbers(event.message.usage) | {"output_tokens": None}
        elif chunk is not None and event.type == "message_delta":
            chunk.response_metadata["usage_so_far"] = numbers(event.usage)
            if reason := event.delta.stop_reason:
                chunk.response_metadata["finish_reason"] = REASONS.get(reason, reason)
        return chunk, started


def numbers(usage: Any) -> dict[str, Any]:
    return {} if usage is None else usage.model_dump(exclude_none=True)


def usage_of(told: dict[str, Any]) -> UsageMetadata | None:
    """Their `input_tokens` are without those of the cache; LangChain's are with them. Unknown is not 0."""
    read, written = told.get("input_tokens"), told.get("output_tokens")
    if read is None or written is None:
        return None
    cached, kept = told.get("cache_read_input_tokens"), told.get("cache_creation_input_tokens")
    reasoning = (told.get("output_tokens_details") or {}).get("thinking_tokens")
    total = read + (cached or 0) + (kept or 0)
    usage = UsageMetadata(input_tokens=total, output_tokens=written, total_tokens=total + written)
    details = {"cache_read": cached, "cache_creation": kept}
    usage["input_token_details"] = InputTokenDetails(**{k: v for k, v in details.items() if v is not None})  # type: ignore[typeddict-item]
    if reasoning is not None:
        usage["output_token_details"] = OutputTokenDetails(reasoning=reasoning)
    return usage


def chat_model(
    client: anthropic.AsyncAnthropic, model: str, fields: dict[str, Any], body: dict[str, Any]
) -> AnthropicModel:
    return AnthropicModel(
        model=model,
        base_url=str(client.base_url),
        api_key=NO_KEY,  # the client has it
        shared=client,
        max_retries=0,
        model_kwargs={"extra_body": body} if body else {},
        **fields,
    )


def output_config(schema: dict[str, Any] | None) -> dict[str, Any]:
    """Structured output. Anthropic has none for “any JSON” and for objects whose keys are not given."""
    if schema is None or _open(schema):
        return {}
    try:
        return {"output_config": {"format": {"type": "json_schema", "schema": anthropic.transform_schema(schema)}}}
    except (ValueError, TypeError) as error:
        raise CallFailed(ErrorKind.BAD_REQUEST, f"Anthropic cannot use this JSON schema ({str(error)[:150]})") from None


def _open(schema: Any) -> bool:
    if isinstance(schema, list):
        return any(map(_open, schema))
    if not isinstance(schema, dict):
        return False
    if schema.get("type") == "object" and not schema.get("properties"):
        return True
    return any(_open(value) for value in schema.values() if isinstance(value, dict | list))


def pools() -> Pools[anthropic.AsyncAnthropic]:
    return Pools(lambda client: client.close())


def client(url: str, key: str, headers: dict[str, str], timeout: float, wait: float) -> anthropic.AsyncAnthropic:
    limits = anthropic.Timeout(timeout, connect=min(CONNECT_TIMEOUT, wait), read=wait)
    hooks: dict[str, Any] = {"response": [no_stream.refuse], "request": [] if key else [_send_no_key]}
    made = anthropic.AsyncAnthropic(
        api_key=key or NO_KEY,
        base_url=url,
        timeout=limits,
        max_retries=0,
        http_client=anthropic.DefaultAsyncHttpxClient(
            base_url=url,
            timeout=limits,
            event_hooks=hooks,
            transport=guarded_transport(anthropic.DefaultAsyncHttpxClient, limits=anthropic.DEFAULT_CONNECTION_LIMITS),
        ),
    )
    made._custom_headers = headers  # not those of ANTHROPIC_CUSTOM_HEADERS, which may hold keys for another server
    return made


async def _send_no_key(request: Any) -> None:
    """Which header has the key depends on the library's version."""
    for header, value in (("x-api-key", NO_KEY), ("authorization", f"Bearer {NO_KEY}")):
        if request.headers.get(header) == value:
            del request.headers[header]


def classify(exc: BaseException) -> CallFailed | None:
    if isinstance(exc, anthropic.APIStatusError):
        body = exc.body
        inner = body.get("error") if isinstance(body, dict) else None
        codes = [inner.get("type")] if isinstance(inner, dict) else []
        headers, sent = exc.response.headers, exc.request.headers
        return refusal(exc.status_code, inner or body or "", codes=codes, headers=headers, sent=sent)
    if found := transport(exc):
        return found
    if isinstance(exc, anthropic.APIResponseValidationError | json.JSONDecodeError):
        return CallFailed(ErrorKind.PROVIDER_DOWN, NO_JSON)
    if isinstance(exc, anthropic.APITimeoutError):
        return CallFailed(ErrorKind.TIMEOUT, WAITED["ReadTimeout"])
    if isinstance(exc, anthropic.APIError):
        return CallFailed(ErrorKind.PROVIDER_DOWN, "the answer could not be read")
    return None
