"""The current workspace. Managers of tenant tables raise ScopeError outside of `workspace_scope(...)`.

django-scopes treats a scope of None as "no filter"; this is the only place that opens scopes, so None never gets in.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from django.db import models
from django_scopes import ScopedManager, get_scope, scope, scopes_disabled

if TYPE_CHECKING:
    from llm_admin.models import Workspace


def workspace_scope(workspace: Workspace) -> AbstractContextManager[None]:
    if workspace is None or workspace.pk is None:
        raise ValueError("A saved workspace is needed to open its scope.")
    return scope(workspace=workspace)


def current_workspace() -> Workspace | None:
    return get_scope().get("workspace")


def across_workspaces() -> AbstractContextManager[None]:
    """For the recovery of runs, migrations of data and the like: never while answering somebody's request."""
    return scopes_disabled()


def scoped(path: str = "workspace", manager: type[models.Manager[Any]] = models.Manager) -> Any:
    """A manager that only answers inside a workspace; `path` leads from the model to its workspace."""
    return ScopedManager(_manager_class=manager, workspace=path)
