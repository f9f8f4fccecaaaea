"""A workflow on rows of the host's own tables: what is read from them, and the batch that comes of it.

What comes back is only proposed: `host_changes.py` compares, applies and undoes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from llm_admin.choices import BatchKind, StoreTexts
from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.models import LIVE, Batch, Workflow
from llm_admin.schemas.variables import VariableSpec, check_values
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import batches, documents, host_fields
from llm_admin.services.actors import Actor
from llm_admin.services.host_fields import FIXED, LABEL
from llm_admin.services.host_maps import FieldMap, check_mapping, remember
from llm_admin.services.hosts import Host, objects

MOST_ROWS = 10_000
MOST_TOLD = 20
KEEPS_NOTHING = "This workspace keeps no texts, so there would be nothing to review. See Workspace settings."
NAME = "__str__"  # in a row's original values: what the object was called


@dataclass
class Prepared:
    """`wrong`: object id -> (what it is called, sentences): rows that cannot be run as they are."""

    rows: list[batches.RowInput] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    wrong: dict[str, tuple[str, list[str]]] = field(default_factory=dict)


def workflows(*, actor: Actor) -> list[Workflow]:
    """Those that can be run: Live, not archived."""
    actor.require("run_batch")
    actor.require("run_workflow")
    rows = Workflow.objects.filter(archived_at=None, versions__labels__name=LIVE)
    return list(rows.distinct().order_by("name"))


def live_version(workflow: Workflow) -> Any:
    return documents.version_of(workflow, label=LIVE)


def prepare(host: Host, spec: WorkflowSpec, mapping: FieldMap, ids: Sequence[Any]) -> Prepared:
    """Reads the rows and of them the fields, as far as this person may see them, in the order of their ids."""
    found = Prepared()
    readable = {source.key for source in host_fields.sources(host.model, host.readable())}
    keys = {name: key for name, key in mapping.inputs.items() if key.startswith(FIXED) or key in readable}
    fields = [f for name in mapping.outputs if (f := host_fields.field_of(host.model, name))]
    for obj in objects(host, ids, keys=keys.values()):
        inputs = {v.name: _value(obj, keys.get(v.name, ""), v) for v in spec.inputs}
        original = {f.name: host_fields.current(obj, f) for f in fields} | {NAME: str(obj)[:200]}
        try:
            values = check_values(spec.inputs, inputs)
        except InvalidInput as error:
            found.wrong[str(obj.pk)] = (str(obj), [problem.message for problem in error.problems])
            continue
        found.rows.append(batches.RowInput(values, original, str(obj.pk)))
        found.names.append(str(obj))
    return found


def _value(obj: models.Model, key: str, variable: VariableSpec) -> Any:
    return host_fields.input_value(obj, key, variable) if key else None


def start(
    *,
    actor: Actor,
    host: Host,
    workflow: Workflow,
    mapping: FieldMap,
    ids: Sequence[Any],
    leave_out: bool = False,
    model: str | None = None,
    concurrency: int = 5,
    client_key: str | None = None,
    cache: bool = True,
) -> Batch:
    """Raises InvalidInput at ("inputs", name), ("outputs", outcome) or ("rows", position); `leave_out`: without the
    rows that cannot be run as they are. `cache` False: no answer that was given before."""
    actor.require("run_batch")
    version = live_version(workflow)
    spec = documents.spec_of(version)
    if actor.workspace.store_texts == StoreTexts.NOTHING:
        raise InvalidInput(KEEPS_NOTHING)
    if len(ids) > MOST_ROWS:
        raise InvalidInput(f"At most {MOST_ROWS:,} rows at once. Select fewer.")
    if problems := check_mapping(host, spec, mapping):
        raise InvalidInput(problems)
    prepared = prepare(host, spec, mapping, ids)
    if prepared.wrong and not leave_out:
        told = list(prepared.wrong.values())[:MOST_TOLD]
        raise InvalidInput([Problem(("rows", at), f"{name}: {' '.join(why)}") for at, (name, why) in enumerate(told)])
    if not prepared.rows:
        raise InvalidInput("None of the rows can be run. Perhaps they were deleted in the meantime; reload the list.")
    remember(host, workflow, mapping, actor=actor)
    read = [name for key in mapping.inputs.values() if (name := key.removesuffix(LABEL)) and not key.startswith(FIXED)]
    return batches.start(
        actor=actor,
        workflow=workflow,
        version=version,
        rows=prepared.rows,
        mapping=mapping.inputs,
        columns=list(dict.fromkeys([*read, *mapping.outputs])),
        file_name=str(host.model._meta.verbose_name_plural)[:200],
        concurrency=concurrency,
        model=model,
        client_key=client_key,
        cache=cache,
        kind=BatchKind.OBJECTS,
        content_type=host.content_type,
        outputs=mapping.outputs,
    )


def find_workflow(*, actor: Actor, pk: int) -> Workflow | None:
    return next((one for one in workflows(actor=actor) if one.pk == pk), None)
