"""What a step's builder makes: an async function of the variables. `as_runnable` gives it to LangChain code."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_admin.runtime.context import Context
from llm_admin.schemas.plans import PromptPlan
from llm_admin.schemas.template import render_paths

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

Values = Mapping[str, Any]


@dataclass(slots=True)
class StepContext:
    """`previous` names the step before, "" for the first."""

    run: Context
    path: str
    previous: str

    def prompt_of(self, step_id: str) -> PromptPlan | None:
        return self.run.plan.prompts.get(step_id)


Step = Callable[[Values, StepContext], Awaitable[Any]]


def as_runnable(step: Step, context: StepContext) -> Runnable[Values, Any]:
    from langchain_core.runnables import RunnableLambda

    async def run(values: Values) -> Any:
        return await step(values, context)

    return RunnableLambda(run)


def is_chat(value: Any) -> bool:
    """The result of a prompt step."""
    return isinstance(value, dict) and set(value) == {"messages"}


def as_text(value: Any) -> str:
    """A result as it reads inside a text."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if is_chat(value):
        return "\n\n".join(m["content"] for m in value["messages"])
    return json.dumps(value, ensure_ascii=False, indent=2) if isinstance(value, dict | list) else str(value)


def look_up(values: Values, path: str) -> str | None:
    """`name` or `name.key.0`; None (the text stays as it is) where there is nothing."""
    first, *rest = path.split(".")
    if first not in values:
        return None
    value = values[first]
    for part in rest:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return as_text(value)


def put_in(text: str, values: Values) -> str:
    return render_paths(text, lambda path: look_up(values, path))
