"""The steps of a sample workflow run: what each gave, and its row."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

from llm_admin.choices import ErrorKind, StepStatus
from llm_admin.models import RunStep
from llm_admin.schemas.steps import StepSpec
from llm_admin.services.samples.drafts import NO_JSON, SampleCall, SampleRun, failed_step
from llm_admin.services.samples.world import ENTRIES

Results = dict[str, Any]  # step id -> what it gave


def results_of(sample: SampleRun, answers: list[str]) -> Results:
    """Nothing for a prompt's run, and where no texts are kept."""
    sites = sample.script.sites
    found: Results = {}
    reached = 0  # how many of the calls come before this step
    last: Any = None
    for path, step in sample.script.walked if answers else ():
        if reached < len(answers) and sites[reached].path == path:
            found[step.id] = last = answers[reached]
            reached += 1
        elif step.type == "prompt" and reached < len(sites):
            found[step.id] = last = {"messages": sample.chats[reached]}
        elif step.type == "parser" and reached:
            reads_json = sites[reached - 1].keys is not None and not _broken(sample, reached - 1)
            found[step.id] = last = json.loads(answers[reached - 1]) if reads_json else answers[reached - 1]
        elif step.type != "prompt" and last is not None:
            found[step.id] = last = [last] * ENTRIES if step.type == "for_each" else last
    return found


def _broken(sample: SampleRun, call: int) -> bool:
    return sample.not_parsed or sample.calls[call].ending.failed


def output_of(sample: SampleRun, answers: list[str], results: Results) -> Any:
    workflow = sample.script.plan.workflow
    if workflow is None:
        return answers[-1] if answers else None
    if workflow.outputs:
        return {one.name: results.get(one.value.strip("{} ")) for one in workflow.outputs}
    return results.get(workflow.output_name)


def step_rows(sample: SampleRun, results: Results) -> list[RunStep]:
    """As far as the run came. Steps that ask no model take a millisecond."""
    moment = sample.started_at
    calls = {sample.script.sites[call.position].path: call for call in sample.calls}
    begins: dict[str, dt.datetime] = {}  # by the path of what holds steps
    found: list[RunStep] = []
    for path, step in sample.script.walked:
        call = calls.get(path)
        begun = call.created_at if call else begins.get(path, moment)
        moment = call.ended_at if call else moment + dt.timedelta(milliseconds=1)
        holder = path
        while (outer := _holder(holder)) != holder:
            begins.setdefault(outer, begun)
            holder = outer
        row = RunStep(run_id=sample.id, path=path, step_id=step.id, type=step.type, title=step.heading[:200])
        row.started_at, row.ended_at, row.status = begun, moment, StepStatus.SUCCEEDED
        row.note = _note(step)
        found.append(row)
        if failure := _failure(sample, call, step.id):
            found += _around(sample, path, begins, moment)
            for failed in found[found.index(row) :]:
                failed.status, failed.error_kind, failed.error_message = failure
            break
        row.output = results.get(step.id)
    return found


def _around(sample: SampleRun, path: str, begins: dict[str, dt.datetime], ended_at: dt.datetime) -> list[RunStep]:
    """What the step that failed stands in, which failed with it."""
    steps, found = dict(sample.script.walked), []
    while (holder := _holder(path)) != path:
        step, path = steps[holder], holder
        row = RunStep(run_id=sample.id, path=path, step_id=step.id, type=step.type, title=step.heading[:200])
        row.started_at, row.ended_at = begins[path], ended_at
        found.append(row)
    return found


def _holder(path: str) -> str:
    return re.sub(r"(?:\[\d*\]|\.[a-z_]+)\.\d+$", "", path)


def _note(step: StepSpec) -> str:
    """What the runtime notes of the way that was taken."""
    if step.type == "for_each":
        return f"{ENTRIES} entries"
    slot = next((slot for slot in step.slots() if slot.steps), None)
    return slot.title if slot else ""


def _failure(sample: SampleRun, call: SampleCall | None, step_id: str) -> tuple[str, str, str] | None:
    if call and call.ending.failed:
        return call.ending.status.value, call.ending.kind or "", call.ending.detail
    if sample.not_parsed and step_id == failed_step(sample):
        return StepStatus.FAILED, ErrorKind.PARSE_ERROR, NO_JSON
    return None
