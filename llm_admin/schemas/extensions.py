"""What the editor has to know of things that developers registered, without importing the runtime."""

from __future__ import annotations

from dataclasses import dataclass

from llm_admin.registry import Registry


@dataclass(frozen=True)
class RunnableLabel:
    label: str
    help: str = ""


@dataclass(frozen=True)
class CollectionLabel:
    title: str


RUNNABLE_LABELS: Registry[RunnableLabel] = Registry("function")
COLLECTION_LABELS: Registry[CollectionLabel] = Registry(
    "collection", {"demo": CollectionLabel("Demo passages (made up)")}
)


def runnable_choices() -> list[tuple[str, str]]:
    return [(name, RUNNABLE_LABELS.get(name).label) for name in RUNNABLE_LABELS.names()]


def collection_choices() -> list[tuple[str, str]]:
    return [(name, COLLECTION_LABELS.get(name).title) for name in COLLECTION_LABELS.names()]
