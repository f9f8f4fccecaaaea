"""ChatGoogleGenerativeAI with our shared client, and its numbers put right."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Self

import httpx
from google.genai import Client
from google.genai.types import HttpOptions
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_google_genai import ChatGoogleGenerativeAI, GoogleGenerativeAIEmbeddings
from pydantic import model_validator

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.outgoing import guarded_transport
from llm_admin.runtime.providers.addresses import NO_KEY
from llm_admin.runtime.providers.failures import NO_LIST, WEB_PAGE
from llm_admin.runtime.providers.pools import Pools

DEFAULT = "https://generativelanguage.googleapis.com"
CONNECT_TIMEOUT = 10.0
# Google's reasons in OpenAI's words, which is how the runtime knows them.
REASONS = {"STOP": "stop", "MAX_TOKENS": "length"}
FILTERED = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "LANGUAGE")


class GoogleModel(ChatGoogleGenerativeAI):
    @model_validator(mode="after")
    def validate_environment(self) -> Self:
        """Theirs makes a client of its own here; ours was given."""
        return self

    @property
    def async_client(self) -> Any:
        return self.client.aio if self.client is not None else None

    def _prepare_request(self, messages: list[BaseMessage], **kwargs: Any) -> dict[str, Any]:
        """Further settings go into the request's body as they are."""
        more = HttpOptions(extra_body=self.model_kwargs) if self.model_kwargs else None
        off: Any = {"disable": True}
        return super()._prepare_request(messages, **kwargs, http_options=more, automatic_function_calling=off)

    async def _agenerate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, *args, **kwargs))

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        """Tells the usage once, at the end: Gemini repeats it, so far, with every chunk."""
        usage: UsageMetadata | None = None
        finished = False
        async for chunk in super()._astream(*args, **kwargs):
            message = chunk.message
            if isinstance(message, AIMessageChunk) and message.usage_metadata is not None:
                usage, message.usage_metadata = add_usage(usage, message.usage_metadata), None
            finished = _name_the_end(chunk) or finished
            yield chunk
        if usage and finished:
            yield ChatGenerationChunk(message=AIMessageChunk(content="", usage_metadata=usage))


def _name_the_end(chunk: ChatGenerationChunk) -> bool:
    info, metadata = chunk.generation_info or {}, chunk.message.response_metadata
    reason = info.get("finish_reason")
    if (metadata.get("prompt_feedback") or {}).get("block_reason"):
        reason = "SAFETY"
    if not reason:
        return False
    named = "content_filter" if reason in FILTERED else REASONS.get(reason, str(reason).lower())
    info["finish_reason"] = metadata["finish_reason"] = named
    return True


def chat_model(client: Client, model: str, fields: dict[str, Any], body: dict[str, Any]) -> GoogleModel:
    settings = {"temperature": None, **fields}  # theirs is 0.7 where none is given
    return GoogleModel(
        model=model,
        client=client,
        api_key=NO_KEY,  # the client has it
        base_url=DEFAULT,  # the client has its own; without one here, LangChain looks into the environment
        vertexai=False,
        max_retries=1,  # how often it is tried
        model_kwargs=body,
        **settings,
    )


def pools() -> Pools[Client]:
    return Pools(_close)


async def _close(client: Client) -> None:
    options: Any = client._api_client._http_options
    await options.httpx_async_client.aclose()


def client(url: str, key: str, headers: dict[str, str], timeout: float, wait: float) -> Client:
    limits = httpx.Timeout(timeout, connect=min(CONNECT_TIMEOUT, wait), read=wait)
    hooks: dict[str, Any] = {"response": [_refuse_web_page], "request": [] if key else [_send_no_key]}
    shared = PatientClient(timeout=limits, event_hooks=hooks, trust_env=False, transport=guarded_transport(httpx))
    options = HttpOptions(
        base_url=url, headers=headers, httpx_async_client=shared, httpx_client=httpx.Client(transport=NoTransport())
    )
    return Client(vertexai=False, api_key=key or NO_KEY, http_options=options)


class PatientClient(httpx.AsyncClient):
    """The library asks for no time limit where it was given none; and one it was given it also sends to the server,
    as the longest that the whole answer may take."""

    def build_request(self, *args: Any, **options: Any) -> httpx.Request:
        if options.get("timeout") is None:
            options["timeout"] = self.timeout
        return super().build_request(*args, **options)


class NoTransport(httpx.BaseTransport):
    def handle_request(self, request: httpx.Request) -> httpx.Response:
        raise NotImplementedError("only the asynchronous client passes the outgoing guard")


async def _send_no_key(request: httpx.Request) -> None:
    if request.headers.get("x-goog-api-key") == NO_KEY:
        del request.headers["x-goog-api-key"]


async def _refuse_web_page(response: httpx.Response) -> None:
    if response.is_success and "html" in response.headers.get("content-type", ""):
        raise CallFailed(ErrorKind.PROVIDER_DOWN, WEB_PAGE, status_code=response.status_code)


async def model_names(client: Client) -> list[str]:
    names = []
    async for model in await client.aio.models.list(config={"page_size": 1000}):
        names.append((model.name or "").removeprefix("models/"))
    if not any(names):  # a server of another kind: their list is never empty
        raise CallFailed(ErrorKind.PROVIDER_DOWN, NO_LIST)
    return sorted(filter(None, names))


class Vectors(GoogleGenerativeAIEmbeddings):
    @model_validator(mode="after")
    def _initialize_client(self) -> Self:
        return self


async def vectors(client: Client, model: str, texts: list[str]) -> list[list[float]]:
    made = Vectors(model=model, client=client, api_key=NO_KEY, vertexai=False, base_url=DEFAULT)
    return await made.aembed_documents(texts)
