"""Removing calls for good: their rows, their texts and the words by which they were found."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from llm_admin.models import InteractionLog, InteractionText, Workspace
from llm_admin.selectors import log_pages
from llm_admin.selectors.log_query import LogQuery
from llm_admin.services import feedback, log_search
from llm_admin.services.actors import Actor

AT_ONCE = 500


def delete(query: LogQuery, *, actor: Actor, most: int | None = None) -> int:
    """All that match, in many small transactions; how many were there. What was done is recorded once, at the end.

    Numbers follow by themselves: the database counts each row that goes (models/rollup_triggers.py).
    """
    actor.require("delete_interactionlog")
    gone = 0
    try:
        for some in _in_parts(query, most):
            gone += _delete(some, query.workspace_id)
    finally:
        if gone:
            _record(actor, gone)
    return gone


def _in_parts(query: LogQuery, most: int | None) -> Iterable[Sequence[int]]:
    left = most
    for ids in log_pages.every(query, AT_ONCE):
        some = ids if left is None else ids[:left]
        if some:
            yield some
        if left is not None and (left := left - len(some)) <= 0:
            return


def _delete(ids: Sequence[int], workspace_id: int) -> int:
    with transaction.atomic():
        rows = InteractionLog._base_manager.filter(pk__in=ids, workspace_id=workspace_id)
        here = list(rows.values_list("pk", flat=True))
        log_search.forget(here)
        feedback.forget_notes(here)
        InteractionText._base_manager.filter(log_id__in=here).delete()
        return InteractionLog._base_manager.filter(pk__in=here).delete()[0]


def _record(actor: Actor, gone: int) -> None:
    if actor.user is None:
        return
    calls = "1 call" if gone == 1 else f"{gone:,} calls"
    LogEntry.objects.create(
        user_id=actor.user.pk,
        content_type=ContentType.objects.get_for_model(Workspace),
        object_id=str(actor.workspace.pk),
        object_repr=str(actor.workspace)[:200],
        action_flag=DELETION,
        change_message=f"Deleted {calls} from the logs.",
    )
