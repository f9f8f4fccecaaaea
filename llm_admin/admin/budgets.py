from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from unfold.decorators import display

from llm_admin.admin import budget_deletion
from llm_admin.admin.base import ConsoleAdmin, ConsoleChangeList, actor_of
from llm_admin.admin.budget_cards import STATES, WHOSE, pace, whose
from llm_admin.admin.budget_forms import BudgetForm
from llm_admin.admin.budget_page import override_view, panel
from llm_admin.admin.forms import TwoButtons, without_links
from llm_admin.models import Budget, BudgetUse, Membership
from llm_admin.selectors import budgets as selector
from llm_admin.services import budgets
from llm_admin.services.budget_words import of_text

COUNTS = ("scope", "user", "group", "prompt", "workflow", "unit", "period")
LABELS = {"user": "Which person", "group": "Which group", "prompt": "Which prompt", "workflow": "Which workflow"}
STANDING = "standing"  # of each budget in the list
SETTINGS = ("amount", "levels", "owner", "enabled")


class StandingList(ConsoleChangeList):
    """All bars of a page in one query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        for one in selector.standings(list(self.result_list)):
            setattr(one.budget, STANDING, one)


@admin.register(Budget)
class BudgetAdmin(TwoButtons, ConsoleAdmin):
    list_display = ("shown_name", "used", "projection", "owner", "state")
    list_select_related = WHOSE
    list_display_links = ("shown_name",)
    search_fields = ("name",)
    sortable_by = ("shown_name",)
    actions = None
    list_before_template = "llm_admin/budgets/_intro.html"
    change_form_outer_before_template = "llm_admin/budgets/_panel.html"

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return StandingList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Budget]:
        return super().get_queryset(request).select_related("workspace", *WHOSE)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, form=BudgetForm, **kwargs)
        return type(form.__name__, (form,), {"workspace": actor_of(request).workspace})

    def get_fieldsets(self, request: HttpRequest, obj: Budget | None = None) -> Any:
        if obj is None:
            return (
                (None, {"fields": ("name",)}),
                ("What it counts", {"fields": COUNTS, "classes": ["llm-budget-counts"]}),
                ("How much", {"fields": SETTINGS}),
            )
        words = "What a budget counts stays as it is. To count something else, add another one."
        return (("Settings", {"fields": ("name", "counts", *SETTINGS), "description": words}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Budget | None = None) -> tuple[str, ...]:
        return ("counts",) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in ("user", "owner"):
            members = Membership.objects.values("user")
            kwargs["queryset"] = get_user_model()._default_manager.filter(pk__in=members).order_by("username")
        if db_field.name == "group":
            kwargs["queryset"] = budgets.groups()
        if db_field.name in LABELS:
            kwargs["label"] = LABELS[db_field.name]
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        return without_links(super().formfield_for_dbfield(db_field, request, **kwargs))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if (budget := kwargs.get("obj")) and budget.pk:
            context["panel"] = panel(request, Budget.objects.select_related(*WHOSE).get(pk=budget.pk))
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        budgets.save(obj, actor=actor_of(request))

    def response_add(self, request: HttpRequest, obj: Budget, post_url_continue: str | None = None) -> HttpResponse:
        words = f"“{obj}” counts from now on, with what was used in this period already."
        self.message_user(request, words, level="SUCCESS")
        return redirect("admin:llm_admin_budget_change", obj.pk)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What stays on record is said before anybody confirms; a form that was sent all the same is refused."""
        (budget,) = objs
        _, counts, lacking, _ = super().get_deleted_objects(objs, request)
        counts = {Budget._meta.verbose_name_plural: 1, "periods": counts.get(BudgetUse._meta.verbose_name_plural, 0)}
        stays = budget_deletion.stays(budget) if request.method == "GET" else []
        return budget_deletion.goes(budget), counts, lacking, stays

    def delete_model(self, request: HttpRequest, obj: Budget) -> None:
        budgets.delete(obj, actor=actor_of(request))

    def get_urls(self) -> list[URLPattern]:
        def override(request: HttpRequest, pk: int) -> HttpResponse:
            return override_view(request, self, pk)

        view = self.admin_site.admin_view(require_POST(override))
        return [path("<int:pk>/override/", view, name="llm_admin_budget_override"), *super().get_urls()]

    @display(description="name", ordering="name")
    def shown_name(self, obj: Budget) -> SafeString:
        counted = f"{whose(obj)}, {_within(obj.get_period_display())}"
        return format_html('{} <span class="llm-budget-whose">{}</span>', obj.name, counted)

    @display(description="used")
    def used(self, obj: Any) -> SafeString:
        one = obj.standing
        bar = '<progress class="llm-budget-bar llm-budget-{}" max="100" value="{}" aria-label="{} used"></progress>'
        words = format_html(
            '<span class="llm-budget-used">{}</span>', of_text(one.used, one.limit, obj.unit, obj.workspace)
        )
        return words + format_html(bar, one.state, min(100, one.percent), obj.name)

    @display(description="by the end of the period")
    def projection(self, obj: Any) -> str | None:
        return pace(obj.standing, obj.workspace) or None

    @display(description="state", label={"Enough left": "success", "Running short": "warning", "Used up": "danger"})
    def state(self, obj: Any) -> str:
        return STATES[obj.standing.state]

    @display(description="what it counts")
    def counts(self, obj: Budget) -> str:
        return f"{whose(obj)}: {_within(obj.get_unit_display())}, {_within(obj.get_period_display())}"


def _within(words: str) -> str:
    """As in the middle of a sentence: “A week, from Monday” -> “a week, from Monday”."""
    return words[:1].lower() + words[1:]
