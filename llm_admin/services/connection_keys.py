"""Keys are replaced, and encrypted anew after SECRET_KEY or SALT_KEY was."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.utils import timezone

from llm_admin.exceptions import Conflict, InvalidInput, NotFound, Problem
from llm_admin.models import Connection
from llm_admin.services import catalogue, connection_trial, connections, monitors
from llm_admin.tenancy import across_workspaces, workspace_scope

if TYPE_CHECKING:
    from llm_admin.services.actors import Actor
    from llm_admin.services.connection_trial import Trial

WORKED = "Replaced the key; the new one works."
UNTRIED = "Replaced the key, although the new one did not work when it was tried."


class KeyRefused(InvalidInput):
    """The provider did not take the new key; the old one is in use as before."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        super().__init__([Problem(("key",), f"The new key was tried and does not work: {trial.problem}")])


def replace(connection: Connection, *, actor: Actor, key: str, anyway: bool = False) -> Trial:
    """The new key is tried (the list of models) before it takes the old one's place.

    Raises KeyRefused when it does not work, unless `anyway`; InvalidInput for what is no key at all.
    """
    actor.require("change_connection")
    if connection.workspace_id != actor.workspace.pk:
        raise NotFound("There is no such connection in this workspace.")
    key = key.strip()
    with workspace_scope(actor.workspace):
        _check(connection, key)
        trial = connection_trial.listing(connection, key=key)
        if trial.problem and not anyway:
            raise KeyRefused(trial)
        before = connection.key_changed_at
        connection.api_key, connection.key_changed_at = key, timezone.now()
        with transaction.atomic():
            _take_its_place(connection, before)
            _record(connection, actor, UNTRIED if trial.problem else WORKED)
    catalogue.forget()
    connection_trial.remember(connection, trial)
    return trial


def _check(connection: Connection, key: str) -> None:
    if connection.api_key_env:
        raise Conflict(
            f"The key of “{connection}” stands in the variable {connection.api_key_env} of this server. "
            "Set the new one there and start the server again."
        )
    if not key:
        raise InvalidInput([Problem(("key",), "Enter the new key.")])
    if problems := [one for one in connections.check(connection, key=key) if one.location[:1] == ("key",)]:
        raise InvalidInput(problems)


def _take_its_place(connection: Connection, before: object) -> None:
    """Raises Conflict when somebody else replaced it while this one was being tried."""
    ours = Connection.objects.filter(pk=connection.pk, key_changed_at=before, api_key_env="")
    if ours.update(api_key=connection.api_key, key_changed_at=connection.key_changed_at) != 1:
        raise Conflict(f"Somebody else changed the key of “{connection}” meanwhile. Look at the page again.")


def _record(connection: Connection, actor: Actor, words: str) -> None:
    """In the history of the connection's page."""
    if actor.user is not None:
        LogEntry.objects.log_actions(actor.user.pk, [connection], CHANGE, change_message=words, single_object=True)


@dataclass
class Reencrypted:
    """`unreadable`: names of what (connections, webhooks of monitors) was encrypted with a key that is not configured
    any more."""

    done: int = 0
    unreadable: list[str] = field(default_factory=list)


def reencrypt() -> Reencrypted:
    """Every stored key, with the first SECRET_KEY and SALT_KEY that are configured now; all or nothing."""
    result = Reencrypted()
    with across_workspaces(), transaction.atomic():
        result.done, result.unreadable = monitors.reencrypt()
        rows = Connection.objects.filter(api_key__isnull=False).select_related("workspace")
        for connection in rows.select_for_update(of=("self",)).order_by("pk"):
            if connection_trial.unreadable(connection):
                result.unreadable.append(f"{connection} ({connection.workspace})")
                continue
            Connection.objects.filter(pk=connection.pk).update(api_key=connection.api_key)
            result.done += 1
    return result
