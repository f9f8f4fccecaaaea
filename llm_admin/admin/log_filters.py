"""Filters of the log list. Their parameters are plain words (?status=failed&model=3), since links carry them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar, cast

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import F, Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from unfold.contrib.filters.admin import DropdownFilter

from llm_admin.choices import CallStatus, ErrorKind, RunSource
from llm_admin.models import LanguageModel, Membership, Prompt, Workflow
from llm_admin.templatetags.llm_format import exactly

HOUR = dt.timedelta(hours=1)
SPANS = {"1h": ("Last hour", HOUR), "24h": ("Last 24 hours", 24 * HOUR)} | {
    f"{days}d": (f"Last {days} days", dt.timedelta(days=days)) for days in (7, 30, 90)
}
UNFINISHED = "unfinished"


class WhenFilter(DropdownFilter):
    title = "time"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, label) for key, (label, _) in SPANS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in SPANS:
            return queryset
        return queryset.filter(created_at__gte=timezone.now() - SPANS[str(self.value())][1])


class SpanFilter(admin.ListFilter):
    """?since= and ?until= (ISO times), as links from numbers give them; shown only when given."""

    title = "exact time"
    template = "llm_admin/logs/_span_filter.html"
    names: ClassVar = ("since", "until")

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.names:
            if given := params.pop(name, None):
                self.used_parameters[name] = self._moment(given[-1])

    @staticmethod
    def _moment(text: str) -> dt.datetime:
        try:
            moment = parse_datetime(text)
        except ValueError:
            moment = None
        if moment is None:
            raise IncorrectLookupParameters(f"{text} is no time")
        return moment if timezone.is_aware(moment) else timezone.make_aware(moment)

    def expected_parameters(self) -> list[str | None]:
        return list(self.names)

    def has_output(self) -> bool:
        return bool(self.used_parameters)

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        moments = cast("dict[str, dt.datetime]", self.used_parameters)
        hidden = [(name, moment.isoformat(), exactly(moment)) for name, moment in moments.items()]
        yield {"given": hidden, "without": changelist.get_query_string(remove=list(self.names))}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        lookups = {"since": "created_at__gte", "until": "created_at__lt"}
        return queryset.filter(**{lookups[name]: moment for name, moment in self.used_parameters.items()})


class StatusFilter(DropdownFilter):
    title = "outcome"
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*CallStatus.choices, (UNFINISHED, "Stopped or interrupted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == UNFINISHED:
            return queryset.filter(status__in=(CallStatus.CANCELLED, CallStatus.INTERRUPTED))
        return queryset.filter(status=self.value()) if self.value() else queryset


class ErrorFilter(DropdownFilter):
    title = "kind of error"
    parameter_name = "error"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(ErrorKind.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(error_kind=self.value()) if self.value() else queryset


class SourceFilter(DropdownFilter):
    title = "source"
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(RunSource.choices)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(source=self.value()) if self.value() else queryset


class CostFilter(DropdownFilter):
    title = "cost"
    parameter_name = "cost"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("known", "Known"), ("unknown", "Unknown")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("known", "unknown"):
            return queryset
        return queryset.filter(cost_nano__isnull=self.value() == "unknown")


class CachedFilter(DropdownFilter):
    title = "cache"
    parameter_name = "cached"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Answered from the cache"), ("no", "The model was asked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(cached=self.value() == "yes") if self.value() in ("yes", "no") else queryset


class ReferenceFilter(DropdownFilter):
    """?prompt=ID: what the log names. An unknown or deleted one is no error: its logs are still there."""

    reference: type[Model]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        rows = self.reference._default_manager.order_by("name").values_list("pk", "name")
        known = [(str(pk), name) for pk, name in rows]
        value = self.value()
        return known if not value or value in dict(known) else [*known, (value, "Deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        if not str(value).isdecimal():
            raise IncorrectLookupParameters(f"{value} is no number")
        # filter(prompt_id=...) would make the list's join with prompts an inner one: logs of deleted ones would vanish.
        named = f"named_{self.parameter_name}"
        return queryset.alias(**{named: F(f"{self.parameter_name}_id")}).filter(**{named: value})


class PromptFilter(ReferenceFilter):
    title, parameter_name, reference = "prompt", "prompt", Prompt


class WorkflowFilter(ReferenceFilter):
    title, parameter_name, reference = "workflow", "workflow", Workflow


class ModelFilter(ReferenceFilter):
    title, parameter_name, reference = "model", "model", LanguageModel


class UserFilter(ReferenceFilter):
    title, parameter_name = "user", "user"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        rows = Membership.objects.order_by("user__username").values_list("user_id", "user__username")
        return [(str(pk), name) for pk, name in rows]
