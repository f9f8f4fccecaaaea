"""What people thought of answers, counted. Calls that were removed meanwhile still count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Count, Q

from llm_admin.choices import FeedbackValue
from llm_admin.models import InteractionFeedback, InteractionLog, Run, Workflow
from llm_admin.selectors.usage import UsageFilter

# What numbers are filtered by: the name there, and the column here.
FILTERED = {
    "model": "model_id",
    "deployment": "deployment_id",
    "prompt": "prompt_id",
    "version": "prompt_version_id",
    "workflow": "workflow_id",
    "source": "source",
    "user": "caller_id",
    "status": "status",
    "error": "error_kind",
    "cached": "cached",
}


@dataclass(frozen=True)
class Counted:
    up: int = 0
    down: int = 0

    @property
    def all(self) -> int:
        return self.up + self.down

    @property
    def share_up(self) -> float | None:
        """None: nobody said anything."""
        return self.up / self.all if self.all else None


def counts(version_ids: Iterable[int], *, column: str = "prompt_version") -> dict[int, Counted]:
    """By version id; `column` is "workflow_version" for workflows. Versions without any are not in it."""
    rows = InteractionFeedback.objects.filter(**{f"{column}__in": list(version_ids)}).order_by()
    found: dict[int, Counted] = defaultdict(Counted)
    for version, value, many in rows.values_list(f"{column}_id", "value").annotate(Count("pk")):
        found[version] = replace(found[version], **{value: many})
    return dict(found)


def of_versions(document: Any, versions: Iterable[Any]) -> dict[int, Counted]:
    """Of a prompt: of its calls. Of a workflow: of what its runs gave back."""
    column = "workflow_version" if isinstance(document, Workflow) else "prompt_version"
    return counts([version.pk for version in versions if version is not None], column=column)


def said(document: Any, *versions: Any) -> list[tuple[Any, Counted]]:
    """Of each version that anybody said anything about, in this order."""
    counted = of_versions(document, versions)
    return [(one, counted[one.pk]) for one in dict.fromkeys(versions) if one is not None and one.pk in counted]


def counts_between(usage_filter: UsageFilter) -> Counted:
    """Of the calls that the filter counts (by when they began), and of workflow runs that fit it."""
    given = {
        f"{FILTERED[name]}__in" if isinstance(value, tuple) else FILTERED[name]: value
        for name, value in usage_filter.given().items()
    }
    rows = InteractionFeedback.objects.filter(
        answered_at__gte=usage_filter.since, answered_at__lt=usage_filter.until, **given
    )
    return Counted(**dict(rows.order_by().values_list("value").annotate(Count("pk"))))


@dataclass(frozen=True)
class Given:
    """Of one answer: one's own, and what others said."""

    own: InteractionFeedback | None = None
    others: tuple[InteractionFeedback, ...] = ()

    @property
    def counted(self) -> Counted:
        values = [one.value for one in self.others]
        return Counted(values.count(FeedbackValue.UP), values.count(FeedbackValue.DOWN))


Key = tuple[int | None, Any]


def key_of(subject: InteractionLog | Run) -> Key:
    return (subject.pk, None) if isinstance(subject, InteractionLog) else (None, subject.pk)


def given(user: Any, *, runs: Iterable[Any] = (), logs: Iterable[int] = ()) -> dict[Key, Given]:
    """By (log id, None), or (None, run id) for a run's outcome: one query for all answers of some runs, and of logs."""
    runs, logs = list(runs), list(logs)
    if not (runs or logs):
        return {}
    rows = InteractionFeedback.objects.filter(Q(run_id__in=runs) | Q(log_id__in=logs))
    found: dict[Key, list[InteractionFeedback]] = defaultdict(list)
    for one in rows.select_related("user").order_by("id"):
        found[(one.log_id, None) if one.log_id else (None, one.run_id)].append(one)
    return {key: _given(user, some) for key, some in found.items()}


def _given(user: Any, some: list[InteractionFeedback]) -> Given:
    own = next((one for one in some if one.user_id == user.pk), None)
    return Given(own, tuple(one for one in some if one is not own))
