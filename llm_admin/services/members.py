"""Who belongs to a workspace, with which role. The last admin stays, unless a superuser decides otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils.crypto import get_random_string

from llm_admin.choices import Role
from llm_admin.exceptions import Conflict, InvalidInput, Problem
from llm_admin.models import Membership, Workspace
from llm_admin.services.actors import Actor
from llm_admin.services.validation import clean
from llm_admin.tenancy import workspace_scope

PASSWORD_CHARACTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # noqa: S105 - none that look alike


@dataclass(frozen=True)
class Added:
    """`password` is there when the account is new: it is shown once and stored nowhere in the clear."""

    membership: Membership
    password: str | None


def add(*, actor: Actor, username: str, role: str, email: str = "") -> Added:
    """An existing account becomes a member; a name that nobody has becomes a new account."""
    actor.require("add_membership")
    with transaction.atomic(), workspace_scope(actor.workspace):
        user, password = _account(username.strip(), email.strip())
        membership = Membership(workspace=actor.workspace, user=user, role=role)
        clean(membership)
        membership.save()
    return Added(membership, password)


def check(*, actor: Actor, username: str, email: str = "") -> list[Problem]:
    """What is wrong with a name before anything is made; open the scope around it."""
    username = username.strip()
    try:
        found = _found(username)
        if found is None:
            clean(_unsaved(username, email.strip()), exclude={"password"})
    except InvalidInput as error:
        return [Problem(_place(problem), problem.message) for problem in error.problems]
    if found and Membership.objects.filter(user=found).exists():
        return [Problem(("username",), "This person is a member already; change the role on their page.")]
    return []


def _place(problem: Problem) -> tuple[str | int, ...]:
    """A custom user model may call its name otherwise."""
    return ("username",) if problem.location == (get_user_model().USERNAME_FIELD,) else problem.location


def _account(username: str, email: str) -> tuple[Any, str | None]:
    if found := _found(username):
        return found, None
    user, password = _unsaved(username, email), get_random_string(16, PASSWORD_CHARACTERS)
    user.set_password(password)
    clean(user)
    user.save()
    return user, password


def _found(username: str) -> Any | None:
    """Raises InvalidInput for an account that may not sign in: its owner never asked for the admin."""
    users = get_user_model()._default_manager
    found = users.filter(**{users.model.USERNAME_FIELD: username}).first()
    if found and not (found.is_active and found.is_staff):
        words = f"The account “{username}” may not sign in here. A superuser can allow it under Users."
        raise InvalidInput([Problem(("username",), words)])
    return found


def _unsaved(username: str, email: str) -> Any:
    """Staff status only opens the door to the admin: what they may do there comes from the role."""
    model = get_user_model()
    return model(**{model.USERNAME_FIELD: username, model.get_email_field_name(): email, "is_staff": True})


def change_role(membership: Membership, *, actor: Actor, role: str) -> None:
    """Raises Conflict for the last admin."""
    actor.require("change_membership")
    with transaction.atomic(), workspace_scope(actor.workspace):
        _wait_for_others(actor)
        check_role(membership, actor=actor, role=role)
        membership.role = role
        clean(membership)
        membership.save(update_fields=["role"])


def change_limit(membership: Membership, *, actor: Actor, calls_per_minute: int | None) -> None:
    """None: as the workspace's settings say."""
    actor.require("change_membership")
    membership.calls_per_minute = calls_per_minute
    with workspace_scope(actor.workspace):
        clean(membership)
        membership.save(update_fields=["calls_per_minute"])


def remove(membership: Membership, *, actor: Actor) -> None:
    """The account stays; only its place in this workspace goes. Raises Conflict for the last admin."""
    actor.require("delete_membership")
    with transaction.atomic(), workspace_scope(actor.workspace):
        _wait_for_others(actor)
        check_role(membership, actor=actor, role=None)
        membership.delete()


def check_role(membership: Membership, *, actor: Actor, role: str | None) -> None:
    """`role` None: they leave. Raises Conflict for the last admin; open the scope around it."""
    if role == Role.ADMIN or actor.user is None or actor.user.is_superuser:
        return
    admins = Membership.objects.filter(role=Role.ADMIN, user__is_active=True).values_list("pk", flat=True)
    if list(admins) == [membership.pk]:
        raise Conflict(f"{membership.user} is the last admin of this workspace. Make somebody else an admin first.")


def _wait_for_others(actor: Actor) -> None:
    """Two admins who remove each other at the same moment do it one after the other."""
    Workspace.objects.select_for_update().get(pk=actor.workspace.pk)
