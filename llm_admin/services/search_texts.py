"""What the search looks through: one case-folded text per prompt, kept when something of it changes."""

from __future__ import annotations

from typing import Any

from django.db.models import F, Q

from llm_admin.models import LIVE, Prompt, PromptText, PromptVersion


def refresh(document: Any) -> None:
    """Inside the transaction of the change. Workflows are searched by name; nothing to do for them."""
    if isinstance(document, Prompt):
        PromptText.objects.update_or_create(prompt=document, defaults={"text": text_of(document)})


def text_of(prompt: Prompt) -> str:
    rows = PromptVersion.objects.filter(prompt=prompt).filter(Q(number=F("prompt__last_number")) | Q(labels__name=LIVE))
    specs = [row.spec for row in rows.distinct()]
    texts = [message.get("text", "") for spec in specs for message in spec.get("messages", [])]
    tags = [tag.name for tag in prompt.tags.all()] if prompt.pk else []
    return "\n".join(dict.fromkeys([prompt.name, prompt.slug, prompt.description, *tags, *texts])).casefold()
