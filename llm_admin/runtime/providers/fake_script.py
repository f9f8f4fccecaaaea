"""Queues of answers for the demo model, so that tests can say what it answers next. By name, in this process."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

# A whole text, or pieces as they shall arrive (an exception among them is raised there), or an exception at once.
Answer = str | Sequence[str | BaseException] | BaseException


@dataclass(slots=True)
class Script:
    answers: deque[Answer] = field(default_factory=deque)
    requests: list[list[BaseMessage]] = field(default_factory=list)

    def take(self, messages: list[BaseMessage]) -> Answer:
        self.requests.append(messages)
        if not self.answers:
            raise LookupError(f"the script has no answer for request {len(self.requests)}")
        return self.answers.popleft()


_scripts: dict[str, Script] = {}


def script(name: str) -> Script:
    return _scripts.setdefault(name, Script())


def enqueue(name: str, *answers: Answer) -> Script:
    """The next answers of models whose options say `{"script": name}`."""
    found = script(name)
    found.answers.extend(answers)
    return found


def forget(name: str) -> None:
    _scripts.pop(name, None)
