"""Events of a run, as they travel over a channel to the page. Plain dictionaries with a `type`."""

from __future__ import annotations

from typing import Literal, TypedDict


class TokenEvent(TypedDict):
    """A piece of an answer; `path` names the step ("" in a prompt's run)."""

    type: Literal["token"]
    path: str
    text: str


class StepEvent(TypedDict):
    type: Literal["step"]
    path: str
    status: str


class StatusEvent(TypedDict):
    """The run started or ended; after an ending status nothing follows."""

    type: Literal["status"]
    status: str


RunEvent = TokenEvent | StepEvent | StatusEvent
