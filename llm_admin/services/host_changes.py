"""Applies what a batch proposed for the host's rows, and undoes it: through the host's permissions and history."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import DatabaseError, models, router, transaction
from django.utils import timezone

from llm_admin.choices import RowStatus
from llm_admin.models import Batch, BatchRow, RowChange
from llm_admin.services import host_fields
from llm_admin.services.actors import Actor
from llm_admin.services.host_review import NOT_EDITABLE, Proposal, Review, review
from llm_admin.services.hosts import Host
from llm_admin.tenancy import workspace_scope

AT_A_TIME = 500


@dataclass
class Done:
    rows: int = 0
    fields: int = 0
    skipped: list[str] = field(default_factory=list)


def apply(
    batch: Batch,
    *,
    actor: Actor,
    host: Host,
    ticks: Mapping[int, Collection[str]] | None,
    seen: Mapping[int, str] | None = None,
) -> Done:
    """`ticks`: row id -> fields; None: everything that can be applied and that nobody changed meanwhile.

    `seen`: row id -> the digest of the values that the person was shown; a row whose values are others by now is
    skipped. One transaction for 500 rows; within it a row is applied whole or not at all.
    """
    actor.require("run_batch")
    done = Done()
    with workspace_scope(actor.workspace):
        rows = BatchRow.objects.filter(batch=batch).order_by("number")
        rows = rows.filter(status=RowStatus.SUCCEEDED) if ticks is None else rows.filter(pk__in=list(ticks))
        pks = list(rows.values_list("pk", flat=True))
        for start in range(0, len(pks), AT_A_TIME):
            with _together(host):
                locked = list(_locked(pks[start : start + AT_A_TIME]))
                for one in review(host, batch, locked):
                    wanted = None if ticks is None else ticks[one.row.pk]
                    _apply_row(batch, one, wanted, (seen or {}).get(one.row.pk), actor, host, done)
    return done


def _locked(pks: Sequence[int]) -> Any:
    """Of two clicks at once the second sees what the first has done."""
    return BatchRow.objects.select_for_update().filter(pk__in=pks).order_by("number")


@contextmanager
def _together(host: Host) -> Iterator[None]:
    """One transaction, also where the host's table is in another database than ours."""
    with ExitStack() as stack:
        for name in dict.fromkeys((router.db_for_write(RowChange), router.db_for_write(host.model))):
            stack.enter_context(transaction.atomic(using=name))
        yield


def _apply_row(
    batch: Batch, one: Review, wanted: Collection[str] | None, seen: str | None, actor: Actor, host: Host, done: Done
) -> None:
    chosen = [p for p in one.proposals if (p.open and not p.changed if wanted is None else p.name in wanted)]
    if one.problem:
        done.skipped.append(f"{one.name}: {one.problem}")
        return
    if wanted is not None and seen and seen != one.seen:
        done.skipped.append(f"{one.name}: It was changed after you opened this page. Look at it again.")
        return
    for refused in [p for p in chosen if not p.open]:
        done.skipped.append(f"{one.name}, {refused.title}: {_why_not(refused)}")
    if chosen := [p for p in chosen if p.open]:
        problem = _store(one, lambda: _applied(batch, one, chosen, actor, host), host)
        _count(done, one, len(chosen), problem)


def _why_not(one: Proposal) -> str:
    return one.problem or ("It is applied already." if one.applied else "It has this value already.")


def _count(done: Done, one: Review, fields: int, problem: str) -> None:
    if problem:
        done.skipped.append(f"{one.name}: {problem}")
        return
    done.rows, done.fields = done.rows + 1, done.fields + fields


def _applied(batch: Batch, one: Review, chosen: list[Proposal], actor: Actor, host: Host) -> None:
    for proposal in chosen:
        setattr(one.obj, _attname(host, proposal.name), proposal.value)
    names = [proposal.name for proposal in chosen]
    check(one.obj, names)
    host.save(one.obj, names)
    one.obj.refresh_from_db(using=router.db_for_write(host.model), fields=names)  # 19.9 may be 19.90 there
    now = timezone.now()
    RowChange.objects.bulk_create(
        RowChange(row=one.row, field=p.name, before=p.now, after=_after(host, one.obj, p.name), applied_at=now,
                  applied_by=actor.user)
        for p in chosen
    )  # fmt: skip
    titles = " and ".join(proposal.title for proposal in chosen)
    host.log(one.obj, f"Changed {titles} with the workflow “{batch.title}”.")


def _attname(host: Host, name: str) -> str:
    found = host_fields.field_of(host.model, name)
    return found.attname if found else name


def _after(host: Host, obj: Any, name: str) -> Any:
    """What was stored: `save`, or the model's own `clean`, may have put it differently."""
    return host_fields.current(obj, host_fields.field_of(host.model, name))


def check(obj: models.Model, names: Collection[str]) -> None:
    """As `full_clean`, but other fields' own problems are not this change's. Raises ValidationError."""
    others = {f.name for f in obj._meta.fields if f.name not in names}
    obj.clean_fields(exclude=others)
    obj.clean()
    obj.validate_unique()
    obj.validate_constraints()


def _store(one: Review, change: Callable[[], None], host: Host) -> str:
    """Why the row could not be stored, or ""."""
    try:
        with _together(host):
            change()
    except ValidationError as error:
        return _sentences(one.obj, error)
    except DatabaseError:
        return "The database refused this value."
    return ""


def _sentences(obj: models.Model, error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    said = []
    for name, messages in error.message_dict.items():
        found = None if name == NON_FIELD_ERRORS else host_fields.field_of(type(obj), name)
        said += [f"{host_fields.title_of(found)}: {m}" if found else m for m in messages]
    return " ".join(said)


# ---- undoing ----


def undo(batch: Batch, *, actor: Actor, host: Host, rows: Collection[int] | None = None) -> Done:
    """What is applied goes back, where nobody changed it since. `rows`: these only."""
    actor.require("run_batch")
    done = Done()
    with workspace_scope(actor.workspace):
        applied = RowChange.objects.filter(row__batch=batch, undone_at=None)
        if rows is not None:
            applied = applied.filter(row__in=list(rows))
        pks = list(applied.order_by("row__number").values_list("row_id", flat=True).distinct())
        for start in range(0, len(pks), AT_A_TIME):
            with _together(host):
                for one in review(host, batch, list(_locked(pks[start : start + AT_A_TIME]))):
                    _undo_row(batch, one, actor, host, done)
    return done


def _undo_row(batch: Batch, one: Review, actor: Actor, host: Host, done: Done) -> None:
    if one.problem:
        done.skipped.append(f"{one.name}: {one.problem}")
        return
    back = []
    for proposal in one.applied:
        if proposal.name not in one.allowed:
            done.skipped.append(f"{one.name}, {proposal.title}: {NOT_EDITABLE}")
        elif proposal.edited:
            done.skipped.append(f"{one.name}, {proposal.title}: It was changed since, so it stays as it is.")
        else:
            back.append(proposal)
    if back:
        _count(done, one, len(back), _store(one, lambda: _undone(batch, one, back, actor, host), host))


def _undone(batch: Batch, one: Review, back: list[Proposal], actor: Actor, host: Host) -> None:
    for proposal in back:
        found = host_fields.field_of(host.model, proposal.name)
        if found is not None and proposal.change is not None:
            setattr(one.obj, found.attname, host_fields.restored(found, proposal.change.before))
    host.save(one.obj, [proposal.name for proposal in back])
    changes = [proposal.change.pk for proposal in back if proposal.change is not None]
    RowChange.objects.filter(pk__in=changes).update(undone_at=timezone.now(), undone_by=actor.user)
    titles = " and ".join(proposal.title for proposal in back)
    host.log(one.obj, f"Undid the change of {titles} by the workflow “{batch.title}”.")
