"""A run as people read it: its steps in order, each with its model calls, their texts, numbers and prices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_admin.choices import StepStatus
from llm_admin.models import InteractionLog, InteractionText, Run, RunStep
from llm_admin.schemas.steps import STEP_SPECS


@dataclass(frozen=True)
class Call:
    """`text` is None when the workspace keeps no texts."""

    log: InteractionLog
    text: InteractionText | None = None

    @property
    def cached_tokens(self) -> int:
        return min(self.log.cached_input_tokens or 0, self.log.input_tokens or 0)

    @property
    def fresh_tokens(self) -> int:
        return (self.log.input_tokens or 0) - self.cached_tokens

    @property
    def cached_price(self) -> Any:
        price = self.log.price
        return price.input_per_million if price.cached_input_per_million is None else price.cached_input_per_million


@dataclass(frozen=True)
class Step:
    """`row` is None while the step waits for its turn. `streamed`: what has arrived of its answer so far."""

    path: str
    title: str
    type: str
    row: RunStep | None = None
    calls: list[Call] = field(default_factory=list)
    streamed: str = ""

    @property
    def icon(self) -> str:
        return STEP_SPECS.get(self.type).icon if self.type in STEP_SPECS else "extension"

    @property
    def status(self) -> str:
        return self.row.status if self.row else "waiting"

    @property
    def is_running(self) -> bool:
        return self.status == StepStatus.RUNNING

    @property
    def duration_ms(self) -> float | None:
        return milliseconds(self.row.started_at, self.row.ended_at) if self.row else None

    @property
    def input_tokens(self) -> int | None:
        return total(call.log.input_tokens for call in self.calls)

    @property
    def output_tokens(self) -> int | None:
        return total(call.log.output_tokens for call in self.calls)

    @property
    def cost_nano(self) -> int | None:
        return total(call.log.cost_nano for call in self.calls)


@dataclass(frozen=True)
class Trace:
    """`streamed` as in `Step`: step path ("" in a prompt's run) -> text."""

    run: Run
    steps: list[Step]
    calls: list[Call]
    streamed: Mapping[str, str]

    @property
    def answer(self) -> str | None:
        """Of a prompt's run. None: there is none, or it was not kept."""
        if isinstance(self.run.output, str):
            return self.run.output
        kept = self.calls[-1].text if self.calls else None
        return (kept.answer if kept else "") or self.streamed.get("") or None

    @property
    def duration_ms(self) -> float | None:
        return milliseconds(self.run.started_at, self.run.ended_at)

    def step(self, path: str) -> Step | None:
        return next((step for step in self.steps if step.path == path), None)

    @property
    def failed_step(self) -> str:
        """Its title: the run keeps its id, which only those who wrote the workflow know."""
        rows = [step.row for step in self.steps if step.row and step.row.step_id == self.run.error_step]
        return str(rows[-1]) if rows else self.run.error_step


def milliseconds(start: dt.datetime | None, end: dt.datetime | None) -> float | None:
    return (end - start).total_seconds() * 1000 if start and end else None


def total(numbers: Iterable[int | None]) -> int | None:
    """Unknown as soon as one of them is."""
    known = list(numbers)
    return None if None in known else sum(n for n in known if n is not None)


def trace(run: Run, *, streamed: Mapping[str, str] | None = None) -> Trace:
    """Three or four queries, however long the run. `streamed` comes from `services.follow.snapshot`."""
    streamed = streamed or {}
    calls = calls_of(run)
    steps = _steps(run, calls, streamed) if run.kind == "workflow" else []
    return Trace(run=run, steps=steps, calls=calls, streamed=streamed)


def calls_of(run: Run) -> list[Call]:
    logs = list(InteractionLog.objects.filter(run=run).select_related("model", "deployment", "price").order_by("id"))
    texts = InteractionText.objects.in_bulk([log.pk for log in logs]) if logs else {}
    return [Call(log, texts.get(log.pk)) for log in logs]


def _steps(run: Run, calls: list[Call], streamed: Mapping[str, str]) -> list[Step]:
    """Those that ran, then the planned ones that have not begun (an ended run's never will, and are left out)."""
    ran = {row.path: row for row in run.steps.all()}
    steps = [
        Step(
            path=path,
            title=str(row),
            type=row.type,
            row=row,
            calls=[call for call in calls if call.log.step_path == path],
            streamed=streamed.get(path, ""),
        )
        for path, row in ran.items()
    ]
    return steps + ([step for step in _planned(run) if step.path not in ran] if run.is_open else [])


def _planned(run: Run) -> list[Step]:
    planned = (run.spec.get("workflow") or {}).get("steps", [])
    return [Step(path=str(number), title=_heading(step), type=step["type"]) for number, step in enumerate(planned, 1)]


def _heading(step: dict[str, Any]) -> str:
    label = STEP_SPECS.get(step["type"]).label if step["type"] in STEP_SPECS else step["type"]
    return step.get("title") or f"{label}: {step['id']}"
