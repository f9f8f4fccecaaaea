"""What the editor has to know of things that developers registered, without importing the runtime."""

from __future__ import annotations

from dataclasses import dataclass

from llm_admin.registry import Registry


@dataclass(frozen=True)
class RunnableLabel:
    label: str
    help: str = ""


RUNNABLE_LABELS: Registry[RunnableLabel] = Registry("function")
COLLECTION_TITLES: Registry[str] = Registry("collection", {})
DEMO_COLLECTION = ("demo", "Demo passages (made up)")


def runnable_choices() -> list[tuple[str, str]]:
    return [(name, RUNNABLE_LABELS.get(name).label) for name in RUNNABLE_LABELS.names()]


def collection_choices() -> list[tuple[str, str]]:
    return [DEMO_COLLECTION, *((name, COLLECTION_TITLES.get(name)) for name in COLLECTION_TITLES.names())]
