"""One model call: streamed, timed, counted, priced and recorded, however it ends."""

from __future__ import annotations

import asyncio
import json
import time
import weakref
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from llm_admin.choices import CallStatus, ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.context import Context
from llm_admin.runtime.pricing import cost_nano
from llm_admin.runtime.prompts import Chat, to_messages
from llm_admin.runtime.providers import Endpoint, Provider, get_provider
from llm_admin.runtime.providers.reading import Classified, loaded
from llm_admin.runtime.router import Router
from llm_admin.runtime.streaming import Piece, pieces
from llm_admin.schemas.plans import DeploymentPlan, ModelPlan, PromptPlan
from llm_admin.schemas.records import Attempt, CachedAnswer, CallRecord, CallStart
from llm_admin.schemas.usage import MOST_TOKENS, TokenUsage

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

MOST_MODELS = 200
CHARACTERS_A_TOKEN = 4
USUAL_ANSWER = 500  # tokens
WHOLE = ("stop", "STOP", "end_turn", "stop_sequence", "eos_token")
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
    """`ends`: when it must be there, by the event loop's clock."""

    ends: float
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
    start = _start(request, model)
    if context.answers is None or not context.answers.wanted(request.parameters, request.prompt, model):
        return await _Call(context, request, model, start).answer()
    began = time.perf_counter()
    if (found := await context.answers.find(start, model)) is not None:
        return _given_again(context, start, found, began)
    call = _Call(context, request, model, start)
    text = await call.answer()
    if call.whole:
        usage = TokenUsage.of(call.got.usage)
        await context.answers.keep(start, model, CachedAnswer(text, usage.input, usage.output))
    return text


def _given_again(context: Context, start: CallStart, found: CachedAnswer, began: float) -> str:
    """Nothing is asked and nothing is paid; what it would have used is kept."""
    context.recorder.call_started(start)
    context.emit({"type": "token", "path": start.path, "text": found.text})
    took = round((time.perf_counter() - began) * 1000)
    record = CallRecord(
        start=start,
        status=CallStatus.SUCCEEDED,
        answer=found.text,
        latency_ms=took,
        first_token_ms=took,
        input_tokens=found.input_tokens,
        output_tokens=found.output_tokens,
        cached=True,
        cost_nano=0,
    )
    context.recorder.call_ended(record)
    return found.text


class _Call:
    """One call and its attempts. `whole`: the provider said that the answer had come to its own end."""

    def __init__(self, context: Context, request: Request, model: ModelPlan, start: CallStart) -> None:
        self.context, self.request, self.model, self.start = context, request, model, start
        self.deployment: DeploymentPlan | None = None
        self.ends = 0.0
        self.got, self.began = _Answer(self.ends), time.perf_counter()

    @property
    def whole(self) -> bool:
        return self.got.metadata.get("finish_reason") in WHOLE

    async def answer(self) -> str:
        context, start = self.context, self.start
        if context.gate is not None:
            start.ticket = await context.gate.admit(start, self.model)
        self.ends = asyncio.get_running_loop().time() + context.call_timeout
        router = Router(context, self.model, _about(start), self._ask, lambda: self.got.first_at is not None)
        failure: CallFailed | None = None
        status = CallStatus.FAILED  # what stands after something unforeseen
        context.recorder.call_started(start)
        try:
            await router.answer()
            status = CallStatus.SUCCEEDED
        except CallFailed as error:
            failure = error
            raise
        except asyncio.CancelledError:
            status = context.stop_status  # it may have been set while we were waiting
            raise
        finally:
            context.recorder.call_ended(self._record(status, failure, _before(router, failure)))
        return self.got.text

    async def _ask(self, deployment: DeploymentPlan) -> TokenUsage:
        """One attempt; what was read of the one before is forgotten."""
        self.deployment, self.got, self.began = deployment, _Answer(self.ends), time.perf_counter()
        self.start.deployment_id = deployment.id
        self.start.price_id = deployment.price.id if deployment.price else None
        provider = _provider(deployment)
        await loaded(provider)
        await _stream(self.context, self.request, provider, deployment, self.got)
        return TokenUsage.of(self.got.usage)

    def _record(self, status: CallStatus, failure: CallFailed | None, attempts: list[Attempt]) -> CallRecord:
        got, counted = self.got, status == CallStatus.SUCCEEDED or "finish_reason" in self.got.metadata
        usage = TokenUsage.of(got.usage if counted else None)  # of half an answer, the count is half, too
        return CallRecord(
            start=self.start,
            status=status,
            answer=got.text,
            latency_ms=round((time.perf_counter() - self.began) * 1000),
            first_token_ms=None if got.first_at is None else round((got.first_at - self.began) * 1000),
            error_kind=failure.kind if failure else _kind_of(status),
            error=failure.detail if failure else "",
            input_tokens=usage.input,
            output_tokens=usage.output,
            cached_input_tokens=usage.cached_input,
            cache_write_tokens=usage.cache_write,
            reasoning_tokens=usage.reasoning,
            cost_nano=cost_nano(self.deployment.price if self.deployment else None, usage),
            attempts=attempts,
        )


def _before(router: Router, failure: CallFailed | None) -> list[Attempt]:
    """The attempts before the one that the record is of."""
    its_own = failure is not None and failure is router.noted
    return router.attempts[:-1] if its_own else router.attempts


def _about(start: CallStart) -> int:
    """Tokens that a call will use, roughly: for limits."""
    asked = sum(len(str(message.get("content", ""))) for message in start.messages) // CHARACTERS_A_TOKEN
    return min(asked + int(start.parameters.get("max_tokens") or USUAL_ANSWER), MOST_TOKENS)


def _start(request: Request, model: ModelPlan) -> CallStart:
    return CallStart(
        path=request.path,
        started_at=datetime.now(UTC),
        messages=request.chat,
        parameters=request.parameters,
        prompt_id=request.prompt.prompt_id if request.prompt else None,
        prompt_version_id=request.prompt.version_id if request.prompt else None,
        model_id=model.id,
    )


async def _stream(
    context: Context, request: Request, provider: Provider, deployment: DeploymentPlan, answer: _Answer
) -> None:
    """Fills `answer`. Every failure of the provider leaves as CallFailed."""
    with Classified(provider):
        model = _build(context, provider, deployment, request)
        await _consume(context, request, pieces(provider, model, to_messages(request.chat)), answer)
    if problem := provider.problem_at_end(answer.metadata, answer.usage is not None):
        raise problem


async def _consume(context: Context, request: Request, arriving: AsyncIterator[Piece], answer: _Answer) -> None:
    emit, path, texts = context.emit, request.path, answer.pieces
    now = asyncio.get_running_loop().time()
    # The first word has a limit of its own, so that there is time left for the next deployment.
    async with asyncio.timeout_at(min(now + context.first_token_timeout, answer.ends)) as limit:
        async for text, usage, metadata in arriving:
            if text:
                if answer.first_at is None:
                    answer.first_at = time.perf_counter()
                    limit.reschedule(answer.ends)
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


def _kind_of(status: CallStatus) -> ErrorKind | None:
    return {CallStatus.CANCELLED: ErrorKind.CANCELLED, CallStatus.INTERRUPTED: ErrorKind.INTERRUPTED}.get(status)
