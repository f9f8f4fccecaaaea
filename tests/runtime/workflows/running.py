"""Workflows run by the executor alone: no database, the demo model, and a recorder that only remembers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from llm_admin.runtime.context import Context
from llm_admin.runtime.executor import execute
from llm_admin.schemas.plans import DeploymentPlan, ModelPlan, RunPlan
from llm_admin.schemas.records import ApprovalRequest, CallRecord, CallStart, Done, Outcome, StepRecord
from llm_admin.schemas.walking import inside
from llm_admin.schemas.workflows import WorkflowSpec


@dataclass
class Remembering:
    started: list[StepRecord] = field(default_factory=list)
    ended: list[StepRecord] = field(default_factory=list)
    asked: list[ApprovalRequest] = field(default_factory=list)
    calls: list[CallRecord] = field(default_factory=list)

    def call_started(self, start: CallStart) -> None: ...

    def call_ended(self, record: CallRecord) -> None:
        self.calls.append(record)

    def step_started(self, record: StepRecord) -> None:
        self.started.append(record)

    def step_ended(self, record: StepRecord) -> None:
        self.ended.append(record)

    def steps_forgotten(self, path: str) -> None:
        self.ended = [one for one in self.ended if not inside(one.path, path)]

    def approval_asked(self, request: ApprovalRequest) -> None:
        self.asked.append(request)

    def done(self) -> dict[str, Done]:
        return {
            one.path: Done(one.output, one.error_kind, one.error)
            for one in self.ended
            if one.status in ("succeeded", "failed")
        }


@dataclass
class OneModel:
    name: str = "demo:delay_ms=0"

    async def model(self, alias: str) -> ModelPlan:
        return ModelPlan(1, alias, alias, (DeploymentPlan(1, "fake", self.name, "Demo", "", ""),))


def run(
    spec: WorkflowSpec | dict[str, Any],
    inputs: dict[str, Any] | None = None,
    *,
    done: dict[str, Done] | None = None,
    decisions: dict[str, Any] | None = None,
    model: str = "demo:delay_ms=0",
) -> tuple[Outcome, Remembering]:
    workflow = spec if isinstance(spec, WorkflowSpec) else WorkflowSpec.model_validate(spec)
    recorder = Remembering()
    context = Context(OneModel(model), recorder, lambda _event: None, done=done or {}, decisions=decisions or {})
    plan = RunPlan(kind="workflow", workflow=workflow, default_model="demo")
    outcome = asyncio.run(execute(context, plan.model_dump(mode="json"), inputs or {}))
    if outcome.traceback:
        raise AssertionError(outcome.traceback)
    return outcome, recorder
