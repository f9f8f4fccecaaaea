from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import display

from llm_admin.admin.base import ConsoleAdmin, actor_of
from llm_admin.admin.forms import TwoButtons, add_problems, without_links
from llm_admin.admin.prices import price_urls, prices_of
from llm_admin.admin.repricing import reprice_urls
from llm_admin.models import Deployment, LanguageModel
from llm_admin.services import models, prices, routing_words
from llm_admin.templatetags.llm_format import UNKNOWN


class LanguageModelForm(forms.ModelForm):
    class Meta:
        model = LanguageModel
        fields = ("name", "alias", "description", "enabled")

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        add_problems(self, models.check(self.instance))


class DeploymentFormSet(forms.BaseInlineFormSet):
    default_error_messages = {
        "too_few_forms": "Say where it runs: choose a connection and give the provider's name of the model."
    }

    def clean(self) -> None:
        super().clean()
        for form in self.deleted_forms:
            if form.instance.pk and (problem := models.undeletable(form.instance)):
                raise forms.ValidationError(problem)


class DeploymentInline(TabularInline):
    model = Deployment
    formset = DeploymentFormSet
    fields = (
        "connection",
        "provider_model",
        "priority",
        "weight",
        "requests_per_minute",
        "tokens_per_minute",
        "max_concurrency",
        "enabled",
    )
    extra = 0
    min_num = 1
    hide_title = True
    verbose_name = "place"
    verbose_name_plural = "Where it runs"

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        return super().get_formset(request, obj, validate_min=True, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = without_links(super().formfield_for_dbfield(db_field, request, **kwargs))
        if field:
            field.widget.attrs["aria-label"] = field.label  # the table's header is no label to a screen reader
        return field


@admin.register(LanguageModel)
class LanguageModelAdmin(TwoButtons, ConsoleAdmin):
    form = LanguageModelForm
    list_display = ("name", "alias", "where", "price", "state")
    search_fields = ("name", "alias", "description")
    actions = None
    inlines = (DeploymentInline,)
    change_form_outer_after_template = "llm_admin/models/_prices.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[LanguageModel]:
        deployments = Deployment.objects.select_related("connection").prefetch_related("prices")
        return (
            super()
            .get_queryset(request)
            .annotate(is_default=Q(workspace__default_model=F("pk")))
            .prefetch_related(Prefetch("deployments", queryset=deployments))
        )

    def get_fieldsets(self, request: HttpRequest, obj: LanguageModel | None = None) -> Any:
        fields: tuple[str, ...] = ("name", "alias", "description", "enabled")
        if obj and not self.has_change_permission(request):
            fields = (*fields, "where", "price")
        return ((None, {"fields": fields}),)

    def get_readonly_fields(self, request: HttpRequest, obj: LanguageModel | None = None) -> tuple[str, ...]:
        return ("alias", "where", "price") if obj else ()

    def get_urls(self) -> list[URLPattern]:
        return [*price_urls(self), *reprice_urls(self), *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        obj = kwargs.get("obj")
        if obj and obj.pk:
            places = list(prices.with_prices(Deployment.objects.filter(model=obj)))
            context["routing_words"] = routing_words.sentences(places)
            if request.user.has_perm("llm_admin.view_deploymentprice"):
                context["deployments"] = [prices_of(one) for one in places]
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        models.save(obj, actor=actor_of(request))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        actor = actor_of(request)
        changed = formset.save(commit=False)
        for deployment in formset.deleted_objects:
            models.delete_deployment(deployment, actor=actor)
        for deployment in changed:
            models.save_deployment(deployment, actor=actor)

    def delete_model(self, request: HttpRequest, obj: LanguageModel) -> None:
        models.delete(obj, actor=actor_of(request))

    @display(description="where it runs")
    def where(self, obj: LanguageModel) -> SafeString | str:
        """The first place, and what stands behind it."""
        active = [one for one in obj.deployments.all() if one.enabled]
        if not active:
            return "Nowhere yet"
        first, *others = sorted(active, key=lambda one: (one.priority, one.pk))
        shared = [one for one in others if one.priority == first.priority]
        more = [("with", shared), ("then", [one for one in others if one not in shared])]
        behind = "; ".join(f"{word} {', '.join(map(routing_words.name, some))}" for word, some in more if some)
        place = format_html("{} <small>on {}</small>", first.provider_model, first.connection.name)
        return format_html("{}<br><small>{}</small>", place, behind) if behind else place

    @display(description="price per million tokens")
    def price(self, obj: LanguageModel) -> str:
        first = models.first_deployment(obj)
        now = prices.current(first) if first else None
        return prices.text(now) if now else UNKNOWN

    @display(description="state", label={"Default": "success", "Off": "warning"})
    def state(self, obj: Any) -> str:
        if obj.is_default:
            return "Default"
        return "On" if obj.enabled else "Off"
