"""One model call: streamed, timed, counted, priced and recorded, however it ends."""

from __future__ import annotations

import asyncio
import json
import sys
import time
import weakref
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from llm_admin.choices import CallStatus, ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.context import Context
from llm_admin.runtime.pricing import cost_nano
from llm_admin.runtime.prompts import Chat, to_messages
from llm_admin.runtime.providers import Endpoint, Provider, get_provider
from llm_admin.runtime.streaming import pieces
from llm_admin.schemas.plans import DeploymentPlan, ModelPlan, PromptPlan
from llm_admin.schemas.records import CallRecord, CallStart
from llm_admin.schemas.usage import TokenUsage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

MOST_MODELS = 200
_models: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, BaseChatModel]] = weakref.WeakKeyDictionary()


@dataclass(slots=True)
class Request:
    """`path` is the step's path, "" in a prompt's run."""

    path: str
    alias: str
    chat: Chat
    parameters: dict[str, Any]
    prompt: PromptPlan | None = None


@dataclass(slots=True)
class _Answer:
    pieces: list[str] = field(default_factory=list)
    usage: Any = None
    metadata: dict[str, Any] = field(default_factory=dict)
    first_at: float | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)


async def call_model(context: Context, request: Request) -> str:
    """The whole answer, its pieces emitted as they came. Raises CallFailed, with the call already recorded."""
    model = await context.resolver.model(request.alias)
    deployment = _choose(model)
    provider = _provider(deployment)
    if missing := [name for name in provider.modules if name not in sys.modules]:
        await asyncio.to_thread(lambda: [import_module(name) for name in missing])
    start = _start(request, model, deployment)
    answer, began = _Answer(), time.perf_counter()
    context.recorder.call_started(start)
    failure: CallFailed | None = None
    status = CallStatus.FAILED  # what stands after something unforeseen
    try:
        await _stream(context, request, provider, deployment, answer)
        status = CallStatus.SUCCEEDED
    except CallFailed as error:
        failure = error
        failure.connection, failure.model = deployment.connection, model.name
        raise
    except asyncio.CancelledError:
        status = context.stop_status  # it may have been set while we were waiting
        raise
    finally:
        context.recorder.call_ended(_record(start, status, answer, began, deployment, failure))
    return answer.text


def _choose(model: ModelPlan) -> DeploymentPlan:
    if not model.deployments:
        raise CallFailed(
            ErrorKind.BAD_REQUEST, f"the model “{model.name}” runs nowhere yet; an operator can add a deployment"
        )
    return model.deployments[0]


def _start(request: Request, model: ModelPlan, deployment: DeploymentPlan) -> CallStart:
    return CallStart(
        path=request.path,
        started_at=datetime.now(UTC),
        messages=request.chat,
        parameters=request.parameters,
        prompt_id=request.prompt.prompt_id if request.prompt else None,
        prompt_version_id=request.prompt.version_id if request.prompt else None,
        model_id=model.id,
        deployment_id=deployment.id,
        price_id=deployment.price.id if deployment.price else None,
    )


async def _stream(
    context: Context, request: Request, provider: Provider, deployment: DeploymentPlan, answer: _Answer
) -> None:
    """Fills `answer`. Every failure of the provider leaves as CallFailed."""
    with _Classified(provider):
        async with asyncio.timeout(context.call_timeout):
            await _consume(context, request, _build(context, provider, deployment, request), answer)
    if problem := provider.problem_at_end(answer.metadata, answer.usage is not None):
        raise problem


class _Classified(AbstractContextManager[None]):
    """What the provider knows as its failure leaves as CallFailed; everything else passes as it is."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        failure = self.provider.classify(error) if isinstance(error, Exception) else None
        if failure is not None and failure is not error:
            raise failure from error


async def _consume(context: Context, request: Request, model: BaseChatModel, answer: _Answer) -> None:
    emit, path, texts = context.emit, request.path, answer.pieces
    async for text, usage, metadata in pieces(model, to_messages(request.chat)):
        if text:
            if answer.first_at is None:
                answer.first_at = time.perf_counter()
            texts.append(text)
            emit({"type": "token", "path": path, "text": text})
        if usage is not None:
            answer.usage = _add(answer.usage, usage)
        if metadata.get("finish_reason"):
            answer.metadata = metadata


def _add(before: Any, more: Any) -> Any:
    if before is None:
        return more
    from langchain_core.messages.ai import add_usage

    return add_usage(before, more)


def _provider(deployment: DeploymentPlan) -> Provider:
    try:
        return get_provider(deployment.provider)
    except KeyError as error:
        raise CallFailed(ErrorKind.BAD_REQUEST, str(error.args[0])) from None


def _build(context: Context, provider: Provider, deployment: DeploymentPlan, request: Request) -> BaseChatModel:
    """Built once per event loop, endpoint and parameters: LangChain's set-up costs more than a short call."""
    built = _models.setdefault(asyncio.get_running_loop(), {})
    key = json.dumps([deployment.id, deployment.endpoint_key, context.first_token_timeout, request.parameters])
    if key not in built:
        while len(built) >= MOST_MODELS:
            del built[next(iter(built))]
        built[key] = provider.build(_endpoint(context, deployment), request.parameters)
    return built[key]


def _endpoint(context: Context, deployment: DeploymentPlan) -> Endpoint:
    return Endpoint(
        provider=deployment.provider,
        provider_model=deployment.provider_model,
        base_url=deployment.base_url,
        api_key=deployment.api_key,
        timeout=context.call_timeout,
        first_token_timeout=context.first_token_timeout,
        options=deployment.options,
    )


def _record(
    start: CallStart,
    status: CallStatus,
    answer: _Answer,
    began: float,
    deployment: DeploymentPlan,
    failure: CallFailed | None,
) -> CallRecord:
    usage = TokenUsage.of(answer.usage)
    return CallRecord(
        start=start,
        status=status,
        answer=answer.text,
        latency_ms=round((time.perf_counter() - began) * 1000),
        first_token_ms=None if answer.first_at is None else round((answer.first_at - began) * 1000),
        error_kind=failure.kind if failure else _kind_of(status),
        error=failure.detail if failure else "",
        input_tokens=usage.input,
        output_tokens=usage.output,
        cached_input_tokens=usage.cached_input,
        cache_write_tokens=usage.cache_write,
        reasoning_tokens=usage.reasoning,
        cost_nano=cost_nano(deployment.price, usage),
    )


def _kind_of(status: CallStatus) -> ErrorKind | None:
    return {CallStatus.CANCELLED: ErrorKind.CANCELLED, CallStatus.INTERRUPTED: ErrorKind.INTERRUPTED}.get(status)
