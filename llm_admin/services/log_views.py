"""Views of the list of logs that somebody gave a name, and what each person chose for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from llm_admin.exceptions import InvalidInput, NotFound, PermissionRefused, Problem
from llm_admin.models import LogReader, LogView
from llm_admin.services.actors import Actor
from llm_admin.services.validation import refuse_unstorable

MOST_VIEWS = 200  # of one person
LONGEST_NAME = 80
LONGEST_VALUE = 2_000


def visible(actor: Actor) -> QuerySet[LogView]:
    """One's own, and those that others share."""
    return LogView.objects.filter(Q(owner=actor.user) | Q(shared=True)).select_related("owner")


def find(pk: Any, *, actor: Actor) -> LogView:
    found = visible(actor).filter(pk=pk).first() if str(pk).isdecimal() and len(str(pk)) < 19 else None
    if found is None:
        raise NotFound("There is no such view any more. Choose another one from the list.")
    return found


def reader(actor: Actor) -> LogReader | None:
    return LogReader.objects.filter(user=actor.user).select_related("view").first()


def save(*, actor: Actor, name: str, query: Mapping[str, str], columns: Sequence[str], shared: bool = False) -> LogView:
    """Under a name that one has a view of already, that one is replaced."""
    actor.require("view_interactionlog")
    name = _name(name)
    query = {key: value[:LONGEST_VALUE] for key, value in query.items()}
    refuse_unstorable(filters="".join(query.values()))
    with transaction.atomic():
        mine = LogView.objects.filter(owner=actor.user)
        if mine.count() >= MOST_VIEWS and not mine.filter(name=name).exists():
            raise InvalidInput(f"You have {MOST_VIEWS} views already. Delete one that you do not need.")
        view, _ = LogView.objects.update_or_create(
            workspace=actor.workspace,
            owner=actor.user,
            name=name,
            defaults={"query": query, "columns": list(columns), "shared": shared},
        )
    return view


def change(view: LogView, *, actor: Actor, name: str, shared: bool) -> LogView:
    _own(view, actor)
    view.name, view.shared = _name(name), shared
    if LogView.objects.filter(owner=view.owner_id, name=view.name).exclude(pk=view.pk).exists():
        raise InvalidInput([Problem(("name",), "There is a view with this name already. Choose another name.")])
    with transaction.atomic():
        view.save(update_fields=["name", "shared", "updated_at"])
        if not shared:
            LogReader.objects.filter(view=view).exclude(user=view.owner_id).update(view=None)
    return view


def delete(view: LogView, *, actor: Actor) -> None:
    _own(view, actor)
    view.delete()


def open_with(view: LogView | None, *, actor: Actor) -> None:
    """With this view the list opens for this person from now on; None: with everything."""
    actor.require("view_interactionlog")
    if view is None:
        LogReader.objects.filter(user=actor.user).update(view=None)
        return
    LogReader.objects.update_or_create(workspace=actor.workspace, user=actor.user, defaults={"view": view})


def choose_columns(columns: Sequence[str], *, actor: Actor) -> None:
    actor.require("view_interactionlog")
    if not columns:
        raise InvalidInput("Choose at least one column.")
    LogReader.objects.update_or_create(workspace=actor.workspace, user=actor.user, defaults={"columns": list(columns)})


def _own(view: LogView, actor: Actor) -> None:
    """A shared one is its owner's; an admin may tidy up."""
    if view.owner_id != getattr(actor.user, "pk", None) and not (view.shared and actor.may("change_workspace")):
        raise PermissionRefused(f"This view belongs to {view.owner}. Save one of your own instead.")


def _name(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise InvalidInput([Problem(("name",), "Give the view a name.")])
    if len(name) > LONGEST_NAME:
        raise InvalidInput([Problem(("name",), f"The name is longer than {LONGEST_NAME} characters. Shorten it.")])
    refuse_unstorable(name=name)
    return name
