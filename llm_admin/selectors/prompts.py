"""Finding prompts: by what stands in them, by folder and tag."""

from __future__ import annotations

from functools import reduce
from operator import and_

from django.db.models import Count, Q

from llm_admin.models import Prompt, PromptText, Tag


def ids_with_words(words: list[str]) -> list[int]:
    """Prompts whose name, description, tags, newest or Live text hold all the words, in any case."""
    wanted = reduce(and_, (Q(text__contains=word.casefold()) for word in words), Q())
    return list(PromptText.objects.filter(wanted).values_list("pk", flat=True))


def folders() -> list[tuple[str, int]]:
    """(folder, prompts in it), in order; prompts that are archived do not count."""
    rows = Prompt.objects.filter(archived_at=None).exclude(folder="").values("folder").annotate(count=Count("pk"))
    return [(row["folder"], row["count"]) for row in rows.order_by("folder")]


def tags() -> list[tuple[str, int]]:
    """(tag, prompts with it), those in use only."""
    count = Count("prompts", filter=Q(prompts__archived_at=None))
    return [(tag.name, tag.used) for tag in Tag.objects.annotate(used=count).filter(used__gt=0).order_by("name_key")]
