"""Starting, stopping and finding runs. What a run will do is planned in planning.py, done in execution.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from llm_admin.choices import RUN_UNFINISHED, RunSource, RunStatus
from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.models import Prompt, PromptVersion, Run, Workflow, WorkflowVersion
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import continuing, documents, execution
from llm_admin.services.actors import Actor
from llm_admin.services.planning import plan_prompt, plan_workflow
from llm_admin.tenancy import workspace_scope


def start_prompt(
    *,
    actor: Actor,
    prompt: Prompt | None,
    spec: PromptSpec,
    version: PromptVersion | None = None,
    source: RunSource = RunSource.STUDIO,
    **what: Any,
) -> Run:
    """Stores a PENDING run and hands it to the jobs; returns at once. `what`: inputs, model, client_key.

    Without a version, or with a `spec` that differs from the version's, it is unsaved text. The same `client_key` again
    gives the same run: a double click is one run. Raises InvalidInput (missing values, unknown model),
    PermissionRefused, ShuttingDown.
    """
    version = _unchanged(version, spec)
    return store_and_go(plan_prompt(actor=actor, prompt=prompt, spec=spec, version=version, source=source, **what))


def start_prompts(wanted: Sequence[dict[str, Any]], *, names: Sequence[str] = ()) -> list[Run]:
    """Several at once, each as `start_prompt` takes it: all are checked before the first is stored.

    Raises InvalidInput; with `names`, the sentence says which of them.
    """
    planned = []
    for position, one in enumerate(wanted):
        given = {"source": RunSource.STUDIO, **one, "version": _unchanged(one.get("version"), one["spec"])}
        try:
            planned.append(plan_prompt(**given))
        except InvalidInput as error:
            if not names:
                raise
            raise InvalidInput(
                [Problem(p.location, f"“{names[position]}”: {p.message}") for p in error.problems]
            ) from None
    return [store_and_go(run) for run in planned]


def start_workflow(
    *,
    actor: Actor,
    workflow: Workflow | None,
    spec: WorkflowSpec,
    version: WorkflowVersion | None = None,
    source: RunSource = RunSource.STUDIO,
    **what: Any,
) -> Run:
    """As `start_prompt`. The prompts that the steps name are resolved now and kept with the run."""
    version = _unchanged(version, spec)
    return store_and_go(
        plan_workflow(actor=actor, workflow=workflow, spec=spec, version=version, source=source, **what)
    )


def _unchanged(version: Any, spec: Any) -> Any:
    return version if version is not None and documents.same(documents.spec_of(version), spec) else None


def stop(run: Run, *, actor: Actor) -> None:
    """Asks the executor, wherever it runs, to stop; a PENDING run is closed at once. Idempotent."""
    if run.owner_id != getattr(actor.user, "pk", None):
        actor.require("view_all_runs")
    actor.require(f"run_{run.kind}")
    with workspace_scope(actor.workspace):
        rows = Run.objects.filter(pk=run.pk)
        rows.filter(status__in=RUN_UNFINISHED).update(stop_requested_at=timezone.now())
        now = timezone.now()
        if rows.filter(status=RunStatus.PENDING).update(
            status=RunStatus.CANCELLED, ended_at=now, error_kind="cancelled", error_message="Stopped before it began."
        ):
            continuing.give_up(run)  # it was about to go on after a decision, with others still open
            return
        if rows.filter(status=RunStatus.WAITING).update(
            status=RunStatus.CANCELLED, ended_at=now, error_kind="cancelled", error_message="Stopped while it waited."
        ):
            continuing.give_up(run)
            return
    execution.stop(run.pk)


def visible(*, actor: Actor) -> Any:
    """Runs that the actor may see: their own and shared ones, or all with the permission. A queryset; open the scope
    around it."""
    rows = Run.objects.all()
    return rows if actor.may("view_all_runs") else rows.filter(Q(owner=actor.user) | Q(shared=True))


def share(run: Run, *, actor: Actor, shared: bool) -> None:
    """With everybody in the workspace, or no longer; its owner decides, or who sees all runs anyhow."""
    if run.owner_id != getattr(actor.user, "pk", None):
        actor.require("view_all_runs")
    actor.require(f"run_{run.kind}")
    with workspace_scope(actor.workspace):
        Run.objects.filter(pk=run.pk).update(shared=shared)


def store_and_go(run: Run) -> Run:
    """A planned run; the one that is there already when its client key was used before."""
    execution.refuse_when_stopping()
    with workspace_scope(run.workspace):
        try:
            with transaction.atomic():
                run.save(force_insert=True)
        except IntegrityError:
            same = Run.objects.filter(client_key=run.client_key).first()
            if same is None or run.client_key is None:
                raise
            return same
    transaction.on_commit(lambda: execution.launch(run))
    return run
