"""The steps of a sample workflow run: what each gave, and its row."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from llm_admin.choices import ErrorKind, StepStatus
from llm_admin.models import RunStep
from llm_admin.services.samples.drafts import NO_JSON, SampleCall, SampleRun, failed_step

Results = dict[str, Any]  # step id -> what it gave


def results_of(sample: SampleRun, answers: list[str]) -> Results:
    """Nothing for a prompt's run, and where no texts are kept."""
    workflow, sites = sample.script.plan.workflow, sample.script.sites
    found: Results = {}
    reached = 0  # how many of the calls come before this step
    for position, step in enumerate(workflow.steps if workflow and answers else (), start=1):
        if reached < len(answers) and sites[reached].path == str(position):
            found[step.id] = answers[reached]
            reached += 1
        elif step.type == "prompt" and reached < len(sites):
            found[step.id] = {"messages": sample.chats[reached]}
        elif step.type == "parser" and reached:
            reads_json = sites[reached - 1].keys is not None and not _broken(sample, reached - 1)
            found[step.id] = json.loads(answers[reached - 1]) if reads_json else answers[reached - 1]
    return found


def _broken(sample: SampleRun, call: int) -> bool:
    return sample.not_parsed or sample.calls[call].ending.failed


def output_of(sample: SampleRun, answers: list[str], results: Results) -> Any:
    workflow = sample.script.plan.workflow
    if workflow is None:
        return answers[-1] if answers else None
    return results.get(workflow.output_name)


def step_rows(sample: SampleRun, results: Results) -> list[RunStep]:
    """As far as the run came. Steps that ask no model take a millisecond."""
    workflow, moment = sample.script.plan.workflow, sample.started_at
    calls = {sample.script.sites[call.position].path: call for call in sample.calls}
    found: list[RunStep] = []
    for position, step in enumerate(workflow.steps if workflow else (), start=1):
        path = str(position)
        call = calls.get(path)
        begun = call.created_at if call else moment
        moment = call.ended_at if call else begun + dt.timedelta(milliseconds=1)
        row = RunStep(run_id=sample.id, path=path, step_id=step.id, type=step.type, title=step.heading[:200])
        row.started_at, row.ended_at, row.status = begun, moment, StepStatus.SUCCEEDED
        found.append(row)
        if failure := _failure(sample, call, step.id):
            row.status, row.error_kind, row.error_message = failure
            break
        row.output = results.get(step.id)
    return found


def _failure(sample: SampleRun, call: SampleCall | None, step_id: str) -> tuple[str, str, str] | None:
    if call and call.ending.failed:
        return call.ending.status.value, call.ending.kind or "", call.ending.detail
    if sample.not_parsed and step_id == failed_step(sample):
        return StepStatus.FAILED, ErrorKind.PARSE_ERROR, NO_JSON
    return None
