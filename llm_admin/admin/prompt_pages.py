"""Small pages about one prompt: a form or a question, and the way back to its studio."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from llm_admin.exceptions import InvalidInput
from llm_admin.models import Prompt


def answer(
    request: HttpRequest, prompt: Prompt, name: str, context: dict[str, Any], *, status: int = 0
) -> HttpResponse:
    """`context["problems"]`, by field, makes it a 422."""
    context = {
        **admin.site.each_context(request),
        "opts": Prompt._meta,
        "original": prompt,
        "prompt": prompt,
        "back": reverse("admin:llm_admin_prompt_change", args=[prompt.pk]),
        **context,
    }
    status = status or (422 if context.get("problems") else 200)
    return TemplateResponse(request, f"llm_admin/order/{name}.html", context, status=status)


def place_of(error: InvalidInput, otherwise: str) -> dict[str, str]:
    """A sentence for each field; what belongs to no field of ours stands at `otherwise`."""
    return {str(p.location[0]) if p.location else otherwise: p.message for p in error.problems}
