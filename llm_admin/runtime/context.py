"""What a run gets from outside: how it looks things up, and where it reports. Services implement these over the ORM."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from llm_admin.choices import CallStatus
from llm_admin.schemas.events import RunEvent
from llm_admin.schemas.plans import ModelPlan, RunPlan
from llm_admin.schemas.records import ApprovalRequest, CallRecord, CallStart, Decision, Done, StepRecord


class Resolver(Protocol):
    async def model(self, alias: str) -> ModelPlan:
        """Raises CallFailed(bad_request) for an alias that is unknown or switched off."""


class Recorder(Protocol):
    """Collects in memory and returns at once; what it was told is durable when the run is."""

    def call_started(self, start: CallStart) -> None: ...

    def call_ended(self, record: CallRecord) -> None: ...

    def step_started(self, record: StepRecord) -> None: ...

    def step_ended(self, record: StepRecord) -> None: ...

    def steps_forgotten(self, path: str) -> None:
        """What the step at `path` holds is done anew: what stands within it is not done any more."""

    def approval_asked(self, request: ApprovalRequest) -> None: ...


@dataclass(slots=True)
class Context:
    """`emit` must be cheap: it is called for every token. `stop_status` is what a cancelled run is recorded as."""

    resolver: Resolver
    recorder: Recorder
    emit: Callable[[RunEvent], None]
    plan: RunPlan = field(init=False)  # set by the executor
    done: Mapping[str, Done] = field(default_factory=dict)  # by path: steps that need not run again
    decisions: Mapping[str, Decision] = field(default_factory=dict)  # by path: approvals given or refused
    steps: int = 0  # taken so far
    stop_status: CallStatus = CallStatus.CANCELLED
    call_timeout: float = 120
    first_token_timeout: float = 60
