"""Which workspace somebody works in, with which role; and the default one that `migrate` leaves behind."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from django.db import DEFAULT_DB_ALIAS, transaction

from llm_admin.choices import Role
from llm_admin.exceptions import NotFound
from llm_admin.models import (
    DEFAULT_WORKSPACE_SLUG,
    Connection,
    Deployment,
    LanguageModel,
    Membership,
    Workspace,
)
from llm_admin.tenancy import across_workspaces, workspace_scope

SESSION_KEY = "llm_admin_workspace"
DEMO_ALIAS = "demo"


def default() -> Workspace:
    return Workspace.objects.select_related("default_model").get(slug=DEFAULT_WORKSPACE_SLUG)


def by_slug(slug: str | None) -> Workspace:
    """The default workspace for None. Raises NotFound."""
    try:
        return Workspace.objects.select_related("default_model").get(slug=slug or DEFAULT_WORKSPACE_SLUG)
    except Workspace.DoesNotExist:
        raise NotFound(f"There is no workspace “{slug}”.") from None


def roles_of(user: Any) -> dict[int, str]:
    """Workspace id -> role; one query for the life of the user object."""
    if not hasattr(user, "_llm_roles"):
        with across_workspaces():
            user._llm_roles = dict(Membership.objects.filter(user=user).values_list("workspace_id", "role"))
    return user._llm_roles


def role_of(user: Any, workspace: Workspace) -> str | None:
    """A superuser is an admin of the workspace that they switched to."""
    if not user.is_active:
        return None
    if user.is_superuser:
        return Role.ADMIN
    return roles_of(user).get(workspace.pk)


def choices_for(user: Any) -> list[Workspace]:
    workspaces = Workspace.objects.order_by("name")
    return list(workspaces if user.is_superuser else workspaces.filter(pk__in=roles_of(user)))


def current_for(user: Any, session: MutableMapping[str, Any]) -> Workspace | None:
    """The one chosen in the header; else the default one; else the first that they belong to; else None."""
    available = choices_for(user)
    chosen = session.get(SESSION_KEY)
    for workspace in available:
        if workspace.pk == chosen:
            return workspace
    return next((w for w in available if w.slug == DEFAULT_WORKSPACE_SLUG), available[0] if available else None)


def switch(user: Any, session: MutableMapping[str, Any], workspace_id: int) -> Workspace:
    """Raises NotFound for a workspace that is not theirs."""
    for workspace in choices_for(user):
        if workspace.pk == workspace_id:
            session[SESSION_KEY] = workspace.pk
            return workspace
    raise NotFound("There is no such workspace, or you are not a member of it.")


@transaction.atomic
def create(*, slug: str, name: str) -> Workspace:
    """With the demo model, so that prompts run at once."""
    workspace = Workspace.objects.create(slug=slug, name=name)
    with workspace_scope(workspace):
        connection = Connection.objects.create(workspace=workspace, name="Demo (no AI)", provider="fake")
        model = LanguageModel.objects.create(
            workspace=workspace,
            alias=DEMO_ALIAS,
            name="Demo model",
            description="Answers at once, offline, from no AI: for trying the console.",
        )
        Deployment.objects.create(model=model, connection=connection, provider_model="demo")
    workspace.default_model = model
    workspace.save(update_fields=["default_model"])
    return workspace


def ensure_default(*, using: str = DEFAULT_DB_ALIAS, **_: Any) -> None:
    """After `migrate`: the default workspace exists."""
    if not Workspace.objects.using(using).filter(slug=DEFAULT_WORKSPACE_SLUG).exists():
        create(slug=DEFAULT_WORKSPACE_SLUG, name="Default")
