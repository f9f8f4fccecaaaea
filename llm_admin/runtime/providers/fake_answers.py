"""What the demo model says: a few sentences about the request, or the JSON that the request asks for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from llm_admin.runtime.providers.fake_choices import told_answer
from llm_admin.runtime.providers.fake_json import asks_for_json, json_answer

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage


def answer(messages: list[BaseMessage], response_format: Any = None) -> str:
    asked = _last_question(messages)
    request = "\n".join(message.text for message in messages)
    if asks_for_json(request, response_format):
        return json.dumps(json_answer(request, asked, response_format), indent=2, ensure_ascii=False)
    told = told_answer(request, asked)
    return " ".join(_sentences(messages, asked)) if told is None else told


def exactly(pieces: list[str], count: int) -> list[str]:
    """The pieces cut or repeated to this number."""
    spaced = [piece if piece[:1].isspace() else f" {piece}" for piece in pieces]
    repeated = pieces + spaced * (count // max(len(pieces), 1))
    return repeated[:count]


def _last_question(messages: list[BaseMessage]) -> str:
    return next((m.text for m in reversed(messages) if m.type == "human"), messages[-1].text if messages else "")


def _sentences(messages: list[BaseMessage], asked: str) -> list[str]:
    words = asked.split()
    said = ["This is a demo answer; no AI wrote it.", f"You asked: “{_excerpt(words)}”."]
    if len(words) > 24:
        said.append(f"Your message ends with “… {' '.join(words[-8:])}”.")
    if task := next((m.text.split() for m in messages if m.type == "system"), []):
        said.append(f"The instructions begin with “{_excerpt(task, 12)}”.")
    if earlier := sum(1 for m in messages if m.type == "human") - 1:
        said.append(f"Before that came {earlier} other {'question' if earlier == 1 else 'questions'}.")
    said.append(
        "With a real model connected, its answer would stand here and arrive in the same way: piece by piece, "
        "with the time that it took, its tokens and its price."
    )
    return said


def _excerpt(words: list[str], most: int = 24) -> str:
    return " ".join(words[:most]).rstrip(".,;:") + (" …" if len(words) > most else "")
