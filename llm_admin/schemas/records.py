"""What the runtime reports of its work; services turn these into rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from llm_admin.choices import CallStatus, ErrorKind, RunStatus, StepStatus


@dataclass(slots=True)
class CallStart:
    """A model call that is about to be made. `path` is the step's path, "" for a prompt's run."""

    path: str
    started_at: datetime
    messages: list[dict[str, Any]]
    parameters: dict[str, Any] = field(default_factory=dict)
    prompt_id: int | None = None
    prompt_version_id: int | None = None
    model_id: int | None = None
    deployment_id: int | None = None
    price_id: int | None = None
    ticket: UUID | None = None  # what the gate reserved for it


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    text: str
    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(slots=True)
class Attempt:
    """One try of a call at one deployment that did not give the answer. `waited_ms`: before the next one."""

    deployment_id: int
    deployment: str  # "gpt-5-mini at OpenAI"
    error_kind: ErrorKind
    error: str
    latency_ms: int
    waited_ms: int = 0


@dataclass(slots=True)
class CallRecord:
    """A model call that ended, however. Unknown numbers are None. Money in US nano-dollars."""

    start: CallStart
    status: CallStatus
    answer: str
    latency_ms: int
    first_token_ms: int | None = None
    error_kind: ErrorKind | None = None
    error: str = ""
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    cached: bool = False  # given again from the cache: nothing was asked and nothing was paid
    attempts: list[Attempt] = field(default_factory=list)  # before the one that this record is of
    cost_nano: int | None = None


@dataclass(slots=True)
class StepRecord:
    """A step that started (status running) or ended."""

    path: str
    step_id: str
    type: str
    title: str
    started_at: datetime
    input: Any = None
    status: StepStatus = StepStatus.RUNNING
    output: Any = None
    ended_at: datetime | None = None
    error_kind: ErrorKind | None = None
    error: str = ""
    note: str = ""  # which way a branch went, what was done about a failure


@dataclass(frozen=True, slots=True)
class Done:
    """A step that need not run: its result, or how it failed."""

    output: Any = None
    failed: ErrorKind | None = None
    error: str = ""


@dataclass(slots=True)
class ApprovalRequest:
    """What somebody has to decide before the run goes on."""

    path: str
    step_id: str
    title: str
    question: str
    text: str
    role: str = ""
    people: list[str] = field(default_factory=list)
    hours: float | None = None
    at_deadline: str = "decline"


@dataclass(frozen=True, slots=True)
class Decision:
    """`text` as it was approved, perhaps edited; `by` and `word` in words for the author."""

    approved: bool
    text: str
    by: str = ""
    word: str = ""


@dataclass(slots=True)
class Outcome:
    """How a run ended. `traceback` only for *internal* errors, for operators."""

    status: RunStatus
    output: Any = None
    error_kind: ErrorKind | None = None
    error: str = ""
    error_step: str = ""
    traceback: str = ""
