"""The demo chat model itself: a real LangChain model without a network."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from llm_admin.choices import ErrorKind
from llm_admin.runtime.providers.fake import REFUSALS, SLOW_MS, FakeFailure, refusal
from llm_admin.runtime.providers.fake_answers import answer, exactly
from llm_admin.runtime.providers.fake_script import script

PIECES = re.compile(r"\s*\S+|\s+\Z")
# A copy costs a quarter of what building and validating a chunk does.
BLANK = AIMessageChunk(content="")


@dataclass(slots=True)
class Plan:
    """What one call does: sends pieces, perhaps waits and fails, or ends."""

    pieces: list[str]
    failure: BaseException | None = None
    wait: float = 0
    finish: str | None = "stop"
    usage: UsageMetadata | None = None


class FakeChatModel(BaseChatModel):
    model: str = "demo"
    behaviour: str = ""
    delay_ms: float = 0
    words: int | None = None
    script: str = ""
    patience: float = 60
    max_tokens: int | None = None
    stop: list[str] | None = None
    response_format: Any = None

    @property
    def _llm_type(self) -> str:
        return "llm-console-demo"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.model, "behaviour": self.behaviour}

    def _plan(self, messages: list[BaseMessage], stop: list[str] | None, response_format: Any = None) -> Plan:
        plan = self._scripted(messages) if self.script else self._told(messages, response_format)
        self._shorten(plan, stop or self.stop or [])
        if self.behaviour != "nousage":
            plan.usage = usage(messages, plan.pieces)
        return plan

    def _scripted(self, messages: list[BaseMessage]) -> Plan:
        said = script(self.script).take(messages)
        if isinstance(said, BaseException):
            return Plan([], failure=said)
        if isinstance(said, str):
            return Plan(PIECES.findall(said))
        failure = next((one for one in said if isinstance(one, BaseException)), None)
        before = said[: list(said).index(failure)] if failure else said
        return Plan([one for one in before if isinstance(one, str)], failure=failure)

    def _told(self, messages: list[BaseMessage], response_format: Any) -> Plan:
        if self.behaviour in REFUSALS:
            return Plan([], failure=refusal(self.behaviour))
        if self.behaviour == "hang":
            return Plan([], failure=FakeFailure(ErrorKind.TIMEOUT, "no answer in time"), wait=self.patience)
        if self.behaviour == "malformed":
            return Plan(PIECES.findall('{"answer": "The demo model was told to break off its JSON", "and": ['))
        pieces = PIECES.findall(answer(messages, response_format or self.response_format))
        if self.words:
            pieces = exactly(pieces, self.words)
        half = pieces[: len(pieces) // 2]
        if self.behaviour == "cut":
            return Plan(half, failure=FakeFailure(ErrorKind.PROVIDER_DOWN, "the answer broke off"))
        if self.behaviour == "unfinished":
            return Plan(half, finish=None)
        return Plan(pieces)

    def _shorten(self, plan: Plan, stop: list[str]) -> None:
        if stop:
            text = "".join(plan.pieces)
            ends = [text.find(word) for word in stop if word and word in text]
            plan.pieces = PIECES.findall(text[: min(ends)]) if ends else plan.pieces
        if self.max_tokens is not None and len(plan.pieces) > self.max_tokens:
            plan.pieces = plan.pieces[: self.max_tokens]
            plan.finish = "length" if plan.finish else None

    @property
    def _delay(self) -> float:
        return max(self.delay_ms, SLOW_MS if self.behaviour == "slow" else 0) / 1000

    async def _astream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        plan, delay = self._plan(messages, stop, kwargs.get("response_format")), self._delay
        for count, piece in enumerate(plan.pieces):
            if delay or not count & 31:  # even without a pace, others (and Stop) get their turn
                await asyncio.sleep(delay)
            yield ChatGenerationChunk(message=BLANK.model_copy(update={"content": piece}))
        if plan.failure:
            await asyncio.sleep(plan.wait)
            raise plan.failure
        yield self._last(plan)

    def _stream(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        plan, delay = self._plan(messages, stop, kwargs.get("response_format")), self._delay
        for piece in plan.pieces:
            time.sleep(delay)
            yield ChatGenerationChunk(message=BLANK.model_copy(update={"content": piece}))
        if plan.failure:
            time.sleep(plan.wait)
            raise plan.failure
        yield self._last(plan)

    async def _agenerate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return whole([chunk async for chunk in self._astream(messages, stop, **kwargs)])

    def _generate(
        self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return whole(list(self._stream(messages, stop, **kwargs)))

    def _last(self, plan: Plan) -> ChatGenerationChunk:
        message = AIMessageChunk(content="", usage_metadata=plan.usage, chunk_position="last")
        ending = {"finish_reason": plan.finish, "model_name": self.model} if plan.finish else None
        return ChatGenerationChunk(message=message, generation_info=ending)


def usage(messages: list[BaseMessage], pieces: list[str]) -> UsageMetadata:
    """A token is a word here: near enough to a real model's count, and easy to check by hand."""
    asked = sum(len(message.text.split()) for message in messages)
    return UsageMetadata(input_tokens=asked, output_tokens=len(pieces), total_tokens=asked + len(pieces))


def whole(chunks: list[ChatGenerationChunk]) -> ChatResult:
    text = "".join(chunk.text for chunk in chunks)
    last = chunks[-1]
    message = AIMessage(content=text, usage_metadata=getattr(last.message, "usage_metadata", None))
    return ChatResult(generations=[ChatGeneration(message=message, generation_info=last.generation_info)])
