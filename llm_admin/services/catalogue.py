"""A small cache in this process of what every run looks up: models with their connections and prices, secrets.

Everything is forgotten when such a row is saved here, and at the latest after a second, so that a change made in
another process is effective at once for people.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.db.models.signals import post_delete, post_save

T = TypeVar("T")
LIFETIME = 1.0  # seconds
MOST_ENTRIES = 5_000

_lock = threading.Lock()
_entries: dict[Any, tuple[float, Any]] = {}
_generation = 0


def cached(key: Any, build: Callable[[], T]) -> T:
    found = _entries.get(key)
    if found and found[0] > time.monotonic():
        return cast("T", found[1])
    before = _generation
    value = build()
    with _lock:
        if before == _generation:
            if len(_entries) >= MOST_ENTRIES:  # most of them are older than a second
                _entries.clear()
            _entries[key] = (time.monotonic() + LIFETIME, value)
    return value


def peek(key: Any) -> Any | None:
    """What is cached and fresh, without building it."""
    found = _entries.get(key)
    return found[1] if found and found[0] > time.monotonic() else None


def forget(**_: Any) -> None:
    global _generation
    with _lock:
        _generation += 1
        _entries.clear()


def connect() -> None:
    from llm_admin import models

    for model in (
        models.Connection,
        models.LanguageModel,
        models.Deployment,
        models.DeploymentPrice,
        models.Workspace,
        models.Membership,
        models.Budget,
        models.Prompt,
        models.PromptLabel,
        models.PromptAlias,
        models.Workflow,
        models.WorkflowLabel,
        models.WorkflowAlias,
    ):
        for signal in (post_save, post_delete):
            signal.connect(forget, sender=model, dispatch_uid=f"llm_admin.catalogue.{model.__name__}")
