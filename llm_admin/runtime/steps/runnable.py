from __future__ import annotations

import asyncio
import inspect
from contextlib import AbstractContextManager
from typing import Any

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.runnables import get_runnable
from llm_admin.runtime.steps.base import Step, StepContext, Values, taken, value_at
from llm_admin.schemas.steps.runnable import RunnableStep
from llm_admin.schemas.values import PARSERS


def build(spec: RunnableStep) -> Step:
    async def run(values: Values, context: StepContext) -> Any:
        try:
            found = get_runnable(spec.name)
        except KeyError:
            raise CallFailed(ErrorKind.BAD_REQUEST, f"the function “{spec.name}” is not there any more") from None
        given = {one.name: taken(one.value, values) for one in spec.inputs} or value_at("", values, context)
        with _Named(found.label):
            result = await _call(found.target, given)
        return _storable(result, found.label)

    return run


class _Named(AbstractContextManager[None]):
    """What a developer's function raises is that step's failure, with its words; a CallFailed passes as it is."""

    def __init__(self, label: str) -> None:
        self.label = label

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Exception) and not isinstance(error, CallFailed):
            words = " ".join(str(error).split())[:300]
            detail = f"the function “{self.label}” failed with {type(error).__name__}" + (f": {words}" if words else "")
            raise CallFailed(ErrorKind.FUNCTION, detail) from error


async def _call(target: Any, given: Any) -> Any:
    """A LangChain Runnable, an async function, or a plain one (in a thread: it may block)."""
    if hasattr(target, "ainvoke"):
        return await target.ainvoke(given)
    arguments, named = ((), given) if isinstance(given, dict) and _takes(target, given) else ((given,), {})
    if inspect.iscoroutinefunction(target):
        return await target(*arguments, **named)
    return await asyncio.to_thread(target, *arguments, **named)


def _takes(target: Any, values: dict[str, Any]) -> bool:
    """`def f(text, count)` is given its values by their names; a function without such names the whole dictionary."""
    try:
        inspect.signature(target).bind(**values)
    except TypeError:
        return False
    return True


def _storable(result: Any, label: str) -> Any:
    """LangChain's messages become their text, Pydantic's objects their fields; anything else must be JSON."""
    if hasattr(result, "model_dump"):
        result = result.content if hasattr(result, "content") else result.model_dump(mode="json")
    try:
        return PARSERS["json"](result) if not isinstance(result, str) else result
    except ValueError:
        kind = type(result).__name__
        raise CallFailed(
            ErrorKind.FUNCTION, f"the function “{label}” gave back a {kind}, which cannot be stored"
        ) from None
