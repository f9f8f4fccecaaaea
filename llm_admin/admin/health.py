from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from llm_admin.admin.base import actor_of
from llm_admin.services import health
from llm_admin.services.health import State


@require_safe
def health_page(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require("view_health")
    checks = health.run(workspace=actor.workspace)
    broken = sum(one.finding.state == State.BROKEN for one in checks)
    look = sum(one.finding.state == State.LOOK for one in checks)
    context = {**admin.site.each_context(request), "title": "Health", "checks": checks, "broken": broken, "look": look}
    return TemplateResponse(request, "llm_admin/health/page.html", context, headers={"Cache-Control": "no-store"})
