"""Permissions from the role in the current workspace (or in the object's own); the demo's accounts stay at home."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from llm_admin.permissions import ROLE_PERMISSIONS, role_allows
from llm_admin.services import demo
from llm_admin.services.workspaces import role_of
from llm_admin.tenancy import current_workspace

FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_HOST")


class WorkspaceBackend(ModelBackend):
    """For `llm_admin.*` the role decides alone; every other app keeps Django's own permissions."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        if demo.is_known_to_everybody(username, password) and not from_this_machine(request):
            return None
        return super().authenticate(request, username=username, password=password, **kwargs)

    async def aauthenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> Any:
        return await sync_to_async(self.authenticate)(request, username=username, password=password, **kwargs)

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


def from_this_machine(request: HttpRequest | None) -> bool:
    """A proxy on this machine has a loopback address, too, but says that it forwards."""
    if request is None or any(header in request.META for header in FORWARDED):
        return False
    return demo.is_loopback(request.META.get("REMOTE_ADDR") or "")
