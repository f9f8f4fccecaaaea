"""The templates gallery: ready workflows, copied in one click."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_GET, require_POST

from llm_admin.admin.base import actor_of
from llm_admin.services import gallery


def urls(wrap: Any) -> list[URLPattern]:
    return [
        path("gallery/", wrap(page), name="llm_admin_gallery"),
        path("gallery/<slug:slug>/use/", wrap(use), name="llm_admin_gallery_use"),
    ]


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    actor.require("view_workflow")
    context = {
        **admin.site.each_context(request),
        "title": "Templates",
        "templates": gallery.templates(),
        "may_use": actor.may("add_workflow") and actor.may("add_prompt"),
    }
    return TemplateResponse(request, "llm_admin/gallery/page.html", context)


@require_POST
def use(request: HttpRequest, slug: str) -> HttpResponse:
    """Raises NotFound for a template that there is not."""
    made = gallery.use(slug, actor=actor_of(request))
    messages.success(request, f"“{made}” is yours now. Its run form is filled with an example: press Run.")
    return redirect("admin:llm_admin_workflow_change", made.pk)
