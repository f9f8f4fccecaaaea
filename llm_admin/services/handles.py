"""Prompts and workflows for Python code: `get_prompt(slug).run(topic="...")`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.utils import timezone

from llm_admin.choices import RunSource, RunStatus
from llm_admin.exceptions import ConsoleError
from llm_admin.models import Run, Workspace
from llm_admin.schemas.records import Outcome
from llm_admin.services import actors, catalogue, documents, planning, workspaces
from llm_admin.services.execution import Listener, run_async, run_now
from llm_admin.services.families import PROMPTS, Family
from llm_admin.services.recording import RunRecorder


@dataclass(frozen=True)
class Result:
    """What a run gave. `output`: the answer's text, or what the workflow's outcome is. Unknown numbers are None."""

    run_id: UUID
    status: str
    output: Any
    error_kind: str
    error: str
    error_step: str
    input_tokens: int | None
    output_tokens: int | None
    cost_nano: int | None
    latency_ms: int
    first_token_ms: int | None

    @property
    def ok(self) -> bool:
        return self.status == RunStatus.SUCCEEDED

    def __str__(self) -> str:
        return self.output if isinstance(self.output, str) else str(self.output)


class RunFailed(ConsoleError):
    """The run is stored; `result` says how it ended."""

    def __init__(self, result: Result) -> None:
        self.result = result
        super().__init__(result.error)


@dataclass(frozen=True)
class Handle:
    """One version of a document, ready to run. The row is looked up again by `get_prompt`, not by the handle."""

    family: Family
    workspace: Workspace
    document: Any
    version: Any
    spec: Any

    @property
    def slug(self) -> str:
        return self.document.slug

    def plan(
        self,
        inputs: Mapping[str, Any],
        *,
        model: str | None,
        user: Any,
        source: RunSource = RunSource.CODE,
        known: planning.Facts | None = None,
        cache: bool = True,
    ) -> Run:
        start = planning.plan_prompt if self.family is PROMPTS else planning.plan_workflow
        return start(
            actor=actors.system(self.workspace, user),
            spec=self.spec,
            inputs=inputs,
            version=self.version,
            model=model,
            source=source,
            known=known,
            cache=cache,
            **{self.family.noun: self.document},
        )

    def run(
        self,
        inputs: Mapping[str, Any] | None = None,
        *,
        model: str | None = None,
        user: Any = None,
        cache: bool = True,
    ) -> Result:
        """`cache` False: no answer that was given before. Raises RunFailed, InvalidInput."""
        return finish(run_async(execute(self.plan(inputs or {}, model=model, user=user, cache=cache))))

    async def arun(
        self,
        inputs: Mapping[str, Any] | None = None,
        *,
        model: str | None = None,
        user: Any = None,
        cache: bool = True,
    ) -> Result:
        given = {"model": model, "user": user, "cache": cache}
        known = planning.known_facts(self.workspace) or await sync_to_async(planning.facts)(self.workspace)
        if self.family is PROMPTS:
            run = self.plan(inputs or {}, known=known, **given)
        else:  # reads the prompts that its steps name
            run = await sync_to_async(self.plan)(inputs or {}, known=known, **given)
        return finish(await execute(run))

    def as_langchain(self) -> Any:
        """A prompt: its ChatPromptTemplate. A workflow: a Runnable whose every call is a logged run."""
        if self.family is PROMPTS:
            from llm_admin.runtime.prompts import as_langchain

            return as_langchain(self.spec)
        from llm_admin.runtime.runnable import as_runnable

        async def output_of(inputs: dict[str, Any]) -> Any:
            return (await self.arun(inputs)).output

        return as_runnable(output_of, name=self.slug)


async def execute(run: Run, listener: Listener | None = None) -> Result:
    outcome, recorder = await run_now(run, listener=listener)
    return _result(run, outcome, recorder)


def finish(result: Result) -> Result:
    if not result.ok and result.status != RunStatus.WAITING:
        raise RunFailed(result)
    return result


def _result(run: Run, outcome: Outcome, recorder: RunRecorder) -> Result:
    totals = recorder.totals()
    return Result(
        run_id=run.pk,
        status=outcome.status,
        output=outcome.output,
        error_kind=outcome.error_kind or "",
        error=outcome.error,
        error_step=outcome.error_step,
        input_tokens=totals["input_tokens"],
        output_tokens=totals["output_tokens"],
        cost_nano=totals["cost_nano"],
        latency_ms=_milliseconds(run),
        first_token_ms=totals["first_token_ms"],
    )


def _milliseconds(run: Run) -> int:
    end = run.ended_at or timezone.now()  # it was closed by another process
    return round((end - (run.started_at or end)).total_seconds() * 1000)


def handle(
    family: Family, slug: str, *, label: str = "", number: int | None = None, workspace: Workspace | str | None = None
) -> Handle:
    """Raises NotFound. Cached for a second, and until something of it is saved in this process."""
    key = ("handle", family.noun, slug, label, number, getattr(workspace, "pk", workspace))
    return catalogue.cached(key, lambda: _load(family, slug, label, number, workspace))


def known_handle(
    family: Family, slug: str, *, label: str = "", number: int | None = None, workspace: Workspace | str | None = None
) -> Handle | None:
    return catalogue.peek(("handle", family.noun, slug, label, number, getattr(workspace, "pk", workspace)))


def _load(family: Family, slug: str, label: str, number: int | None, where: Workspace | str | None) -> Handle:
    workspace = where if isinstance(where, Workspace) else workspaces.by_slug(where)
    document = documents.get(family, actor=actors.system(workspace), slug=slug)
    version = documents.version_of(document, number=number, label=label)
    return Handle(family, workspace, document, version, documents.spec_of(version))
