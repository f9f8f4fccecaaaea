"""AsyncInferenceClient over our shared HTTP client. The library keeps every answer's connection until it is closed
itself, and takes keys from this machine where it is given none."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import httpx
from huggingface_hub import AsyncInferenceClient, constants
from huggingface_hub.errors import InferenceTimeoutError, TextGenerationError

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.outgoing import guarded_async_client
from llm_admin.runtime.providers import no_stream
from llm_admin.runtime.providers.addresses import NO_KEY
from llm_admin.runtime.providers.failures import NO_JSON, kind_of, refusal, short, transport
from llm_admin.runtime.providers.pools import Pools
from llm_admin.runtime.providers.reading import names_of

# Else the library asks huggingface.co now and then which “agent” this process may be: of every server's owner, past the
# guard, and while the event loop waits.
constants.HF_HUB_DISABLE_TELEMETRY = True
CONNECT_TIMEOUT = 10.0
# What text-generation-inference calls its errors: https://huggingface.co/docs/text-generation-inference
ERROR_TYPES = {
    "OverloadedError": ErrorKind.PROVIDER_DOWN,
    "IncompleteGenerationError": ErrorKind.PROVIDER_DOWN,
    "ValidationError": ErrorKind.BAD_REQUEST,
}


@dataclass(frozen=True, slots=True)
class Route:
    """Where requests go. `routed`: to HuggingFace's router, which passes OpenAI's format on to many providers."""

    url: str
    key: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    http: httpx.AsyncClient
    routed: bool


class Inference(AsyncInferenceClient):
    """The library builds the requests and reads the answers; the sending in between is ours."""

    def __init__(self, route: Route, url: str) -> None:
        super().__init__(model=url, token=route.key or NO_KEY, headers=route.headers)
        self.route = route
        self.wanted_format: Any = None  # as the router and its providers want it
        self.lines: AsyncGenerator[str, None] | None = None  # close it: the library only forgets it

    async def _inner_post(self, request_parameters: Any, *, stream: bool = False) -> Any:
        body, asked = request_parameters.json, request_parameters
        if self.wanted_format and self.route.routed:
            body = {**body, "response_format": self.wanted_format}
        if stream:
            self.lines = self._lines(asked.url, body, asked.headers)
            return self.lines
        answer = await self.route.http.post(asked.url, json=body, headers=asked.headers)
        await _check(answer)
        return answer.content

    async def _lines(self, url: str, body: Any, headers: dict[str, str]) -> AsyncGenerator[str, None]:
        async with self.route.http.stream("POST", url, json=body, headers=headers) as answer:
            await _check(answer)
            async for line in answer.aiter_lines():
                _refuse_error(line, headers)
                yield line.strip()


def _refuse_error(line: str, sent: dict[str, str]) -> None:
    """The library knows errors that are texts; those of OpenAI's shape it would show as Python writes them."""
    if line.startswith("data:") and (event := line[5:].lstrip()).startswith('{"error"'):
        error = json.loads(event).get("error")
        if isinstance(error, dict):
            raise no_stream.told(error, {name.lower(): value for name, value in sent.items()})


async def _check(answer: httpx.Response) -> None:
    await no_stream.refuse(answer)
    if answer.is_success:
        return
    text = (await answer.aread()).decode(errors="replace")
    try:
        said = json.loads(text)
    except ValueError:
        said = text
    error = said.get("error") if isinstance(said, dict) else None
    inner = error if isinstance(error, dict) else said if isinstance(said, dict) else {}
    codes = [inner.get("code"), inner.get("type"), inner.get("error_type")]
    status = answer.status_code
    if "overloaded" in codes:  # text-generation-inference says 429 where all its places are taken
        status = 503
    failure = refusal(status, error or said, codes=codes, headers=answer.headers, sent=answer.request.headers)
    failure.status_code = answer.status_code
    raise failure


def classify(exc: BaseException) -> CallFailed | None:
    if found := transport(exc):
        return found
    if isinstance(exc, TextGenerationError):
        kind = ERROR_TYPES.get(type(exc).__name__, ErrorKind.PROVIDER_DOWN)
        length = kind_of(400, (), str(exc))
        return CallFailed(length if length == ErrorKind.CONTEXT_TOO_LONG else kind, short(str(exc), {}))
    if isinstance(exc, InferenceTimeoutError):
        return CallFailed(ErrorKind.TIMEOUT, "no answer in time")
    if isinstance(exc, json.JSONDecodeError):
        return CallFailed(ErrorKind.PROVIDER_DOWN, NO_JSON)
    if isinstance(exc, KeyError | TypeError) and "'choices'" in str(exc):
        return CallFailed(ErrorKind.PROVIDER_DOWN, "did not answer with a chat completion: is the base URL right?")
    return None


def pools() -> Pools[httpx.AsyncClient]:
    return Pools(httpx.AsyncClient.aclose)


def client(timeout: float, wait: float, *, key: str) -> httpx.AsyncClient:
    limits = httpx.Timeout(timeout, connect=min(CONNECT_TIMEOUT, wait), read=wait)
    hooks: dict[str, Any] = {"request": [] if key else [_send_no_key]}
    made: httpx.AsyncClient = guarded_async_client(httpx, timeout=limits, event_hooks=hooks)
    return made


async def _send_no_key(request: httpx.Request) -> None:
    if request.headers.get("authorization") == f"Bearer {NO_KEY}":
        del request.headers["authorization"]


async def model_names(route: Route) -> list[str]:
    """The router and most servers behind an endpoint have OpenAI's list."""
    base = route.url if route.url.endswith("/v1") else f"{route.url}/v1"
    sent = {**({"authorization": f"Bearer {route.key}"} if route.key else {}), **route.headers}
    answer = await route.http.get(f"{base}/models", headers=sent)
    await _check(answer)
    told = answer.json()
    return names_of(told.get("data") if isinstance(told, dict) else None)
