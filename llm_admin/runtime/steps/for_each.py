from __future__ import annotations

import asyncio
from typing import Any

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.results import MOST_CHARACTERS, TOO_LONG
from llm_admin.runtime.steps.base import Paused, Step, StepContext, StepFailed, Values, as_text, is_chat, value_at
from llm_admin.schemas.steps.for_each import MOST_ITEMS, ForEachStep
from llm_admin.schemas.values import PARSERS


def build(spec: ForEachStep) -> Step:
    async def run(values: Values, context: StepContext) -> list[Any]:
        entries = entries_of(value_at(spec.items, values, context))
        context.note = f"{len(entries)} {'entry' if len(entries) == 1 else 'entries'}"
        return await _all(spec, entries, values, context)

    return run


def entries_of(value: Any) -> list[Any]:
    if value is None or isinstance(value, dict):
        kind = "nothing" if value is None else "messages" if is_chat(value) else "a set of names and values"
        raise CallFailed(ErrorKind.BAD_REQUEST, f"this step goes over a list, but was given {kind}")
    entries = value if isinstance(value, list) else PARSERS["list"](as_text(value))
    if len(entries) > MOST_ITEMS:
        raise CallFailed(
            ErrorKind.BAD_REQUEST, f"the list has {len(entries):,} entries; a step goes over {MOST_ITEMS:,} at most"
        )
    return entries


async def _all(spec: ForEachStep, entries: list[Any], values: Values, context: StepContext) -> list[Any]:
    """In the entries' order. What waits for an approval does not hold up the others; the first failure stops them."""
    slots, gathered = asyncio.Semaphore(spec.parallel), 0

    async def one(number: int, entry: Any) -> Any:
        nonlocal gathered
        async with slots:
            try:
                result = await context.run_slot("steps", {**values, spec.item: entry}, entry=number)
            except StepFailed:
                if spec.if_one_fails == "stop":
                    raise
                return None
            gathered += len(result) if isinstance(result, str) else 0
            if gathered > MOST_CHARACTERS:  # told now, not when all are there
                raise CallFailed(ErrorKind.BAD_REQUEST, TOO_LONG)
            return result

    tasks = [asyncio.ensure_future(one(number, entry)) for number, entry in enumerate(entries, start=1)]
    try:
        await _settled(tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if any(isinstance(task.exception(), Paused) for task in tasks):
        raise Paused
    return [task.result() for task in tasks]


async def _settled(tasks: list[asyncio.Task[Any]]) -> None:
    """Raises the first failure at once."""
    left = set(tasks)
    while left:
        done, left = await asyncio.wait(left, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            error = task.exception()
            if error is not None and not isinstance(error, Paused):
                raise error
