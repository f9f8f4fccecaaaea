"""What developers registered for the *Function* step: functions and LangChain Runnables, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from llm_admin.registry import Registry
from llm_admin.schemas.extensions import RUNNABLE_LABELS, RunnableLabel

T = TypeVar("T")
RUNNABLES: Registry[Any] = Registry("function")


class Registered:
    __slots__ = ("label", "target")

    def __init__(self, label: str, target: Any) -> None:
        self.label, self.target = label, target


def register_runnable(name: str, *, label: str = "", help: str = "") -> Callable[[T], T]:
    """Makes a function or Runnable a choice of the *Function* step.

    @register_runnable("stock", label="Look up the stock")
    def stock(sku: str) -> int: ...

    register_runnable("shorten")(prompt | model)
    """

    def add(target: T) -> T:
        shown = label or name.replace("_", " ").capitalize()
        RUNNABLES.register(name, target)
        RUNNABLE_LABELS.register(name, RunnableLabel(shown, help))
        return target

    return add


def get_runnable(name: str) -> Registered:
    """Raises KeyError."""
    target = RUNNABLES.get(name)
    return Registered(RUNNABLE_LABELS.get(name).label, target)
