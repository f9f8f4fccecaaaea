"""What machines ask: is this process alive, and can it serve? Without a login, and without details."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from llm_admin.services import health


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
