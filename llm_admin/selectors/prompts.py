"""Finding prompts by what stands in them."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import F, Q, TextField
from django.db.models.functions import Cast

from llm_admin.models import LIVE, PromptVersion


def ids_with_words(words: list[str]) -> set[int]:
    """Prompts whose name and newest (or Live) text hold all the words, in any case.

    The database narrows down by the raw JSON; what counts is decided on the texts themselves, so that the word
    "role" does not find every prompt.
    """
    rows = PromptVersion.objects.filter(Q(number=F("prompt__last_number")) | Q(labels__name=LIVE))
    rows = rows.annotate(raw=Cast("spec", TextField()))
    for word in words:
        if word.isascii():  # SQLite compares other letters with their case
            rows = rows.filter(Q(prompt__name__icontains=word) | Q(raw__icontains=json.dumps(word)[1:-1]))
    found = rows.values_list("prompt_id", "prompt__name", "spec")
    wanted = [word.casefold() for word in words]
    return {pk for pk, name, spec in found if _holds_all(wanted, name, spec)}


def _holds_all(words: list[str], name: str, spec: dict[str, Any]) -> bool:
    text = "\n".join([name, *(message.get("text", "") for message in spec.get("messages", []))]).casefold()
    return all(word in text for word in words)
