"""Sample runs as unsaved rows, of the same form as `services.recording` writes them."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from llm_admin.choices import ErrorKind, RunStatus
from llm_admin.models import InteractionLog, InteractionText, Run, RunStep, Workspace
from llm_admin.runtime.errors import advice
from llm_admin.services.samples import words
from llm_admin.services.samples.drafts import NO_JSON, SampleCall, SampleRun, failed_step
from llm_admin.services.samples.steps import output_of, results_of, step_rows

COPIED = ("kind", "prompt_id", "prompt_version_id", "workflow_id", "workflow_version_id", "title")


@dataclass(slots=True)
class Draft:
    """`texts` has one for each of `logs`, or is empty. They are linked once the logs have ids."""

    run: Run
    logs: list[InteractionLog]
    texts: list[InteractionText]
    steps: list[RunStep]

    def linked_texts(self) -> list[InteractionText]:
        for log, text in zip(self.logs, self.texts, strict=False):
            text.log_id = log.pk
        return self.texts


def draft(workspace: Workspace, sample: SampleRun, rng: Random, *, with_texts: bool) -> Draft:
    answers = [_answer(sample, call, rng) for call in sample.calls] if with_texts else []
    results = results_of(sample, answers)
    return Draft(
        run=_run(workspace, sample, output_of(sample, answers, results)),
        logs=[_log(workspace, sample, call) for call in sample.calls],
        texts=[_text(workspace, sample, *pair) for pair in zip(sample.calls, answers, strict=False)],
        steps=step_rows(sample, results),
    )


def _answer(sample: SampleRun, call: SampleCall, rng: Random) -> str:
    if (always := sample.script.sites[call.position].always) and not call.ending.failed:
        return always
    keys = sample.script.sites[call.position].keys
    if keys is not None and not call.ending.failed and not sample.not_parsed:
        return words.as_json(words.json_answer(keys, rng))
    return words.answer(call.answer_tokens, rng) if call.answer_tokens else ""


def _run(workspace: Workspace, sample: SampleRun, output: Any) -> Run:
    last, template = sample.calls[-1], sample.script.run
    failed_kind = ErrorKind.PARSE_ERROR if sample.not_parsed else last.ending.kind
    return Run(
        id=sample.id,
        workspace=workspace,
        spec=template.spec | {"model": sample.model.alias},
        inputs=sample.inputs,
        status=RunStatus.FAILED if sample.not_parsed else RunStatus(last.ending.status.value),
        source=sample.source,
        owner_id=sample.owner_id,
        output=output if failed_kind is None else None,
        error_kind=failed_kind or "",
        error_message=_advice(sample, failed_kind),
        error_step=failed_step(sample) if failed_kind else "",
        input_tokens=_sum([call.input_tokens for call in sample.calls]),
        output_tokens=_sum([call.output_tokens for call in sample.calls]),
        cost_nano=_sum([call.cost_nano for call in sample.calls]),
        calls=len(sample.calls),
        first_token_ms=sample.calls[0].first_token_ms,
        created_at=sample.started_at,
        started_at=sample.started_at,
        ended_at=sample.ended_at,
        **{name: getattr(template, name) for name in COPIED},
    )


def _advice(sample: SampleRun, kind: ErrorKind | None) -> str:
    if kind is None:
        return ""
    detail = NO_JSON if sample.not_parsed else sample.calls[-1].ending.detail
    return advice(kind, detail, model=sample.model.name, connection=sample.model.connection)


def _log(workspace: Workspace, sample: SampleRun, call: SampleCall) -> InteractionLog:
    site = sample.script.sites[call.position]
    return InteractionLog(
        workspace=workspace,
        created_at=call.created_at,
        status=call.ending.status,
        error_kind=call.ending.kind or "",
        source=sample.source,
        run_id=sample.id,
        step_path=site.path,
        prompt_id=site.prompt.prompt_id if site.prompt else None,
        prompt_version_id=site.prompt.version_id if site.prompt else None,
        workflow_id=sample.script.run.workflow_id,
        model_id=sample.model.id,
        deployment_id=sample.model.deployment_id,
        user_id=sample.owner_id,
        price_id=call.price_id,
        input_tokens=call.input_tokens,
        output_tokens=call.output_tokens,
        cached_input_tokens=call.cached_input_tokens,
        cost_nano=call.cost_nano,
        first_token_ms=call.first_token_ms,
        latency_ms=call.latency_ms,
    )


def _text(workspace: Workspace, sample: SampleRun, call: SampleCall, answer: str) -> InteractionText:
    return InteractionText(
        workspace=workspace,
        messages=sample.chats[call.position],
        answer=answer,
        error=call.ending.detail,
        parameters=sample.script.sites[call.position].parameters,
    )


def _sum(numbers: list[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None
