"""Permissions from the role in the current workspace (or in the object's own)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend

from llm_admin.permissions import ROLE_PERMISSIONS, role_allows
from llm_admin.services.workspaces import role_of
from llm_admin.tenancy import current_workspace


class WorkspaceBackend(ModelBackend):
    """For `llm_admin.*` the role decides alone; every other app keeps Django's own permissions."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        if not perm.startswith("llm_admin."):
            return super().has_perm(user_obj, perm, obj)
        if not user_obj.is_active or user_obj.is_anonymous:
            return False
        workspace = current_workspace()
        if workspace is None or getattr(obj, "workspace_id", workspace.pk) != workspace.pk:
            return False
        return role_allows(role_of(user_obj, workspace), perm)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        if app_label != "llm_admin":
            return super().has_module_perms(user_obj, app_label)
        workspace = current_workspace()
        return workspace is not None and bool(ROLE_PERMISSIONS.get(role_of(user_obj, workspace) or ""))
