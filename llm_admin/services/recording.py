"""The runtime's Recorder over the ORM: records become rows, masked, written by the process's one writer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from llm_admin.choices import StepStatus
from llm_admin.jobs.writer import WRITER, Insert, Operation
from llm_admin.models import InteractionLog, InteractionText, Run, RunStep
from llm_admin.schemas.events import RunEvent, StepEvent
from llm_admin.schemas.records import CallRecord, CallStart, StepRecord


class RunRecorder:
    """Of one run. A prompt's run writes its log together with its end; a workflow's writes after each step."""

    def __init__(
        self,
        run: Run,
        *,
        keeps_texts: bool,
        mask: Callable[[Any], Any],
        emit: Callable[[RunEvent], None],
        finish: Callable[[str], None],
    ) -> None:
        self.run = run
        self.keeps_texts = keeps_texts
        self.mask = mask
        self.open_calls: dict[str, CallStart] = {}
        self.pending: list[Operation] = []
        self.calls: list[CallRecord] = []
        self._emit = emit
        self._finish = finish

    def call_started(self, start: CallStart) -> None:
        self.open_calls[start.path] = start

    def call_ended(self, record: CallRecord) -> None:
        self._finish(record.start.path)
        self.open_calls.pop(record.start.path, None)
        self.calls.append(record)
        self.pending.append(log_insert(self.run, record, self.mask, keeps_texts=self.keeps_texts))

    def step_started(self, record: StepRecord) -> None:
        self.pending.append(Insert(self._step_row(record)))
        self._post(record)

    def step_ended(self, record: StepRecord) -> None:
        row = self._step_row(record)
        fields = ("status", "output", "error_kind", "error_message", "ended_at")
        values = {name: getattr(row, name) for name in fields}
        run, path = self.run, record.path
        self.pending.append(lambda: RunStep._base_manager.filter(run=run, path=path).update(**values))
        self._post(record)

    def _post(self, record: StepRecord) -> None:
        event = StepEvent(type="step", path=record.path, status=record.status.value)
        WRITER.post(*self.pending, then=lambda: self._emit(event))
        self.pending = []

    def _step_row(self, record: StepRecord) -> RunStep:
        return RunStep(
            run=self.run,
            path=record.path,
            step_id=record.step_id,
            type=record.type,
            title=record.title[:200],
            status=record.status,
            input=self.mask(record.input) if self.keeps_texts else None,
            output=self.mask(record.output) if self.keeps_texts else None,
            error_kind=record.error_kind or "",
            error_message=self.mask(record.error),
            started_at=record.started_at,
            ended_at=record.ended_at,
        )

    def totals(self) -> dict[str, Any]:
        """Sums over the calls; unknown as soon as one of them is."""
        return {
            "calls": len(self.calls),
            "input_tokens": _sum([c.input_tokens for c in self.calls]),
            "output_tokens": _sum([c.output_tokens for c in self.calls]),
            "cost_nano": _sum([c.cost_nano for c in self.calls]),
            "first_token_ms": self.calls[0].first_token_ms if self.calls else None,
        }


def _sum(numbers: list[int | None]) -> int | None:
    known = [n for n in numbers if n is not None]
    return sum(known) if len(known) == len(numbers) else None


def log_insert(run: Run, record: CallRecord, mask: Callable[[Any], Any], *, keeps_texts: bool) -> Insert:
    start = record.start
    log = InteractionLog(
        workspace_id=run.workspace_id,
        created_at=start.started_at,
        status=record.status,
        error_kind=record.error_kind or "",
        source=run.source,
        run_id=run.pk,
        step_path=start.path,
        prompt_id=start.prompt_id,
        prompt_version_id=start.prompt_version_id,
        workflow_id=run.workflow_id,
        model_id=start.model_id,
        deployment_id=start.deployment_id,
        price_id=start.price_id,
        user_id=run.owner_id,
        input_tokens=record.input_tokens,
        output_tokens=record.output_tokens,
        cached_input_tokens=record.cached_input_tokens,
        reasoning_tokens=record.reasoning_tokens,
        cost_nano=record.cost_nano,
        first_token_ms=record.first_token_ms,
        latency_ms=record.latency_ms,
    )
    if not keeps_texts:
        return Insert(log)
    text = InteractionText(
        workspace_id=run.workspace_id,
        messages=mask(start.messages),
        answer=mask(record.answer),
        error=mask(record.error),
        parameters=start.parameters,
    )
    return Insert(log, child=text, link="log_id")


def start_to_json(start: CallStart, mask: Callable[[Any], Any]) -> dict[str, Any]:
    return mask(asdict(start) | {"started_at": start.started_at.isoformat()})


def start_from_json(data: dict[str, Any]) -> CallStart:
    return CallStart(**data | {"started_at": datetime.fromisoformat(data["started_at"])})


def close_steps(run: Run, *, status: StepStatus, kind: str, ended_at: datetime) -> None:
    """Steps that were running when the run ended in a way that they could not report themselves."""
    rows = RunStep._base_manager.filter(run=run, status=StepStatus.RUNNING)
    rows.update(status=status, error_kind=kind, ended_at=ended_at)
