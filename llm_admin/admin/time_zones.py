"""In which time zone somebody reads: their browser's, or the one that they chose."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from llm_admin.schemas.time_zones import PICKED_ZONE, known_zones

YEAR = 365 * 24 * 3600


def choose_zone(request: HttpRequest) -> HttpResponse:
    """POST zone=Europe/Berlin, or own=1 for the browser's own. Kept in a cookie of this browser."""
    wanted, back = request.POST.get("zone", "").strip(), request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
    answer = redirect(back if safe else reverse("admin:index"))
    if "own" in request.POST:
        answer.delete_cookie(PICKED_ZONE)
    elif wanted in known_zones():
        answer.set_cookie(PICKED_ZONE, wanted, max_age=YEAR, samesite="Lax", secure=request.is_secure())
    else:
        messages.error(request, f"“{wanted[:60]}” is no time zone. Choose one of the list, such as Europe/Berlin.")
    return answer
