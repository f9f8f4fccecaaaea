"""What a batch proposes for the host's rows, beside what is there now.

A proposal is only for a field that the batch's mapping names and that the person's own change form may edit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from llm_admin.choices import RowStatus
from llm_admin.models import Batch, BatchRow, RowChange
from llm_admin.schemas.word_diffs import Piece, words
from llm_admin.services import host_fields, planning
from llm_admin.services.host_rows import NAME
from llm_admin.services.hosts import Host, objects

DIFF_SECONDS = 0.2
GONE = "This row is not there any more, or you may not see it."
NOT_YOURS = "You may not change this row."
NOT_EDITABLE = "The field may not be changed by you, or is not in the table any more."
NO_ANSWER = "The answer has no “{}”."
MASKED = "The answer held something like a key, which was masked. It cannot be stored."


@dataclass
class Proposal:
    """For one field of one row. `value` is the field's own value, set unless there is a `problem`."""

    name: str
    title: str
    before: Any = None  # as it was when the batch was started
    now: Any = None
    proposed: Any = None
    value: Any = None
    problem: str = ""
    changed: bool = False  # by somebody else since the batch was started
    change: RowChange | None = None
    now_shown: str = ""
    before_shown: str = ""  # at the start; of what is applied: before that
    proposed_shown: str = ""

    @property
    def pieces(self) -> list[Piece]:
        return words(self.now_shown, self.proposed_shown, seconds=DIFF_SECONDS)

    @property
    def applied(self) -> bool:
        return self.change is not None and self.change.undone_at is None

    @property
    def undone(self) -> bool:
        return self.change is not None and self.change.undone_at is not None

    @property
    def same(self) -> bool:
        return not self.problem and self.now == self.proposed

    @property
    def open(self) -> bool:
        """It can be applied."""
        return not self.problem and not self.applied and not self.same

    @property
    def advised(self) -> bool:
        """Ticked from the start."""
        return self.open and not self.changed and not self.undone

    @property
    def edited(self) -> bool:
        """Since it was applied: what Undo leaves alone."""
        return self.applied and self.change is not None and self.now != self.change.after


@dataclass
class Review:
    """A row of the batch beside the host's row. `seen` stands for the values that the person was shown."""

    row: BatchRow
    obj: Any
    name: str
    problem: str = ""
    allowed: frozenset[str] = frozenset()  # what the person may set here
    proposals: list[Proposal] = field(default_factory=list)

    @property
    def seen(self) -> str:
        return digest({one.name: one.now for one in self.proposals})

    @property
    def open(self) -> list[Proposal]:
        return [one for one in self.proposals if one.open]

    @property
    def applied(self) -> list[Proposal]:
        return [one for one in self.proposals if one.applied]


def digest(values: Mapping[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def review(host: Host, batch: Batch, rows: Sequence[BatchRow]) -> list[Review]:
    """Three queries, however many rows: the host's objects, the changes, and what may be masked."""
    found = {str(obj.pk): obj for obj in objects(host, [row.object_id for row in rows])}
    changes: dict[int, dict[str, RowChange]] = {}
    for change in RowChange.objects.filter(row__in=[row.pk for row in rows]).select_related("applied_by", "undone_by"):
        changes.setdefault(change.row_id, {})[change.field] = change  # the newest: they come in order
    mask = planning.facts(batch.workspace).redactor.value
    return [_reviewed(host, batch, row, found.get(row.object_id), changes.get(row.pk, {}), mask) for row in rows]


def _reviewed(
    host: Host, batch: Batch, row: BatchRow, obj: Any, changes: Mapping[str, RowChange], mask: Callable[[Any], Any]
) -> Review:
    made = Review(row, obj, str(obj) if obj is not None else str(row.original.get(NAME) or f"Row {row.number}"))
    if obj is None:
        made.problem = GONE
    elif not host.may_change(obj):
        made.problem = NOT_YOURS
    if made.problem or (row.status != RowStatus.SUCCEEDED and not changes):
        return made
    made.allowed = frozenset(f.name for f in host.targets(obj))
    for name, outcome in batch.outputs.items():
        found = host_fields.field_of(host.model, name)
        if found is None:
            made.proposals.append(Proposal(name, name, problem=NOT_EDITABLE, change=changes.get(name)))
            continue
        one = Proposal(name, host_fields.title_of(found), change=changes.get(name))
        one.before, one.now = row.original.get(name), host_fields.current(obj, found)
        one.changed = one.before not in (one.now, mask(one.now))
        _propose(one, found, row.output, outcome, obj)
        if name not in made.allowed:
            one.problem = NOT_EDITABLE
        before = one.change.before if one.change is not None and one.applied else one.before
        one.now_shown, one.before_shown = host_fields.shown(found, one.now), host_fields.shown(found, before)
        one.proposed_shown = "" if one.problem else host_fields.shown(found, one.proposed)
        made.proposals.append(one)
    return made


def _propose(one: Proposal, found: Any, output: Any, outcome: str, obj: models.Model) -> None:
    given = output
    if outcome:
        if not isinstance(output, dict) or outcome not in output:
            one.problem = NO_ANSWER.format(outcome)
            return
        given = output[outcome]
    if _masked(given):
        one.problem = MASKED
        return
    try:
        one.value = host_fields.cleaned(found, given, obj)
        same = host_fields.is_same(found, one.now, one.value)
        one.proposed = one.now if same else host_fields.stored(found, one.value)
    except ValueError as error:
        one.problem = str(error)


def _masked(value: Any) -> bool:
    from llm_admin.runtime.redaction import MASK

    return MASK in json.dumps(value, ensure_ascii=False)
