"""Finding prompts: by what stands in them, by folder and tag; and what a list shows of each."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import and_

from django.db.models import Count, Exists, F, OuterRef, Q

from llm_admin.models import Prompt, PromptText, PromptVersion, Tag

FEW = 200


def with_words(words: list[str]) -> Q:
    """Of prompts whose name, description, tags, newest or Live text hold all the words, in any case.

    Few of them are looked up once: the page, its count and its filters would each read all the texts again.
    """
    if not words:
        return Q()
    texts = PromptText.objects.filter(reduce(and_, (Q(text__contains=word.casefold()) for word in words)))
    few = list(texts.values_list("pk", flat=True)[: FEW + 1])
    if len(few) <= FEW:
        return Q(pk__in=few)
    return reduce(and_, (Q(text__text__contains=word.casefold()) for word in words))


def inside(folder: str) -> Q:
    """Of prompts in a folder or below it."""
    return Q(folder=folder) | Q(folder__startswith=f"{folder}/")


def folders() -> list[tuple[str, int]]:
    """(folder, prompts in it and below it), in order; prompts that are archived do not count."""
    rows = Prompt.objects.filter(archived_at=None).exclude(folder="").order_by("folder")
    totals: dict[str, int] = {}
    for folder, count in rows.values_list("folder").annotate(count=Count("pk")):
        parts = folder.split("/")
        for depth in range(1, len(parts) + 1):
            name = "/".join(parts[:depth])
            totals[name] = totals.get(name, 0) + count
    return sorted(totals.items(), key=lambda one: one[0].casefold().split("/"))


def tags() -> list[str]:
    """Those in use."""
    used = Prompt.tags.through.objects.filter(tag=OuterRef("pk"))
    return list(Tag.objects.filter(Exists(used)).order_by("name_key").values_list("name", flat=True))


def editors(prompt_ids: Iterable[int]) -> dict[int, str]:
    """By prompt, who saved the newest version; one without a name is not there. In one query."""
    newest = PromptVersion.objects.filter(prompt__in=list(prompt_ids), number=F("prompt__last_number"))
    rows = newest.exclude(created_by=None).order_by()
    return dict(rows.values_list("prompt_id", "created_by__username"))
