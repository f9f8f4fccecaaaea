"""What stands around every page: the workspace switcher, the banner of the demo model, and pages without a table."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, URLPattern, path, resolve, reverse
from django.views.decorators.http import require_POST

from llm_admin.admin import dashboard, feedback, gallery, retention
from llm_admin.admin.base import actor_of
from llm_admin.admin.health import health_page
from llm_admin.admin.help import help_page
from llm_admin.models import Workspace
from llm_admin.services import catalogue, models, workspaces
from llm_admin.tenancy import workspace_scope


def shell(request: HttpRequest) -> dict[str, Any]:
    """UNFOLD["GLOBAL_CALLBACK"]: what the templates in llm_admin/header/ need, on every page of the admin."""
    workspace: Workspace | None = getattr(request, "workspace", None)
    signed_in = request.user.is_authenticated
    return {
        "llm_workspace": workspace,
        "llm_workspaces": workspaces.choices_for(request.user) if workspace else [],
        "llm_no_workspace": signed_in and workspace is None,
        "llm_no_ai": workspace is not None and _no_ai(workspace),
        "llm_may_connect": workspace is not None and request.user.has_perm("llm_admin.add_connection"),
    }


def _no_ai(workspace: Workspace) -> bool:
    return catalogue.cached(("no_ai", workspace.pk), lambda: models.answers_come_from_no_ai(workspace))


def switch(request: HttpRequest) -> HttpResponse:
    """Raises NotFound for a workspace that is not theirs."""
    try:
        wanted = int(request.POST.get("id", ""))
    except ValueError:
        raise Http404 from None
    workspace = workspaces.switch(request.user, request.session, wanted)
    messages.info(request, f"You are now in the workspace “{workspace}”.")
    return redirect(_list_of(request, workspace))


def _list_of(request: HttpRequest, workspace: Workspace) -> str:
    """The list that the page `next` belongs to, if its rows may be seen over there; the home page otherwise.

    Never the page itself: its object belongs to the workspace that they left. So `next` is not redirected to, and may
    say what it likes.
    """
    home = reverse("admin:index")
    try:
        match = resolve(urlsplit(request.POST.get("next", "")).path)
    except (Resolver404, ValueError):
        return home
    model_admin = getattr(match.func, "model_admin", None)
    if model_admin is None:
        return home
    with workspace_scope(workspace):
        allowed = model_admin.has_view_or_change_permission(request)
    options = model_admin.opts
    return reverse(f"admin:{options.app_label}_{options.model_name}_changelist") if allowed else home


def settings_page(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require("change_workspace")
    return redirect("admin:llm_admin_workspace_change", actor.workspace.pk)


def extra_urls() -> list[URLPattern]:
    view = admin.site.admin_view
    return [
        path("help/", view(help_page), name="llm_admin_help"),
        path("health/", view(health_page), name="llm_admin_health"),
        *dashboard.urls(view),
        *gallery.urls(view),
        *feedback.urls(view),
        *retention.urls(view),
        path("workspace/settings/", view(settings_page), name="llm_admin_workspace_settings"),
        path("workspace/switch/", view(require_POST(switch)), name="llm_admin_workspace_switch"),
    ]


# unfold's hook for pages without a table.
admin.site.extra_urls = extra_urls  # type: ignore[attr-defined]
