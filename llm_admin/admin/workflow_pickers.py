"""What the selects of step cards offer, and what they have to know of prompts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_admin.models import LIVE, LanguageModel, Membership, Prompt, PromptLabel, PromptVersion, label_title
from llm_admin.schemas.extensions import collection_choices, runnable_choices
from llm_admin.schemas.jsonform import Choice
from llm_admin.schemas.prompts import upgrade

Reference = tuple[str, str]  # a prompt's slug and a label


@dataclass(frozen=True)
class Pickers:
    """Results, messages and later steps are filled in by the page, which knows the order of the cards."""

    prompts: list[Choice]
    models: list[Choice]
    labels: list[Choice]
    people: list[Choice]
    runnables: list[Choice]
    collections: list[Choice]

    @classmethod
    def load(cls) -> Pickers:
        labels = PromptLabel.objects.exclude(name=LIVE).order_by("name").values_list("name", flat=True).distinct()
        return cls(
            prompts=choices(Prompt.objects.order_by("name").values_list("slug", "name")),
            models=choices(LanguageModel.objects.filter(enabled=True).values_list("alias", "name")),
            labels=choices((name, label_title(name)) for name in labels),
            people=choices(_people()),
            runnables=choices(runnable_choices()),
            collections=choices(collection_choices()),
        )

    def lists(self) -> dict[str, list[Choice]]:
        return dict(vars(self))


def choices(pairs: Iterable[tuple[str, str]]) -> list[Choice]:
    return [{"title": title, "value": value} for value, title in pairs]


def _people() -> list[tuple[str, str]]:
    members = Membership.objects.filter(user__is_active=True).select_related("user").order_by("user__username")
    found = []
    for one in members:
        username, full = one.user.get_username(), one.user.get_full_name()
        found.append((username, f"{full} ({username})" if full else username))
    return found


@dataclass(frozen=True)
class PromptFacts:
    """`keys`: of its answer, where that is JSON."""

    variables: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


NOTHING = PromptFacts()


def reference(step: Mapping[str, Any]) -> Reference | None:
    slug, label = step.get("prompt"), step.get("prompt_label")
    return (slug, label if isinstance(label, str) and label else LIVE) if isinstance(slug, str) and slug else None


def facts_of(references: Iterable[Reference]) -> dict[Reference, PromptFacts]:
    """Of each prompt's labelled version; one query for all of them."""
    wanted = set(references)
    if not wanted:
        return {}
    rows = PromptVersion.objects.filter(
        prompt__slug__in={slug for slug, _ in wanted}, labels__name__in={label for _, label in wanted}
    ).values_list("prompt__slug", "labels__name", "spec")
    return {(slug, label): _facts(upgrade(spec)) for slug, label, spec in rows}


def _facts(spec: Mapping[str, Any]) -> PromptFacts:
    variables = [one["name"] for one in spec.get("variables", [])]
    answer = spec.get("output") or {}
    if answer.get("format") != "json":
        return PromptFacts(variables)
    by_hand = answer.get("json_schema")
    keys = by_hand.get("properties") if by_hand else [one["name"] for one in answer.get("fields", [])]
    return PromptFacts(variables, [str(key) for key in keys or ()])
