from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from llm_admin.admin.base import ConsoleAdmin, actor_of, find_or_404
from llm_admin.admin.connection_keys import replace_key
from llm_admin.admin.forms import TwoButtons, add_problems
from llm_admin.models import Connection, Deployment
from llm_admin.services import connection_trial, connections


class ConnectionForm(forms.ModelForm):
    """`key` is write-only: no page ever contains it."""

    provider = forms.ChoiceField(label="Kind", widget=UnfoldAdminSelectWidget)
    # Not a URLField: that one refuses http://ollama:11434, as servers are called inside a Docker network.
    base_url = forms.CharField(
        label="Base URL",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget({"inputmode": "url", "placeholder": "http://localhost:11434/v1"}),
        help_text="Only for a server of your own or another OpenAI-compatible one. Empty: the provider's own address.",
    )
    key = forms.CharField(
        required=False,
        max_length=2000,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
        help_text="It is stored encrypted and never shown again.",
    )
    remove_key = forms.BooleanField(label="Remove the stored key", required=False, widget=UnfoldBooleanSwitchWidget)

    class Meta:
        model = Connection
        fields = ("name", "provider", "base_url", "api_key_env")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "provider" not in self.fields:  # somebody who may only look
            return
        self.fields["provider"].choices = connections.provider_choices()  # type: ignore[attr-defined]
        if self.instance.pk and self.instance.api_key:
            self.fields["key"].help_text = "A key is stored. Leave this empty to keep it."
        else:
            del self.fields["remove_key"]

    def _get_validation_exclusions(self) -> set[str]:
        return {*super()._get_validation_exclusions(), "base_url"}  # type: ignore[misc]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if not self.errors:
            add_problems(self, connections.check(self.instance, **self.key_values()))

    def key_values(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {"key": data.get("key") or "", "remove_key": bool(data.get("remove_key"))}


@admin.register(Connection)
class ConnectionAdmin(TwoButtons, ConsoleAdmin):
    form = ConnectionForm
    list_display = ("name", "kind", "address", "key_source", "health", "models")
    search_fields = ("name", "base_url")
    actions = None
    change_form_outer_after_template = "llm_admin/connections/_test.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Connection]:
        runs_here = Deployment.objects.select_related("model").order_by("model__name")
        rows = super().get_queryset(request).annotate(has_key=Q(api_key__isnull=False))
        return rows.prefetch_related(Prefetch("deployments", queryset=runs_here))

    def get_fieldsets(self, request: HttpRequest, obj: Connection | None = None) -> Any:
        key_fields = ["key", "api_key_env"]
        if obj and obj.api_key:
            key_fields.insert(1, "remove_key")
        intro = "Give a key, or the name of an environment variable of this server that holds it."
        return (
            (None, {"fields": ("name", "provider", "base_url")}),
            ("Key", {"fields": key_fields, "description": intro}),
        )

    @method_decorator(sensitive_post_parameters("key"))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(*args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        connections.save(obj, actor=actor_of(request), **form.key_values())
        if missing := connections.missing_variable(obj):
            self.message_user(request, missing, level="WARNING")

    def response_add(self, request: HttpRequest, obj: Connection, post_url_continue: str | None = None) -> HttpResponse:
        self.message_user(request, f"“{obj}” is saved. Test it below, then make a model that uses it.", level="SUCCESS")
        return redirect("admin:llm_admin_connection_change", obj.pk)

    def delete_model(self, request: HttpRequest, obj: Connection) -> None:
        connections.delete(obj, actor=actor_of(request))

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(require_POST(self.test_view))
        key = self.admin_site.admin_view(partial(replace_key, model_admin=self))
        return [
            path("<int:pk>/test/", test, name="llm_admin_connection_test"),
            path("<int:pk>/key/", key, name="llm_admin_connection_key"),
            *super().get_urls(),
        ]

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A fragment for htmx; without JavaScript a message on the connection's page."""
        actor = actor_of(request)
        connection = find_or_404(request, Connection, pk)
        result = connection_trial.try_out(connection, actor=actor)
        if getattr(request, "htmx", False):
            connection.refresh_from_db(fields=("healthy", "checked_at", "check_ms", "problem"))
            return render(request, "llm_admin/connections/_result.html", {"result": result, "connection": connection})
        self.message_user(request, result.in_words(), level="ERROR" if result.problem else "SUCCESS")
        return redirect("admin:llm_admin_connection_change", pk)

    @display(description="kind")
    def kind(self, obj: Connection) -> str:
        return connections.provider_label(obj.provider)

    @display(description="address", empty_value="The provider's own")
    def address(self, obj: Connection) -> str | None:
        return obj.base_url or None

    @display(description="key")
    def key_source(self, obj: Any) -> str:
        if obj.api_key_env:
            return f"Variable {obj.api_key_env}"
        return "Stored here" if obj.has_key else "None"

    @display(description="health")
    def health(self, obj: Connection) -> str:
        return render_to_string("llm_admin/connections/_health.html", {"connection": obj})

    @display(description="used by", empty_value="No model yet")
    def models(self, obj: Any) -> str | None:
        return ", ".join(dict.fromkeys(one.model.name for one in obj.deployments.all())) or None
