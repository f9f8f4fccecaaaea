"""The runtime's Recorder over the ORM: records become rows, masked, written by the process's one writer."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import DatabaseError, OperationalError
from django.db.models import Q

from llm_admin.choices import StepStatus
from llm_admin.jobs.writer import WRITER, Insert, Operation, update_one
from llm_admin.models import InteractionLog, InteractionText, Run, RunCheckpoint, RunStep
from llm_admin.schemas.events import RunEvent, StepEvent
from llm_admin.schemas.records import ApprovalRequest, CallRecord, CallStart, StepRecord
from llm_admin.schemas.walking import inside
from llm_admin.services import continuing, metrics
from llm_admin.services.budget_gate import settle

logger = logging.getLogger(__name__)
STEP_DELAY = 0.01  # seconds
RETRY_DELAY = 0.5
CHANGING = ("status", "input", "output", "error_kind", "error_message", "note", "ended_at")


@dataclass(frozen=True)
class Earlier:
    """What a run that goes on had used before."""

    calls: int
    input_tokens: int | None
    output_tokens: int | None
    cost_nano: int | None
    first_token_ms: int | None

    @classmethod
    def of(cls, run: Run) -> Earlier | None:
        if not (run.keeps_steps and run.calls):
            return None
        return cls(run.calls, run.input_tokens, run.output_tokens, run.cost_nano, run.first_token_ms)


def _needs_state(run: Run) -> bool:
    """Its steps' results are stored until it ends, even where texts are not kept: else it could not go on."""
    steps = (run.spec.get("workflow") or {}).get("steps", ()) if run.kind == "workflow" else ()
    return run.batch_id is not None or '"approval"' in json.dumps(steps)


class RunRecorder:
    """Of one run. A prompt's run writes its log together with its end; a workflow's writes after each paid step.

    A step that ends at once is one insert: that it began is written only when it lasts. What was not paid for may
    wait a moment for the next write.
    """

    def __init__(
        self,
        run: Run,
        *,
        keeps_texts: bool,
        mask: Callable[[Any], Any],
        emit: Callable[[RunEvent], None],
        begin: Callable[[str], None],
        finish: Callable[[str], None],
    ) -> None:
        self.run = run
        self.keeps_texts = keeps_texts
        self.keeps_state = keeps_texts or _needs_state(run)
        self.mask = mask
        self.open_calls: dict[str, CallStart] = {}
        self.pending: list[Operation] = []
        self.calls: list[CallRecord] = []
        self._emit = emit
        self._begin = begin
        self._finish = finish
        self.stored: set[str] = set()  # paths of steps that have a row
        self._began: dict[str, StepRecord] = {}  # not written yet
        self._news: list[StepEvent] = []
        self._paid = False
        self.asked = False
        self.before = Earlier.of(run)
        self.checkpointed: dict[str, CallStart] = {}  # by path: what is stored already; the writer's thread sets it
        self._timer: asyncio.TimerHandle | None = None
        self._on_its_way: asyncio.Task[None] | None = None

    def call_started(self, start: CallStart) -> None:
        self._begin(start.path)
        self.open_calls[start.path] = start

    def call_ended(self, record: CallRecord) -> None:
        self._finish(record.start.path)
        self.open_calls.pop(record.start.path, None)
        self.calls.append(record)
        metrics.call_ended(self.run, record)
        self.pending.append(log_insert(self.run, record, self.mask, keeps_texts=self.keeps_texts))
        if (settling := settle(record)) is not None:
            self.pending.append(settling)
        self.pending.append(lambda: self._forget_checkpoint(record.start))
        self._paid = True
        if record.start.path:
            self._later()  # its step may be tried again after a long pause

    def step_started(self, record: StepRecord) -> None:
        self._began[record.path] = record
        self._later()

    def step_ended(self, record: StepRecord) -> None:
        self._began.pop(record.path, None)
        self._write(record)
        if self._paid:
            self.flush()
        else:
            self._later()

    def steps_forgotten(self, path: str) -> None:
        self.stored = {one for one in self.stored if not inside(one, path)}
        self._began = {one: record for one, record in self._began.items() if not inside(one, path)}
        within = Q(path__startswith=f"{path}.") | Q(path__startswith=f"{path}[")
        self.pending.append(lambda: RunStep._base_manager.filter(within, run=self.run).delete())
        self._later()

    def approval_asked(self, request: ApprovalRequest) -> None:
        self.asked = True
        run, text, question = self.run, self.mask(request.text), self.mask(request.question)
        self.pending.append(lambda: continuing.ask(run, request, text, question))

    def flush(self) -> None:
        """Hands everything over to the writer, unless something is on its way: then it follows that."""
        if self._on_its_way is not None:
            return
        operations, news = self.unwritten(), self._news
        self.pending, self._news, self._paid = [], [], False
        if operations:
            self._on_its_way = asyncio.ensure_future(self._send(operations, news))

    async def _send(self, operations: list[Operation], news: list[StepEvent]) -> None:
        """Those who follow are told when it is durable. What the database could not take now is written later."""
        pause = STEP_DELAY
        try:
            await WRITER.write(*operations)
        except OperationalError as error:
            logger.warning("Steps of run %s could not be written and will be tried again: %s", self.run.pk, error)
            self.pending[:0], self._news[:0], news, pause = operations, news, [], RETRY_DELAY
        except DatabaseError:
            logger.exception("Steps of run %s could not be written.", self.run.pk)
            news = []
        finally:
            self._on_its_way = None
        for event in news:
            self._emit(event)
        if self.pending or self._began:
            self._later(pause)

    async def settled(self) -> None:
        """Nothing is on its way any more; what could not be written is among `unwritten`."""
        while self._on_its_way is not None:
            await asyncio.wait([self._on_its_way])

    def unwritten(self) -> list[Operation]:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for record in self._began.values():
            self._write(record)
        self._began.clear()
        return self.pending

    def _later(self, pause: float = STEP_DELAY) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(pause, self._flush_in_time)

    def _flush_in_time(self) -> None:
        self._timer = None
        self.flush()

    def _forget_checkpoint(self, start: CallStart) -> None:
        """In the writer's thread: the call is on record now."""
        if start.path in self.checkpointed:
            RunCheckpoint._base_manager.filter(run=self.run, path=start.path).delete()

    def _write(self, record: StepRecord) -> None:
        row = self._step_row(record)
        self._news.append(StepEvent(type="step", path=record.path, status=record.status.value))
        if record.path not in self.stored:
            self.stored.add(record.path)
            self.pending.append(Insert(row))
            return
        values = {name: getattr(row, name) for name in CHANGING}
        where = {"run": self.run.pk, "path": record.path}
        self.pending.append(lambda: update_one(RunStep, where, values))

    def _step_row(self, record: StepRecord) -> RunStep:
        return RunStep(
            run=self.run,
            path=record.path,
            step_id=record.step_id,
            type=record.type,
            title=record.title[:200],
            status=record.status,
            input=self.mask(record.input) if self.keeps_texts else None,
            output=self.mask(record.output) if self.keeps_state else None,
            error_kind=record.error_kind or "",
            error_message=self.mask(record.error),
            note=self.mask(record.note)[:300],
            started_at=record.started_at,
            ended_at=record.ended_at,
        )

    def totals(self) -> dict[str, Any]:
        """Sums over the calls; unknown as soon as one of them is."""
        first = [self.calls[0].first_token_ms] if self.calls else []
        before = self.before
        return {
            "calls": (before.calls if before else 0) + len(self.calls),
            "input_tokens": _sum(self._all("input_tokens")),
            "output_tokens": _sum(self._all("output_tokens")),
            "cost_nano": _sum(self._all("cost_nano")),
            "first_token_ms": next(iter([before.first_token_ms] if before else first), None),
        }

    def _all(self, name: str) -> list[int | None]:
        earlier = [getattr(self.before, name)] if self.before else []
        return earlier + [getattr(call, name) for call in self.calls]


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
        cached=record.cached,
        cached_input_tokens=record.cached_input_tokens,
        cache_write_tokens=record.cache_write_tokens,
        reasoning_tokens=record.reasoning_tokens,
        cost_nano=record.cost_nano,
        first_token_ms=record.first_token_ms,
        latency_ms=record.latency_ms,
        tried=[mask(asdict(one)) for one in record.attempts] or None,
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
    ticket = None if start.ticket is None else str(start.ticket)
    return mask(asdict(start) | {"started_at": start.started_at.isoformat(), "ticket": ticket})


def start_from_json(data: dict[str, Any]) -> CallStart:
    ticket = data.get("ticket")
    return CallStart(
        **data | {"started_at": datetime.fromisoformat(data["started_at"]), "ticket": UUID(ticket) if ticket else None}
    )


def close_steps(run: Run, *, status: StepStatus, kind: str, ended_at: datetime) -> None:
    """Steps that were running when the run ended in a way that they could not report themselves."""
    rows = RunStep._base_manager.filter(run=run, status=StepStatus.RUNNING)
    rows.update(status=status, error_kind=kind, ended_at=ended_at)
