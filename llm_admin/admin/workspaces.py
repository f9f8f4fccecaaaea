from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminRadioSelectWidget

from llm_admin.admin.base import ConsoleAdmin, actor_of
from llm_admin.admin.forms import TwoButtons, add_problems, without_links
from llm_admin.choices import CacheAnswers, StoreTexts
from llm_admin.models import LanguageModel, Workspace
from llm_admin.services import answers, workspace_settings, workspaces

CACHE_CHOICES = [  # short enough for a phone
    (CacheAnswers.NEVER.value, "Never"),
    (CacheAnswers.DETERMINISTIC.value, "At temperature 0"),
    (CacheAnswers.ALWAYS.value, "Always"),
]


class SettingsForm(forms.ModelForm):
    store_texts = forms.ChoiceField(
        label="What is kept of texts",
        choices=StoreTexts.choices,
        widget=UnfoldAdminRadioSelectWidget,
        help_text="Applies to runs from now on. Numbers (time, tokens, cost) are always kept.",
    )

    cache_answers = forms.ChoiceField(
        label="Answers from the cache",
        choices=CACHE_CHOICES,
        widget=UnfoldAdminRadioSelectWidget,
        help_text="At temperature 0 models answer (nearly) the same each time. An answer that is given again costs "
        "nothing and is marked. A prompt's settings may say otherwise. Where no texts are kept, no answers are.",
    )

    class Meta:
        model = Workspace
        fields = ("name",)  # the admin adds the rest: a picker cannot be made outside of a workspace

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["currency_rate"] = f"{self.instance.currency_rate.normalize():f}"

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        add_problems(self, workspace_settings.check(self.instance))


class NewWorkspaceForm(forms.ModelForm):
    class Meta:
        model = Workspace
        fields = ("name", "slug")
        help_texts = {"slug": "The short name for the command line (--workspace). It stays as it is."}
        labels = {"slug": "short name"}


@require_POST
def empty_cache(request: HttpRequest, pk: int) -> HttpResponse:
    answers.empty(pk, actor=actor_of(request))
    messages.success(request, "The cache is empty. From now on models are asked again.")
    return redirect("admin:llm_admin_workspace_settings")


@admin.register(Workspace)
class WorkspaceAdmin(TwoButtons, ConsoleAdmin):
    """Only the current workspace exists here; superusers cross by switching in the header."""

    show_add_link = False
    change_form_outer_after_template = "llm_admin/workspaces/_new.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(empty_cache)
        return [path("<int:pk>/empty-cache/", view, name="llm_admin_workspace_empty_cache"), *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        return super().get_queryset(request).filter(pk=actor_of(request).workspace.pk)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return super(ConsoleAdmin, self).get_object(request, object_id, from_field)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, form=SettingsForm if obj else NewWorkspaceForm, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Workspace | None = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("name", "slug")}),)
        return (
            (None, {"fields": ("name", "default_model", "store_texts")}),
            ("Cache", {"fields": ("cache_answers", "cache_hours")}),
            ("Currency", {"fields": ("currency", "currency_rate")}),
            ("Publishing", {"fields": ("protected_labels",)}),
            ("Limits", {"fields": ("calls_per_minute",)}),
            ("How long things are kept", {"fields": ("keep_texts_days", "keep_logs_days")}),
        )

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"slug": ("name",)}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "default_model":
            kwargs["queryset"] = LanguageModel.objects.filter(enabled=True)
            kwargs["empty_label"] = "None: every prompt names its own"
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return without_links(super().formfield_for_dbfield(db_field, request, **kwargs))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return redirect("admin:llm_admin_workspace_settings")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            workspace_settings.change(obj, actor=actor_of(request))
            return
        made = workspace_settings.create(user=request.user, slug=obj.slug, name=obj.name)
        obj.__dict__.update(made.__dict__)
        workspaces.switch(request.user, request.session, made.pk)

    def response_add(self, request: HttpRequest, obj: Workspace, post_url_continue: str | None = None) -> HttpResponse:
        self.message_user(request, f"The workspace “{obj}” is ready, and you are in it now.", level="SUCCESS")
        return redirect("admin:llm_admin_workspace_settings")

    def response_change(self, request: HttpRequest, obj: Workspace) -> HttpResponse:
        self.message_user(request, "Saved. It applies from now on.", level="SUCCESS")
        return redirect("admin:llm_admin_workspace_settings")
