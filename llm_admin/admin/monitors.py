from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import URLPattern
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import display

from llm_admin.admin import monitor_page
from llm_admin.admin.base import ConsoleAdmin, actor_of
from llm_admin.admin.forms import TwoButtons, without_links
from llm_admin.admin.monitor_cards import RANK, card
from llm_admin.admin.monitor_forms import MonitorForm, members
from llm_admin.models import Monitor, MonitorDelivery, MonitorEvent
from llm_admin.selectors import monitors as selector
from llm_admin.services import monitor_watch, monitors
from llm_admin.services.monitor_words import sentence
from llm_admin.templatetags.llm_format import ago

WATCHES = ("measure", ("window", "direction"), ("alarm_level", "warn_level"))
ONLY = (("prompt", "version_number"), ("workflow", "model"), ("deployment", "user"), "source")
JUDGES = (("min_calls", "in_a_row"), "no_data")
TELLS = ("people", "addresses_typed", "webhook", "webhook_kind")
WHEN = (("remind_hours", "tell_recovery"), "note")


@admin.register(Monitor)
class MonitorAdmin(TwoButtons, ConsoleAdmin):
    list_display = ("shown_name", "state_shown", "now", "since_shown", "owner")
    list_display_links = ("shown_name",)
    list_select_related = selector.RELATED
    list_filter = ("state", "enabled")
    search_fields = ("name", "note")
    sortable_by = ()
    actions = None
    list_before_template = "llm_admin/monitors/_intro.html"
    change_form_outer_before_template = "llm_admin/monitors/_panel.html"
    change_form_before_template = "llm_admin/monitors/_preview.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Monitor]:
        ranks = [When(enabled=True, state=state, then=Value(rank)) for state, rank in RANK.items()]
        rank = Case(*ranks, default=Value(9), output_field=IntegerField())
        return monitors.visible(actor=actor_of(request)).select_related(*selector.RELATED).annotate(rank=rank)

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("rank", "name")

    def form_class(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, form=MonitorForm, **kwargs)
        return type(form.__name__, (form,), {"workspace": actor_of(request).workspace})

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return self.form_class(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Monitor | None = None) -> Any:
        if obj is not None and not self.has_change_permission(request, obj):
            return ((None, {"fields": ("watches", "to_do", "asked")}),)
        tells = (*TELLS, "remove_webhook") if obj and obj.webhook_url else TELLS
        only = "Empty: all calls of the workspace. Choose several to narrow it down further."
        return (
            (None, {"fields": ("name",)}),
            ("What it watches", {"fields": WATCHES}),
            ("Only some calls", {"fields": ONLY, "description": only}),
            ("When it judges", {"fields": JUDGES}),
            ("Whom it tells", {"fields": tells}),
            ("What it says, and how often", {"fields": WHEN}),
            (None, {"fields": ("owner", "enabled")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Monitor | None = None) -> tuple[str, ...]:
        return ("watches", "to_do", "asked") if obj is not None and not self.has_change_permission(request, obj) else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("user", "owner"):
            kwargs["queryset"] = members()
        if db_field.name == "user":
            kwargs["label"] = "Person"
        if db_field.name == "deployment":
            kwargs["label"] = "Place where it runs"
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return without_links(super().formfield_for_dbfield(db_field, request, **kwargs))

    @method_decorator(sensitive_post_parameters("webhook"))
    def changeform_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(*args, **kwargs)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if (monitor := kwargs.get("obj")) and monitor.pk:
            stored = Monitor.objects.select_related(*selector.RELATED).get(pk=monitor.pk)
            context["panel"] = monitor_page.panel(request, stored)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        actor = actor_of(request)
        monitors.save(obj, actor=actor, **form.more())
        if obj.enabled:
            monitor_watch.look_now(obj, actor=actor)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The service stored the people with the rest."""

    def response_add(self, request: HttpRequest, obj: Monitor, post_url_continue: str | None = None) -> HttpResponse:
        words = f"“{obj}” watches from now on. Send a test to see that its messages arrive."
        self.message_user(request, words, level="SUCCESS")
        return redirect("admin:llm_admin_monitor_change", obj.pk)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with it is counted: its history may be long, and nobody reads it here."""
        (monitor,) = objs
        *_, lacking, stays = super().get_deleted_objects(objs, request)
        history = MonitorEvent.objects.filter(monitor=monitor).count()
        sent = MonitorDelivery.objects.filter(monitor=monitor).count()
        counts = {"monitors": 1, "lines of its history": history, "messages": sent}
        named = [f"Monitor: {monitor}", [f"{sentence(monitor, monitor.workspace)}."]]
        return named, counts, lacking, stays

    def delete_model(self, request: HttpRequest, obj: Monitor) -> None:
        monitors.delete(obj, actor=actor_of(request))

    def get_urls(self) -> list[URLPattern]:
        return [*monitor_page.urls(self.admin_site.admin_view, self.form_class), *super().get_urls()]

    @display(description="name")
    def shown_name(self, obj: Monitor) -> SafeString:
        words = sentence(obj, obj.workspace)
        return format_html('{} <span class="llm-monitor-sentence">{}</span>', obj.name, words)

    @display(description="state")
    def state_shown(self, obj: Monitor) -> str:
        return render_to_string("llm_admin/monitors/_state.html", {"card": card(obj, obj.workspace)})

    @display(description="now", empty_value="not yet known")
    def now(self, obj: Monitor) -> str | None:
        return card(obj, obj.workspace).value or None

    @display(description="since")
    def since_shown(self, obj: Monitor) -> str | None:
        return ago(obj.since) if obj.since else None

    @display(description="what it watches")
    def watches(self, obj: Monitor) -> str:
        return sentence(obj, obj.workspace)

    @display(description="what to do", empty_value="Nothing is written down")
    def to_do(self, obj: Monitor) -> str | None:
        return obj.note or None

    @display(description="owner", empty_value="Nobody")
    def asked(self, obj: Monitor) -> str | None:
        """Without the link to an account, which is for superusers."""
        return str(obj.owner) if obj.owner else None
