"""A tiny real call: does the model answer, and how fast? For testing connections, outside of any run."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from llm_admin.runtime.prompts import to_messages
from llm_admin.runtime.providers.base import Endpoint, Provider
from llm_admin.runtime.providers.reading import Classified, Reading, loaded
from llm_admin.runtime.streaming import pieces
from llm_admin.schemas.usage import TokenUsage

MOST_TOKENS = 5
QUESTION = [{"role": "user", "content": "Say: ok"}]


@dataclass(frozen=True, slots=True)
class Answered:
    """`first_ms` None: it answered without a word, as a model does that thinks for longer than it may speak."""

    milliseconds: float
    first_ms: float | None
    usage: TokenUsage


async def ask(provider: Provider, endpoint: Endpoint) -> Answered:
    """Raises CallFailed."""
    await loaded(provider)
    began, first_ms, usage = time.perf_counter(), None, None
    metadata: dict[str, Any] = {}
    with Classified(provider):
        model = provider.build(endpoint, {"max_tokens": MOST_TOKENS})
        async for text, counted, more in pieces(provider, model, to_messages(QUESTION)):
            if text and first_ms is None:
                first_ms = _since(began)
            usage = counted or usage
            metadata = more if more.get("finish_reason") else metadata
    if problem := provider.problem_at_end(metadata, usage is not None):
        raise problem
    return Answered(_since(began), first_ms, TokenUsage.of(usage))


async def names(provider: Provider, endpoint: Endpoint) -> list[str]:
    """The provider's models. Raises CallFailed."""
    await loaded(provider)
    with Reading(provider):
        return await provider.list_models(endpoint)


def _since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
