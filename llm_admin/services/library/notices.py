"""What a person should know about an item before it is applied."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from llm_admin.models import LanguageModel
from llm_admin.services.families import PROMPTS, WORKFLOWS, Family
from llm_admin.services.library.items import Action, Item


def about(item: Item) -> list[str]:
    entry, notices = item.entry, []
    if item.action == Action.NEW and entry.slug and item.slug != entry.slug:
        notices.append(f"The short name “{entry.slug}” is taken here; this one becomes “{item.slug}”.")
    if item.document and entry.description and entry.description != item.document.description:
        notices.append("The description here is kept.")
    return notices


def missing_prompts(items: Iterable[Item], known: set[str]) -> None:
    for item in items:
        if item.entry.family is WORKFLOWS and item.versions:
            steps = item.versions[-1].spec.all_steps()
            used = {reference.slug for step in steps if (reference := step.prompt_reference())}
            item.notices += [f"It uses the prompt “{slug}”, which is not here." for slug in sorted(used - known)]


def missing_models(items: Iterable[Item]) -> None:
    aliases = set(LanguageModel.objects.values_list("alias", flat=True))
    for item in items:
        used = {model for version in item.versions for model in _models(item.entry.family, version.spec)}
        item.notices += [f"It uses the model “{model}”, which is not here." for model in sorted(used - aliases)]


def _models(family: Family, spec: Any) -> list[str]:
    given = [spec.model] if family is PROMPTS else [getattr(step, "model", "") for step in spec.all_steps()]
    return [model for model in given if model]
