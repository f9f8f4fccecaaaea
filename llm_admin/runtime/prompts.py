"""PromptSpec -> LangChain. Variables are replaced exactly; literal braces stay literal braces."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.schemas.prompts import PromptSpec, converted
from llm_admin.schemas.syntaxes import syntax_of
from llm_admin.schemas.template import to_f_string

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_core.prompts import ChatPromptTemplate

Chat = list[dict[str, str]]  # [{"role": ..., "content": ...}]


def as_langchain(spec: PromptSpec) -> ChatPromptTemplate:
    """For code that composes chains itself. Placeholders take a list of messages, an empty one by default.

    Raises InvalidInput for a jinja2 prompt that does more than put values in: LangChain would run it unlimited.
    """
    from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder

    spec = converted(spec)
    names = [v.name for v in spec.variables]
    parts: list[Any] = [
        MessagesPlaceholder(m.name, optional=True) if m.role == "placeholder" else (m.role, to_f_string(m.text, names))
        for m in spec.messages
    ]
    return ChatPromptTemplate(parts)


def fill_in(spec: PromptSpec, values: Mapping[str, Any]) -> Chat:
    """The messages as they are sent and logged. `values` as `schemas.prompts.check_inputs` returns them.

    Raises InvalidInput where a text of an imported syntax cannot be filled in with these values.
    """
    own = {v.name: values[v.name] for v in spec.variables}
    render = syntax_of(spec.syntax).render
    chat: Chat = []
    for position, message in enumerate(spec.messages):
        if message.role == "placeholder":
            chat += [{"role": m["role"], "content": m["text"]} for m in values.get(message.name, ())]
        else:
            try:
                chat.append({"role": message.role, "content": render(message.text, own)})
            except ValueError as error:
                raise InvalidInput([Problem(("messages", position), str(error))]) from None
    return chat


def to_messages(chat: Chat) -> list[BaseMessage]:
    """Copies of blank messages: building and validating one costs ten times as much."""
    blanks = _blanks()
    return [
        blanks[m["role"]].model_copy(update={"content": m["content"], "additional_kwargs": {}, "response_metadata": {}})
        for m in chat
    ]


@lru_cache(maxsize=1)
def _blanks() -> dict[str, BaseMessage]:
    from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

    return {"system": SystemMessage(content=""), "user": HumanMessage(content=""), "assistant": AIMessage(content="")}
