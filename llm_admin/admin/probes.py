"""What machines ask: is this process alive, and can it serve? Without a login, and without details. And /metrics."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from llm_admin.admin.base import actor_of
from llm_admin.conf import settings
from llm_admin.models import Workspace
from llm_admin.services import health, metrics


@never_cache
@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """Always 200, without any look at the database: a process that answers is not to be killed."""
    return HttpResponse("alive\n", content_type="text/plain")


@never_cache
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """503 until the database, its migrations and the cache can be used, and when the server is about to stop."""
    checks = health.ready()
    good = all(checks.values())
    return JsonResponse({"ready": good, "checks": checks}, status=200 if good else 503)


@never_cache
@require_safe
def metrics_page(request: HttpRequest) -> HttpResponse:
    """All workspaces for who has the token, and for superusers; operators see their own."""
    given = request.headers.get("Authorization", "")
    if not given and request.user.is_authenticated:
        return _metrics(_workspace_of(request))
    token = settings().METRICS_TOKEN
    if token and constant_time_compare(given, f"Bearer {token}"):
        return _metrics(None)
    words = "Send METRICS_TOKEN as a bearer token, or sign in as an operator.\n"
    return HttpResponse(words, status=401, content_type="text/plain", headers={"WWW-Authenticate": "Bearer"})


def _workspace_of(request: HttpRequest) -> Workspace | None:
    if request.user.is_active and request.user.is_superuser:
        return None
    actor = actor_of(request)
    actor.require("view_health")
    return actor.workspace


def _metrics(workspace: Workspace | None) -> HttpResponse:
    return HttpResponse(metrics.exposition(workspace=workspace), content_type=metrics.CONTENT_TYPE)
