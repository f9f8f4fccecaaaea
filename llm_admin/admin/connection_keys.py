"""“Replace the key…”: the new key is tried first, and nothing of it ever comes back in a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from llm_admin.admin.base import actor_of, find_or_404
from llm_admin.exceptions import InvalidInput
from llm_admin.models import Connection
from llm_admin.services import connection_keys
from llm_admin.services.connection_keys import KeyRefused

if TYPE_CHECKING:
    from unfold.admin import ModelAdmin


@sensitive_post_parameters("key")
@require_http_methods(["GET", "POST"])
def replace_key(request: HttpRequest, pk: int, *, model_admin: ModelAdmin) -> HttpResponse:
    connection: Connection = find_or_404(request, Connection, pk)
    if not model_admin.has_change_permission(request, connection):
        raise PermissionDenied
    if request.method == "GET":
        return _page(model_admin, request, connection)
    sent = request.POST
    try:
        trial = connection_keys.replace(
            connection, actor=actor_of(request), key=sent.get("key", ""), anyway="anyway" in sent
        )
    except KeyRefused as refused:
        return _page(model_admin, request, connection, status=422, refused=refused.trial)
    except InvalidInput as error:
        return _page(model_admin, request, connection, status=422, problem=error.problems[0].message)
    if trial.problem:
        messages.warning(request, f"The key of “{connection}” is replaced, but does not work yet. {trial.problem}")
    else:
        messages.success(request, f"The key of “{connection}” is replaced, and the new one works.")
    return redirect("admin:llm_admin_connection_change", pk)


def _page(
    model_admin: ModelAdmin, request: HttpRequest, connection: Connection, *, status: int = 200, **more: Any
) -> HttpResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": f"Replace the key of “{connection}”",
        "original": connection,
        "connection": connection,
        **more,
    }
    template = "llm_admin/connections/key.html"
    return TemplateResponse(request, template, context, status=status, headers={"Cache-Control": "no-store"})
