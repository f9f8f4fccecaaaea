"""What the search looks through: one case-folded text per prompt, kept when something of it changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.functions import Concat

from llm_admin.models import LIVE, Prompt, PromptText, PromptVersion


def refresh(document: Any) -> None:
    """Inside the transaction of the change. Workflows are searched by name; nothing to do for them."""
    if isinstance(document, Prompt):
        row = PromptText(prompt=document, text=text_of(document))
        PromptText.objects.bulk_create([row], update_conflicts=True, unique_fields=["prompt"], update_fields=["text"])


def add(prompt_ids: Iterable[int], word: str) -> None:
    """A tag that these prompts got, in one statement; the next `refresh` writes the same in its place."""
    rows = PromptText.objects.filter(prompt__in=list(prompt_ids))
    rows.update(text=Concat(F("text"), Value("\n" + word.casefold())))


def text_of(prompt: Prompt) -> str:
    rows = PromptVersion.objects.filter(prompt=prompt).filter(Q(number=F("prompt__last_number")) | Q(labels__name=LIVE))
    specs = rows.order_by("-number").distinct().values_list("spec", flat=True)
    tags = [tag.name for tag in prompt.tags.all()] if prompt.pk else []
    return written(prompt, tags, specs)


def written(prompt: Prompt, tags: Iterable[str], specs: Iterable[dict[str, Any]]) -> str:
    texts = [message.get("text", "") for spec in specs for message in spec.get("messages", [])]
    return "\n".join(dict.fromkeys([prompt.name, prompt.slug, prompt.description, *tags, *texts])).casefold()
