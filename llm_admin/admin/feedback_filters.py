"""?feedback=up|down|none: which calls, or runs, somebody found good or bad."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import DropdownFilter

from llm_admin.models import InteractionFeedback

CHOICES = [("up", "Found good by somebody"), ("down", "Found bad by somebody"), ("none", "Nobody said anything")]


class FeedbackFilter(DropdownFilter):
    """Of calls."""

    title = "feedback"
    parameter_name = "feedback"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return CHOICES

    def given(self) -> QuerySet[InteractionFeedback]:
        return InteractionFeedback.objects.filter(log_id__isnull=False)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Few calls have any: their ids are read first, so that not every call is looked at."""
        if self.value() in ("up", "down"):
            return queryset.filter(pk__in=self.given().filter(value=self.value()).values("log_id"))
        if self.value() == "none":
            return queryset.filter(~Exists(self.given().filter(log_id=OuterRef("pk"))))
        return queryset


class RunFeedbackFilter(FeedbackFilter):
    """Of runs: of what they gave back, or of one of their calls."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        rows = InteractionFeedback.objects.filter(run_id__isnull=False)
        if self.value() in ("up", "down"):
            return queryset.filter(pk__in=rows.filter(value=self.value()).filter(_outcome()).values("run_id"))
        if self.value() == "none":
            return queryset.filter(~Exists(rows.filter(_outcome(), run_id=OuterRef("pk"))))
        return queryset


def _outcome() -> Q:
    """What a workflow's run gave back, or the one answer of a prompt's."""
    return Q(log_id__isnull=True) | Q(workflow_id__isnull=True)
