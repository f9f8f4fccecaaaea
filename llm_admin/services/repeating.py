"""Running again what ran before: the same or changed inputs, from any step, with the versions of then or of now."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from llm_admin.choices import RunSource, StepStatus
from llm_admin.exceptions import InvalidInput, NotFound
from llm_admin.models import Run, RunStep
from llm_admin.schemas import walking
from llm_admin.schemas.plans import RunPlan
from llm_admin.schemas.prompts import check_inputs
from llm_admin.schemas.step_numbers import TRIED_ALONE
from llm_admin.schemas.steps import StepSpec
from llm_admin.schemas.steps.base import Place
from llm_admin.schemas.variables import VariableSpec, check_values
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import documents, planning, runs
from llm_admin.services.actors import Actor
from llm_admin.services.planning import refuse_archived
from llm_admin.tenancy import workspace_scope

NOT_KEPT = (
    "What this run executed was not kept (the workspace keeps no texts, or not for so long), so it cannot be repeated."
)


def again(
    run: Run,
    *,
    actor: Actor,
    inputs: Mapping[str, Any] | None = None,
    now: bool = False,
    start: str = "",
    source: RunSource = RunSource.ADMIN,
    client_key: str | None = None,
    cache: bool = True,
) -> Run:
    """A new run. `now`: with what is Live now, instead of exactly what ran then. `start`: a step's path; the steps
    before it are not run again, their results are kept. With other inputs nothing can be kept.

    Raises InvalidInput, NotFound, PermissionRefused.
    """
    actor.require(f"run_{run.kind}")
    if not run.spec:
        raise InvalidInput(NOT_KEPT)
    if start and (now or inputs is not None):
        raise InvalidInput("From a step on it runs with the same inputs and versions. Run the whole again instead.")
    with workspace_scope(actor.workspace):
        given = run.inputs if inputs is None else inputs
        made = _as_now(run, actor, given, source) if now else _as_then(run, actor, given, source)
        made.spec = made.spec | {"cache": cache}
        made.again_of, made.client_key = run, client_key or None
        return _store(made, run, start)


def _as_now(run: Run, actor: Actor, inputs: Mapping[str, Any], source: RunSource) -> Run:
    document = run.prompt if run.kind == "prompt" else run.workflow
    if document is None:
        raise NotFound(f"The {run.kind} of this run is not there any more; it can be repeated as it was then.")
    version = documents.version_of(document)
    plan: Any = planning.plan_prompt if run.kind == "prompt" else planning.plan_workflow
    return plan(
        actor=actor,
        spec=documents.spec_of(version),
        version=version,
        source=source,
        inputs=inputs,
        model=run.spec.get("model"),
        **{run.kind: document},
    )


def _as_then(run: Run, actor: Actor, inputs: Mapping[str, Any], source: RunSource) -> Run:
    """The stored plan as it is, with the model that was chosen then."""
    document = run.prompt if run.kind == "prompt" else run.workflow
    refuse_archived(document)
    plan = RunPlan.model_validate(run.spec)
    if plan.workflow is not None:
        values = check_values(plan.workflow.inputs, inputs)
    elif plan.prompt is not None:
        values = check_inputs(plan.prompt.spec, inputs)
    else:
        raise InvalidInput(NOT_KEPT)
    return Run(
        workspace=actor.workspace,
        kind=run.kind,
        spec=run.spec,
        inputs=planning.facts(actor.workspace).redactor.value(values),
        source=source,
        owner=actor.user,
        created_at=timezone.now(),
        title=run.title,
        prompt=run.prompt,
        prompt_version=run.prompt_version,
        workflow=run.workflow,
        workflow_version=run.workflow_version,
    )


def _store(made: Run, before: Run, start: str) -> Run:
    with transaction.atomic():
        kept = _kept_steps(before, start) if start else []
        made.keeps_steps = bool(kept)
        stored = runs.store_and_go(made)
        if stored is made:
            RunStep._base_manager.bulk_create(_copy(step, made) for step in kept)
    return stored


def _kept_steps(run: Run, start: str) -> list[RunStep]:
    rows = {row.path: row for row in run.steps.all()}
    if start not in rows:
        raise NotFound(f"This run has no step {start}.")
    plan = RunPlan.model_validate(run.spec)
    went_on = _went_on(list(plan.workflow.walk()) if plan.workflow else [])
    return [rows[path] for path in walking.kept_before(list(rows), start) if _is_kept(rows[path], went_on)]


def _went_on(planned: list[walking.Found]) -> set[str]:
    """Where a failure did not stop the run: the step says so, or the loop around it left the entry empty."""
    loops = {found.path for found in planned if getattr(found.step, "if_one_fails", "stop") != "stop"}
    return {
        found.path
        for found in planned
        if found.step.failure.action != "stop" or found.path.rpartition("[]")[0] in loops
    }


def _is_kept(row: RunStep, went_on: set[str]) -> bool:
    """What failed and stopped the run is tried again; what failed and was dealt with stays so."""
    if row.status == StepStatus.FAILED:
        return walking.without_entries(row.path) in went_on
    return row.status == StepStatus.SUCCEEDED


def _copy(step: RunStep, run: Run) -> RunStep:
    step.pk, step.run, step.reused = None, run, True
    step._state.adding = True
    return step


def names_for_step(spec: WorkflowSpec, location: Place) -> list[str]:
    """What has to be given to try the step at `location`: what it and the steps within it use and do not make.

    Raises NotFound.
    """
    step, previous = _step_at(spec, location)
    made: set[str] = set()
    wanted: list[str] = []
    for found in walking.walk([step]):
        if previous and found.step is step and _wants_previous(step):
            wanted.append(previous)
        wanted += [name for _, name in found.step.everything_used()]
        made |= {found.step.id, *(name for slot in found.step.slots() for name in slot.gives)}
    return [name for name in dict.fromkeys(wanted) if name not in made]


def _wants_previous(step: StepSpec) -> bool:
    field = step.previous_field()
    return bool(field) and not getattr(step, field, "")


def _step_at(spec: WorkflowSpec, location: Place) -> tuple[StepSpec, str]:
    """The step, and the name of the one before it ("" when there is none)."""
    steps: Any = spec.steps
    previous = ""
    parts = list(location)[1:]
    while parts:
        position = parts.pop(0)
        if not isinstance(position, int) or not 0 <= position < len(steps):
            break
        step = steps[position]
        earlier = [one.id for one in steps[:position] if not one.disabled]
        previous = earlier[-1] if earlier else previous
        if not parts:
            return step, previous
        slot = next((slot for slot in step.slots() if slot.name == parts[0]), None)
        if slot is None:
            break
        steps, previous = slot.steps, slot.first or previous
        parts.pop(0)
    raise NotFound("There is no such step.")


def try_step(
    *,
    actor: Actor,
    workflow: Any,
    spec: WorkflowSpec,
    location: Place,
    values: Mapping[str, Any],
    model: str | None = None,
    client_key: str | None = None,
    cache: bool = True,
) -> Run:
    """A run of that step alone (with the steps within it), as if what stands before it had given `values`.

    What a step failing would do to the others (go to a step) does not matter here: it just fails.
    """
    step, previous = _step_at(spec, location)
    names = names_for_step(spec, location)
    missing = [name for name in names if name not in values]
    if missing:
        raise InvalidInput(f"Give a value for: {', '.join(missing)}.")
    variables = [_any_value(name, values[name]) for name in names]
    changes: dict[str, Any] = {"failure": step.failure.model_copy(update={"action": "stop", "go_to": ""})}
    if previous and _wants_previous(step):
        field = step.previous_field()
        changes[field] = previous if field in ("source", "items", "messages_from") else f"{{{{{previous}}}}}"
    lone = _alone(step.model_copy(update=changes | {"disabled": False}), variables)
    run = planning.plan_workflow(
        actor=actor,
        workflow=workflow,
        spec=lone,
        inputs={name: values[name] for name in names},
        model=model,
        source=RunSource.STUDIO,
        client_key=client_key,
        cache=cache,
    )
    run.title = f"{TRIED_ALONE} “{step.title or step.id}”" + (f" of {workflow.name}" if workflow else "")
    run.title = run.title[:220]
    return runs.store_and_go(run)


def _any_value(name: str, value: Any) -> VariableSpec:
    return VariableSpec(name=name, type="long_text" if isinstance(value, str) else "json", required=False)


def _alone(step: StepSpec, variables: list[VariableSpec]) -> WorkflowSpec:
    """The step was checked as part of its workflow; as the first of all it may lean on values instead."""
    return WorkflowSpec(inputs=variables, steps=[step])
