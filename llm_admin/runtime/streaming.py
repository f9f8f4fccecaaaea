"""The pieces of a model's answer, at the least cost.

`BaseChatModel.astream` sets up callbacks for each call, hands every chunk to them, and keeps all chunks until the end
(docs/adr/0007 has the numbers). So the method that models implement is iterated directly; where somebody listens, or a
model has no such method, `astream` does it.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from llm_admin.runtime.providers.reading import Reading

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage

    from llm_admin.runtime.providers.base import Provider

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # no database holds these; one would lose the whole answer
Piece = tuple[str, Any, dict[str, Any]]  # text, usage_metadata or None, response metadata (finish_reason ...)


async def pieces(provider: Provider, model: BaseChatModel, messages: list[BaseMessage]) -> AsyncIterator[Piece]:
    """Raises CallFailed for whatever the provider answers; what is wrong with the messages or the loop as it is."""
    with Reading(provider):
        if not _directly(model):
            async for message in model.astream(messages):
                yield _text(message), message.usage_metadata, message.response_metadata
            return
        async for chunk in model._astream(messages):
            piece = chunk.message
            metadata = piece.response_metadata
            if chunk.generation_info:
                metadata = {**chunk.generation_info, **metadata}
            yield _text(piece), getattr(piece, "usage_metadata", None), metadata


def _text(message: Any) -> str:
    content = message.content
    return _UNSTORABLE.sub("\ufffd", content if type(content) is str else str(message.text))


def _directly(model: BaseChatModel) -> bool:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.tracers.context import _tracing_v2_is_enabled

    plain = not (model.callbacks or model.rate_limiter or model.disable_streaming)
    return plain and type(model)._astream is not BaseChatModel._astream and not _tracing_v2_is_enabled()
