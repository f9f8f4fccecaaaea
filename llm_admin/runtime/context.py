"""What a run gets from outside: how it looks things up, and where it reports. Services implement these over the ORM."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from llm_admin.choices import CallStatus
from llm_admin.exceptions import CallFailed
from llm_admin.schemas.events import RunEvent
from llm_admin.schemas.plans import DeploymentPlan, ModelPlan, PromptPlan, RunPlan
from llm_admin.schemas.records import ApprovalRequest, CachedAnswer, CallRecord, CallStart, Decision, Done, StepRecord
from llm_admin.schemas.usage import TokenUsage


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


class Gate(Protocol):
    """Refuses calls before they cost: budgets, and limits of persons."""

    async def admit(self, start: CallStart, model: ModelPlan) -> UUID | None:
        """A ticket, when something was reserved; it goes into `start.ticket`, and whoever records the call settles it.
        Raises CallFailed (budget, user_limit)."""


class Answers(Protocol):
    """Answers that were given before."""

    def wanted(self, parameters: Mapping[str, Any], prompt: PromptPlan | None, model: ModelPlan) -> bool:
        """Whether this call may be answered from the cache at all."""

    async def find(self, start: CallStart, model: ModelPlan) -> CachedAnswer | None: ...

    async def keep(self, start: CallStart, model: ModelPlan, answer: CachedAnswer) -> None: ...


class Routes(Protocol):
    """What is known of deployments, shared by all calls (and processes): limits, failures, rest."""

    async def order(self, model: ModelPlan) -> list[DeploymentPlan]:
        """In the order in which to try them: those that do not rest; when all rest, all."""

    async def begin(self, deployment: DeploymentPlan, tokens: int) -> float | None:
        """None: a call of about so many tokens may begin, and is counted. Else the seconds until there is room."""

    async def ended(
        self, deployment: DeploymentPlan, tokens: int, usage: TokenUsage, failure: CallFailed | None
    ) -> None:
        """Of each call that began. `tokens`: what `begin` was told."""


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
    gate: Gate | None = None
    answers: Answers | None = None
    routes: Routes | None = None
    call_timeout: float = 120
    first_token_timeout: float = 60
    call_retries: int = 2
