"""What a running team changes about its workspace, effective at once; and new workspaces."""

from __future__ import annotations

from typing import Any

from llm_admin.exceptions import InvalidInput, NotFound, PermissionRefused, Problem
from llm_admin.models import Workspace
from llm_admin.services import labels, workspaces
from llm_admin.services.actors import Actor
from llm_admin.services.validation import clean
from llm_admin.tenancy import workspace_scope

CHANGEABLE = (
    "name",
    "default_model",
    "store_texts",
    "currency",
    "currency_rate",
    "protected_labels",
    "cache_answers",
    "cache_hours",
    "calls_per_minute",
    "keep_texts_days",
    "keep_logs_days",
)
MOST_HOURS = 366 * 24
MOST_DAYS = 36_500


def change(workspace: Workspace, *, actor: Actor, **values: Any) -> Workspace:
    """`values`: any of CHANGEABLE. Raises InvalidInput."""
    actor.require("change_workspace")
    if workspace.pk != actor.workspace.pk:
        raise NotFound("You work in another workspace at the moment. Switch to this one first.")
    for name, value in values.items():
        if name not in CHANGEABLE:
            raise TypeError(f"{name} is no setting of a workspace.")
        setattr(workspace, name, value)
    with workspace_scope(workspace):
        if problems := check(workspace):
            raise InvalidInput(problems)
        clean(workspace)
        workspace.save(update_fields=CHANGEABLE)
    return workspace


def check(workspace: Workspace) -> list[Problem]:
    problems = []
    model = workspace.default_model
    if model and (model.workspace_id != workspace.pk or not model.enabled):
        problems.append(Problem(("default_model",), "Choose a model of this workspace that is switched on."))
    if workspace.currency == "USD" and workspace.currency_rate != 1:
        problems.append(Problem(("currency_rate",), "One US dollar is 1 US dollar: enter 1, or another currency."))
    if (workspace.cache_hours or 0) > MOST_HOURS:
        problems.append(Problem(("cache_hours",), f"Choose at most {MOST_HOURS:,} hours, which is a year."))
    for name in ("keep_texts_days", "keep_logs_days"):
        if (getattr(workspace, name) or 0) > MOST_DAYS:
            problems.append(Problem((name,), f"Choose at most {MOST_DAYS:,} days, or leave it empty to keep them."))
    try:
        labels.protect_names(workspace.protected_labels)
    except InvalidInput as error:
        problems.append(Problem(("protected_labels",), error.problems[0].message))
    return problems


def create(*, user: Any, slug: str, name: str) -> Workspace:
    """A new workspace with the demo model. Superusers only; they are admins of every workspace."""
    if not (user.is_active and user.is_superuser):
        raise PermissionRefused("Only superusers make workspaces. Ask one of them.")
    clean(Workspace(slug=slug, name=name))
    return workspaces.create(slug=slug, name=name)
