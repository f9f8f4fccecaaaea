"""Both ways to a model's pieces give the same; the expensive one is taken only where somebody listens."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langsmith.utils import get_env_var

from llm_admin.runtime.providers import get_provider
from llm_admin.runtime.providers.fake_model import FakeChatModel
from llm_admin.runtime.streaming import pieces

QUESTION = [HumanMessage("Hello there")]


async def collect(model):
    return [piece async for piece in pieces(get_provider("fake"), model, QUESTION)]


def told(found):
    """The text, the usage that was reported, and why it ended."""
    usages = [usage for _, usage, _ in found if usage is not None]
    reasons = [m["finish_reason"] for _, _, m in found if m.get("finish_reason")]
    return "".join(text for text, _, _ in found), usages, reasons


class Listener(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.heard: list[str] = []

    async def on_llm_new_token(self, token: str, **_: Any) -> None:
        self.heard.append(token)


async def test_both_ways_give_the_same():
    listener = Listener()
    direct = told(await collect(FakeChatModel(words=7)))
    through_callbacks = told(await collect(FakeChatModel(words=7, callbacks=[listener])))
    assert direct == through_callbacks
    assert direct[2] == ["stop"]
    assert direct[1][0]["output_tokens"] == 7


async def test_who_listens_hears_every_token():
    listener = Listener()
    text = told(await collect(FakeChatModel(words=3, callbacks=[listener])))[0]
    assert "".join(listener.heard) == text


async def test_nobody_listening_costs_no_callbacks(monkeypatch):
    async def astream(*_: Any, **__: Any):
        raise AssertionError("through callbacks")
        yield

    monkeypatch.setattr(BaseChatModel, "astream", astream)
    assert told(await collect(FakeChatModel(words=3)))[0]
    monkeypatch.setenv("LANGSMITH_TRACING", "true")
    get_env_var.cache_clear()
    try:
        with pytest.raises(AssertionError, match="through callbacks"):
            await collect(FakeChatModel(words=3))
    finally:
        monkeypatch.undo()
        get_env_var.cache_clear()


class Whole(BaseChatModel):
    """A third party's model that cannot stream."""

    @property
    def _llm_type(self) -> str:
        return "whole"

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage("All at once"))])


async def test_a_model_that_cannot_stream_answers_in_one_piece():
    assert told(await collect(Whole()))[0] == "All at once"
