"""`WorkflowActionsMixin`: gives any ModelAdmin of the project around us the action *Run a workflow…*."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth.forms import ReadOnlyPasswordHashField
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse

from llm_admin.admin.base import actor_of
from llm_admin.models import Batch
from llm_admin.services.host_rows import MOST_ROWS
from llm_admin.services.hosts import Host

ACTION = "llm_run_workflow"


class WorkflowActionsMixin(ModelAdmin):
    """Put it before ModelAdmin (Django's or unfold's). Nobody changes a row through it that they may not change here:
    `has_change_permission`, `get_queryset` and read-only fields are asked, and the admin's history is written.
    """

    def get_actions(self, request: HttpRequest) -> Any:
        actions: dict[str, Any] = super().get_actions(request)
        if self.actions is not None and IS_POPUP_VAR not in request.GET and may_run(self, request):
            actions[ACTION] = (_run_workflow, ACTION, "Run a workflow…")
        return actions

    def get_urls(self) -> list[URLPattern]:
        from llm_admin.admin import host_mapping, host_review

        def wrap(view: Any) -> Any:
            def bound(request: HttpRequest, **kwargs: Any) -> HttpResponse:
                return view(request, self, **kwargs)

            bound.model_admin = self  # type: ignore[attr-defined]
            return self.admin_site.admin_view(bound)

        return [
            path("workflow/", wrap(host_mapping.page), name=name_of(self, "workflow")),
            path("workflow/<uuid:pk>/", wrap(host_review.page), name=name_of(self, "workflow_review")),
            path("workflow/<uuid:pk>/progress/", wrap(host_review.progress), name=name_of(self, "workflow_progress")),
            path("workflow/<uuid:pk>/apply/", wrap(host_review.apply), name=name_of(self, "workflow_apply")),
            path("workflow/<uuid:pk>/undo/", wrap(host_review.undo), name=name_of(self, "workflow_undo")),
            *super().get_urls(),
        ]

    def save_workflow_changes(self, request: HttpRequest, obj: Model, fields: list[str]) -> None:
        """To be overridden by who needs more than this, such as who changed a row last."""
        obj.save(update_fields=fields)


def name_of(model_admin: Any, page: str) -> str:
    return f"{model_admin.opts.app_label}_{model_admin.opts.model_name}_{page}"


def address(model_admin: Any, page: str, *args: Any) -> str:
    return reverse(f"{model_admin.admin_site.name}:{name_of(model_admin, page)}", args=args)


def may_run(model_admin: Any, request: HttpRequest) -> bool:
    if getattr(request, "workspace", None) is None or not model_admin.has_change_permission(request):
        return False
    actor = actor_of(request)
    return actor.may("run_batch") and actor.may("run_workflow")


def _run_workflow(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
    """Shows the page that asks; it carries the rows' ids, so it changes nothing and holds nothing on the server."""
    from llm_admin.admin import host_mapping

    ids = [str(pk) for pk in queryset.values_list("pk", flat=True)[: MOST_ROWS + 1]]
    return host_mapping.first(model_admin, request, ids)


def host_of(model_admin: Any, request: HttpRequest, sample: Model | None = None) -> Host:
    """`sample`: a row that stands for all where a form must be asked which fields it has."""

    once: dict[str, set[str]] = {}

    def fields(obj: Model | None) -> set[str]:
        if _depends_on_row(model_admin):
            return editable(obj or sample)
        if "fields" not in once:  # the form is made of many parts: not for each of ten thousand rows
            once["fields"] = editable(obj or sample)
        return once["fields"]

    def editable(obj: Model | None) -> set[str]:
        form = model_admin.get_form(request, obj, change=True)
        readonly = set(model_admin.get_readonly_fields(request, obj))
        return {name for name, one in form.base_fields.items() if not one.disabled and name not in readonly}

    def readable() -> set[str]:
        form = model_admin.get_form(request, sample, change=True).base_fields
        names = {*flatten_fieldsets(model_admin.get_fieldsets(request, sample))}
        names |= {*model_admin.get_readonly_fields(request, sample), *model_admin.get_list_display(request)}
        return {n for n in names if isinstance(n, str) and not isinstance(form.get(n), ReadOnlyPasswordHashField)}

    return Host(
        model=model_admin.model,
        rows=lambda: model_admin.get_queryset(request),
        may_change=lambda obj: model_admin.has_change_permission(request, obj),
        fields=fields,
        readable=readable,
        log=lambda obj, words: model_admin.log_change(request, obj, words),
        save=lambda obj, names: model_admin.save_workflow_changes(request, obj, names),
    )


def _depends_on_row(model_admin: Any) -> bool:
    """Whether the host has said itself which fields there are."""
    asked = ("get_form", "get_fields", "get_fieldsets", "get_exclude", "get_readonly_fields", "has_change_permission")
    homes = (getattr(type(model_admin), name).__module__ for name in asked)
    return any(home.partition(".")[0] not in ("django", "unfold") for home in homes)


def review_url(batch: Batch, site: str = "admin") -> str:
    """Where the proposals of a batch on a table are reviewed; "" when that table's admin has no such page."""
    kind = batch.content_type
    if kind is None:
        return ""
    try:
        return reverse(f"{site}:{kind.app_label}_{kind.model}_workflow_review", args=[batch.pk])
    except NoReverseMatch:
        return ""
