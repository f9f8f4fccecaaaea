"""The workspace and the reader's time zone around every request; the one place where exceptions become answers."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from llm_admin.exceptions import (
    Conflict,
    ConsoleError,
    Elsewhere,
    InvalidInput,
    NotFound,
    PermissionRefused,
    ShuttingDown,
)
from llm_admin.schemas.time_zones import BROWSER_ZONE, PICKED_ZONE, known_zones
from llm_admin.services import workspaces
from llm_admin.tenancy import workspace_scope

STATUS = {InvalidInput: 422, PermissionRefused: 403, NotFound: 404, Conflict: 409, ShuttingDown: 503}
PROBES = ("/healthz", "/readyz")  # asked by machines, also when there is no database to find a user in


class TimeZoneMiddleware:
    """The reader's time zone around every request: the one they chose, or their browser's, or settings.TIME_ZONE."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = [request.COOKIES.get(name, "") for name in (PICKED_ZONE, BROWSER_ZONE)]
        zone = next((name for name in given if name in known_zones()), None)
        if zone is None:
            return self.get_response(request)
        with timezone.override(zoneinfo.ZoneInfo(zone)):
            return self.get_response(request)


class WorkspaceMiddleware:
    """Without a workspace (no membership at all) no scope opens, and every tenant table refuses to answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.workspace = None  # type: ignore[attr-defined]
        if request.path_info in PROBES or not request.user.is_authenticated:
            return self.get_response(request)
        workspace = workspaces.current_for(request.user, request.session)
        if workspace is None:
            return self.get_response(request)
        request.workspace = workspace  # type: ignore[attr-defined]
        with workspace_scope(workspace):
            return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """No text that a database holds has NUL in it, and PostgreSQL does not even search for one."""
        if "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("The address holds a NUL character.")

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, Elsewhere):
            workspace = workspaces.switch(request.user, request.session, exception.workspace_id)
            messages.info(request, f"You are now in the workspace “{workspace}”.")
            return redirect(request.get_full_path())
        if isinstance(exception, ConsoleError):
            return answer(request, exception)
        return None


def answer(request: HttpRequest, error: ConsoleError) -> HttpResponse:
    """A fragment for htmx, a page otherwise; 4xx with the sentence and each problem's place."""
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), 400)
    fragment = bool(getattr(request, "htmx", False))
    template = "llm_admin/errors/_problems.html" if fragment else "llm_admin/errors/page.html"
    context = {"error": error, "problems": getattr(error, "problems", []), "title": "This did not work"}
    return render(request, template, context, status=status)
