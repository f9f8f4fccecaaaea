from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable


def as_runnable(function: Callable[[dict[str, Any]], Awaitable[Any]], *, name: str) -> Runnable[dict[str, Any], Any]:
    from langchain_core.runnables import RunnableLambda

    return RunnableLambda(function, name=name)
