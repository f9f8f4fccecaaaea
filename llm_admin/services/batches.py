"""Batches: one workflow over many rows. What is asked of a batch is here; `batch_pump.py` does the work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from llm_admin.choices import BatchKind, BatchStatus, RowStatus, RunSource, RunStatus
from llm_admin.exceptions import Conflict, InvalidInput, Problem
from llm_admin.models import Batch, BatchRow, Run, Workflow
from llm_admin.schemas.variables import check_values
from llm_admin.services import batch_pump, documents, execution, planning
from llm_admin.services.actors import Actor
from llm_admin.tenancy import workspace_scope

MOST_ROWS = 100_000
MOST_AT_ONCE = 50
MOST_PROBLEMS = 50
AT_A_TIME = 1_000


@dataclass(frozen=True)
class RowInput:
    """`original`: the file's row, or the object's fields when it was read."""

    inputs: Mapping[str, Any]
    original: Mapping[str, Any] = field(default_factory=dict)
    object_id: str = ""


def start(
    *,
    actor: Actor,
    workflow: Workflow,
    version: Any,
    rows: Iterable[RowInput],
    mapping: Mapping[str, str] | None = None,
    columns: Iterable[str] = (),
    file_name: str = "",
    concurrency: int = 5,
    model: str | None = None,
    client_key: str | None = None,
    kind: BatchKind = BatchKind.FILE,
    content_type: Any = None,
    outputs: Mapping[str, str] | None = None,
    cache: bool = True,
) -> Batch:
    """Checks every row, then stores all and begins. The same `client_key` again gives the same batch. `cache` False: no
    answer that was given before.

    Raises InvalidInput at ("rows", number, input), or at ("concurrency",).
    """
    actor.require("run_batch")
    if not 1 <= concurrency <= MOST_AT_ONCE:
        raise InvalidInput([Problem(("concurrency",), f"Choose between 1 and {MOST_AT_ONCE} at the same time.")])
    execution.refuse_when_stopping()
    spec = documents.spec_of(version)
    checked = _checked(spec, rows)
    batch = Batch(
        **_plan(actor, workflow, version, spec, checked[0], model, cache=cache),
        kind=kind,
        file_name=file_name[:200],
        columns=list(columns),
        mapping=dict(mapping or {}),
        outputs=dict(outputs or {}),
        content_type=content_type,
        concurrency=concurrency,
        total=len(checked),
        client_key=client_key or None,
    )
    return _store(batch, checked)


def _plan(
    actor: Actor, workflow: Workflow, version: Any, spec: Any, sample: RowInput, model: Any, *, cache: bool
) -> dict[str, Any]:
    """What all rows share, as the run of the first would have it."""
    run = planning.plan_workflow(
        actor=actor,
        workflow=workflow,
        spec=spec,
        inputs=sample.inputs,
        version=version,
        model=model,
        source=RunSource.BATCH,
        cache=cache,
    )
    shared = {"workspace": run.workspace, "title": run.title, "spec": run.spec}
    made = {"owner": actor.user, "created_at": timezone.now()}
    return shared | made | {"workflow": workflow, "workflow_version": version}


def _checked(spec: Any, rows: Iterable[RowInput]) -> list[RowInput]:
    problems: list[Problem] = []
    checked: list[RowInput] = []
    for number, row in enumerate(rows, start=1):
        if number > MOST_ROWS:
            raise InvalidInput(f"A batch has at most {MOST_ROWS:,} rows. Split the file.")
        try:
            checked.append(RowInput(check_values(spec.inputs, row.inputs), row.original, row.object_id))
        except InvalidInput as error:
            for one in error.problems:
                problems.append(Problem(("rows", number, *one.location[1:]), f"Row {number}: {one.message}"))
            if len(problems) >= MOST_PROBLEMS:
                break
    if problems:
        raise InvalidInput(problems)
    if not checked:
        raise InvalidInput("There are no rows to run. Choose a file with at least one row below the column names.")
    return checked


def _store(batch: Batch, checked: list[RowInput]) -> Batch:
    """Rows are made before the transaction: masking many takes longer than others should wait for SQLite."""
    mask = planning.facts(batch.workspace).redactor.value
    rows = [
        BatchRow(
            batch=batch,
            number=number,
            inputs=mask(dict(row.inputs)),
            original=mask(dict(row.original)),
            object_id=row.object_id,
        )
        for number, row in enumerate(checked, start=1)
    ]
    with workspace_scope(batch.workspace):
        try:
            with transaction.atomic():
                batch.save(force_insert=True)
                BatchRow.objects.bulk_create(rows, batch_size=AT_A_TIME)
        except IntegrityError:
            same = Batch.objects.filter(client_key=batch.client_key).first()
            if same is None or batch.client_key is None:
                raise
            return same
    transaction.on_commit(lambda: batch_pump.launch(batch.pk))
    return batch


def visible(*, actor: Actor) -> Any:
    """A queryset; open the scope around it."""
    rows = Batch.objects.all()
    return rows if actor.may("view_all_runs") else rows.filter(owner=actor.user)


def pause(batch: Batch, *, actor: Actor) -> None:
    """Rows that are running end; no others begin."""
    _change(batch, actor, {BatchStatus.RUNNING: BatchStatus.PAUSED}, "It is not running, so it cannot be paused.")


def resume(batch: Batch, *, actor: Actor) -> None:
    """Also after Stop: rows that were not run, or were stopped, are run; no finished one again."""
    changes = {BatchStatus.PAUSED: BatchStatus.RUNNING, BatchStatus.STOPPED: BatchStatus.RUNNING}
    with transaction.atomic(), workspace_scope(actor.workspace):
        if BatchRow.objects.filter(batch=batch, status=RowStatus.STOPPED).exists():  # one by one, under Runs
            changes[BatchStatus.FINISHED] = BatchStatus.RUNNING
        _refuse_without_inputs(batch, RowStatus.STOPPED, "stopped")
        _change(batch, actor, changes, "It is running or finished: there is nothing to resume.")
        BatchRow.objects.filter(batch=batch, status=RowStatus.STOPPED).update(status=RowStatus.PENDING, ended_at=None)
        stopping = Run.objects.filter(batch=batch, status__in=(RunStatus.PENDING, RunStatus.RUNNING))
        stopping.update(stop_requested_at=None)  # those that are still being stopped go on as well
        transaction.on_commit(lambda: batch_pump.launch(batch.pk))


def stop(batch: Batch, *, actor: Actor) -> None:
    """Also the rows that are running, now. What is finished stays."""
    changes = {BatchStatus.RUNNING: BatchStatus.STOPPED, BatchStatus.PAUSED: BatchStatus.STOPPED}
    with transaction.atomic(), workspace_scope(actor.workspace):
        _change(batch, actor, changes, "It is not running any more.")
        now = timezone.now()
        open_runs = Run.objects.filter(batch=batch, status__in=(RunStatus.PENDING, RunStatus.RUNNING))
        stopping = list(open_runs.values_list("pk", flat=True))
        open_runs.update(stop_requested_at=now)
        BatchRow.objects.filter(batch=batch, status=RowStatus.PENDING).update(status=RowStatus.STOPPED, ended_at=now)
        transaction.on_commit(lambda: _stop_runs(stopping))


def _stop_runs(stopping: list[Any]) -> None:
    for pk in stopping:
        execution.stop(pk)


def retry_failed(batch: Batch, *, actor: Actor) -> int:
    """The failed rows are run anew; how many there were."""
    _require(batch, actor)
    with transaction.atomic(), workspace_scope(actor.workspace):
        failed = BatchRow.objects.filter(batch=batch, status=RowStatus.FAILED)
        _refuse_without_inputs(batch, RowStatus.FAILED, "failed")
        count = failed.update(status=RowStatus.PENDING, run=None, problem="", ended_at=None, cost_nano=None, calls=0)
        if not count:
            raise Conflict("No row has failed: there is nothing to run again.")
        Batch.objects.filter(pk=batch.pk).update(status=BatchStatus.RUNNING, ended_at=None)
        transaction.on_commit(lambda: batch_pump.launch(batch.pk))
    return count


def _refuse_without_inputs(batch: Batch, status: RowStatus, word: str) -> None:
    """The workspace keeps no texts, or not for so long."""
    rows = BatchRow.objects.filter(batch=batch, status=status, inputs={})
    if (batch.spec.get("workflow") or {}).get("inputs") and rows.exists():
        gone = f"This workspace keeps no texts, or not for so long: what the {word} rows held is gone."
        raise Conflict(f"{gone} Start their file again.")


def delete(batch: Batch, *, actor: Actor) -> None:
    """Its runs and their logs stay."""
    _require(batch, actor)
    with transaction.atomic(), workspace_scope(actor.workspace):
        if Batch.objects.filter(pk=batch.pk, status=BatchStatus.RUNNING).exists():
            raise Conflict("It is running. Stop it first.")
        batch.delete()


def _require(batch: Batch, actor: Actor) -> None:
    actor.require("run_batch")
    if batch.owner_id != getattr(actor.user, "pk", None):
        actor.require("view_all_runs")


def _change(batch: Batch, actor: Actor, changes: Mapping[BatchStatus, BatchStatus], refusal: str) -> None:
    """Compare-and-set of its status."""
    _require(batch, actor)
    with workspace_scope(actor.workspace):
        for before, after in changes.items():
            ended = timezone.now() if after == BatchStatus.STOPPED else None
            if Batch.objects.filter(pk=batch.pk, status=before).update(status=after, ended_at=ended):
                batch.refresh_from_db(fields=["status", "ended_at"])
                return
    raise Conflict(refusal)
