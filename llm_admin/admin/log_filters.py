"""The filters beside the log list: what can be chosen, and what is. admin/log_params.py reads what they put into the
address (?status=failed&model=3): plain words, since links carry them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import DropdownFilter

from llm_admin.admin.base import actor_of
from llm_admin.admin.feedback_filters import FeedbackFilter
from llm_admin.admin.log_params import SPANS, UNFINISHED, moment
from llm_admin.admin.quick_select import QuickForm
from llm_admin.choices import CallStatus, ErrorKind, RunSource
from llm_admin.models import (
    Connection,
    Deployment,
    LanguageModel,
    Membership,
    Prompt,
    PromptLabel,
    PromptVersion,
    Workflow,
    label_title,
)
from llm_admin.templatetags.llm_format import SYMBOLS, exactly
from llm_admin.tenancy import current_workspace


class Choice(DropdownFilter):
    """Only shown: the rows come from the whole address (admin/log_list.py)."""

    given: ClassVar[list[tuple[str, str]]] = []
    form_class = QuickForm

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        return list(self.given)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


class WhenFilter(Choice):
    title, parameter_name = "time", "when"
    given = [(key, label) for key, (label, _) in SPANS.items()]


class StatusFilter(Choice):
    title, parameter_name = "outcome", "status"
    given = [*CallStatus.choices, (UNFINISHED, "Stopped or interrupted")]


class ErrorFilter(Choice):
    title, parameter_name = "kind of error", "error"
    given = list(ErrorKind.choices)


class SourceFilter(Choice):
    title, parameter_name = "source", "source"
    given = list(RunSource.choices)


class CostFilter(Choice):
    title, parameter_name = "known cost", "cost"
    given = [("known", "Known"), ("unknown", "Unknown")]


class CachedFilter(Choice):
    title, parameter_name = "cache", "cached"
    given = [("yes", "Answered from the cache"), ("no", "The model was asked")]


class ReferenceFilter(Choice):
    """?prompt=ID: what the log names. An unknown or deleted one is no error: its logs are still there."""

    reference: type[Model]

    def rows(self) -> QuerySet[Any]:
        return self.reference._default_manager.order_by("name").values_list("pk", "name")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        known = [(str(pk), name) for pk, name in self.rows()]
        value = self.value()
        return known if not value or value in dict(known) else [*known, (value, "Deleted")]


class PromptFilter(ReferenceFilter):
    title, parameter_name, reference = "prompt", "prompt", Prompt


class WorkflowFilter(ReferenceFilter):
    title, parameter_name, reference = "workflow", "workflow", Workflow


class ModelFilter(ReferenceFilter):
    title, parameter_name, reference = "model", "model", LanguageModel


class DeploymentFilter(ReferenceFilter):
    """Offered where there is a choice, or one was made."""

    title, parameter_name = "place where the model runs", "deployment"

    def rows(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = Deployment.objects.select_related("model", "connection").order_by("model__name", "pk")
        return [(one.pk, f"{one.model}: {one}") for one in rows]  # type: ignore[return-value]


class ConnectionFilter(ReferenceFilter):
    """From the pages of connections; the connections' names are not everybody's to choose from."""

    title, parameter_name, reference = "connection", "connection", Connection

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        if not self.value():
            return []
        may = actor_of(request).may("view_connection")
        return super().lookups(request, model_admin) if may else [(self.value(), "Of one connection")]


class VersionFilter(ReferenceFilter):
    """Of the prompt that was chosen; without one there are too many to choose from."""

    title, parameter_name = "version", "version"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        prompt = request.GET.get("prompt", "")
        self.of_prompt = int(prompt) if prompt.isascii() and prompt.isdecimal() and len(prompt) < 19 else None
        return super().lookups(request, model_admin) if self.of_prompt or self.value() else []

    def rows(self) -> QuerySet[Any]:
        rows = PromptVersion.objects.order_by("-number")
        if self.of_prompt:
            found = rows.filter(prompt=self.of_prompt).values_list("pk", "number")
            return [(pk, f"v{number}") for pk, number in found[:500]]  # type: ignore[return-value]
        value = str(self.value())
        chosen = rows.filter(pk=value if value.isdecimal() and len(value) < 19 else 0).select_related("prompt")
        return [(one.pk, f"{one.prompt} v{one.number}") for one in chosen]  # type: ignore[return-value]


class LabelFilter(Choice):
    """The versions that a label is at now."""

    title, parameter_name = "label", "label"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        names = PromptLabel.objects.order_by("name").values_list("name", flat=True).distinct()
        return [(name, label_title(name)) for name in names]


class UserFilter(ReferenceFilter):
    title, parameter_name = "user", "user"

    def rows(self) -> QuerySet[Any]:
        return Membership.objects.order_by("user__username").values_list("user_id", "user__username")


class Given(admin.ListFilter):
    """Typed in: the names of its fields are in `names`."""

    names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.names:
            if given := params.pop(name, None):
                self.used_parameters[name] = given[-1].strip()

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


class SpanFilter(Given):
    """?since= and ?until=: as links from numbers give them, to the microsecond; or picked here, to the minute."""

    title = "exact time"
    template = "llm_admin/logs/_span_filter.html"
    names = ("since", "until")

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        hidden = []
        for name, text in self.used_parameters.items():
            if text:
                at = moment(str(text))
                hidden.append((name, timezone.localtime(at).isoformat(), exactly(at)))
        yield {"given": hidden, "without": changelist.get_query_string(remove=list(self.names))}


class RangeFilter(Given):
    template = "llm_admin/logs/_range_filter.html"
    parameter_name = ""
    unit = ""

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        ends = [
            (name, label, self.used_parameters.get(name, ""))
            for name, label in zip(self.names, ("from", "to"), strict=True)
        ]
        yield {"ends": ends, "unit": self.unit_shown()}

    def unit_shown(self) -> str:
        return self.unit


class LatencyFilter(RangeFilter):
    title, unit, names = "time it took", "seconds", ("latency_from", "latency_to")


class TokensFilter(RangeFilter):
    title, unit, names = "tokens in and out", "tokens", ("tokens_from", "tokens_to")


class CostRangeFilter(RangeFilter):
    title, names = "cost", ("cost_from", "cost_to")

    def unit_shown(self) -> str:
        workspace = current_workspace()
        currency = workspace.currency if workspace else "USD"
        return SYMBOLS.get(currency, currency)


class RunFilter(Given):
    title, names = "id of the run", ("run",)
    template = "llm_admin/logs/_text_filter.html"

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        yield {"name": "run", "value": self.used_parameters.get("run", "")}


ALL: list[Any] = [
    WhenFilter,
    SpanFilter,
    StatusFilter,
    ErrorFilter,
    ModelFilter,
    DeploymentFilter,
    ConnectionFilter,
    PromptFilter,
    VersionFilter,
    LabelFilter,
    WorkflowFilter,
    SourceFilter,
    CostRangeFilter,
    CostFilter,
    LatencyFilter,
    TokensFilter,
    CachedFilter,
    FeedbackFilter,
    RunFilter,
]
