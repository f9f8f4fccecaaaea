"""Who acts, where, with which rights: the first argument of every service."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_admin.choices import Role
from llm_admin.exceptions import PermissionRefused
from llm_admin.models import Workspace
from llm_admin.permissions import role_allows
from llm_admin.services.workspaces import role_of

if TYPE_CHECKING:
    from django.http import HttpRequest

SENTENCES = {
    "change": "change this",
    "add": "add this",
    "delete": "delete this",
    "run": "run this",
    "decide": "decide this",
    "publish": "publish this",
    "move": "move this label",
}


@dataclass(frozen=True)
class Actor:
    """`user` is None for code and commands of the project itself, which may do everything."""

    workspace: Workspace
    user: Any | None
    role: str

    def may(self, permission: str) -> bool:
        return role_allows(self.role, permission)

    def require(self, permission: str) -> None:
        if not self.may(permission):
            what = SENTENCES.get(permission.split("_", 1)[0], "do this")
            role = self.role or "no"
            raise PermissionRefused(
                f"Your role in “{self.workspace}” ({role}) may not {what}. "
                "Ask an admin of the workspace for another role."
            )


def for_request(request: HttpRequest) -> Actor:
    """Raises PermissionRefused for somebody without any workspace."""
    workspace = getattr(request, "workspace", None)
    if workspace is None:
        raise PermissionRefused("You are not a member of any workspace yet. Ask an admin to add you.")
    return Actor(workspace, request.user, role_of(request.user, workspace) or "")


def system(workspace: Workspace, user: Any | None = None) -> Actor:
    """For trusted code: everything is allowed, `user` is only who it is recorded for."""
    return Actor(workspace, user, Role.ADMIN)
