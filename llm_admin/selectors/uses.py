"""Which workflows use a prompt."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import F, Prefetch, Q, TextField
from django.db.models.functions import Cast

from llm_admin.models import LIVE, Prompt, Workflow, WorkflowLabel, WorkflowVersion, label_title


@dataclass(frozen=True)
class Use:
    """`versions`: the newest and the labelled ones that name the prompt, oldest first, each with its labels.

    `follows`: the prompt's labels by which their steps name it.
    """

    workflow: Workflow
    versions: list[tuple[WorkflowVersion, list[str]]]
    follows: set[str] = field(default_factory=set)

    @property
    def words(self) -> str:
        """“Live (v3), newest (v4)”."""
        shown = []
        for version, labels in self.versions:
            names = [label_title(label) for label in labels] or ["newest"]
            shown.append(f"{', '.join(names)} (v{version.number})")
        return ", ".join(shown)


def workflows_using(prompt: Prompt) -> list[Use]:
    slugs = {prompt.slug, *filter(None, prompt.aliases.values_list("slug", flat=True))}
    labels = Prefetch("labels", queryset=WorkflowLabel.objects.order_by("name"))
    rows = WorkflowVersion.objects.filter(Q(number=F("workflow__last_number")) | Q(labels__isnull=False))
    rows = rows.annotate(raw=Cast("spec", TextField()))
    rows = rows.filter(reduce(or_, (Q(raw__contains=json.dumps(slug)) for slug in slugs)))
    rows = rows.select_related("workflow").prefetch_related(labels).order_by("workflow__name", "number").distinct()
    found: dict[int, Use] = {}
    for version in rows:
        if followed := _followed(version.spec, slugs):
            use = found.setdefault(version.workflow_id, Use(version.workflow, []))
            use.versions.append((version, [label.name for label in version.labels.all()]))
            use.follows.update(followed)
    return list(found.values())


def _followed(spec: dict[str, Any], slugs: set[str]) -> set[str]:
    return {step.get("prompt_label") or LIVE for step in spec.get("steps", []) if step.get("prompt") in slugs}
