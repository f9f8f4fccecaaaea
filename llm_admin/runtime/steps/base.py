"""What a step's builder makes: an async function of the variables. `as_runnable` gives it to LangChain code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.context import Context
from llm_admin.runtime.results import MOST_CHARACTERS, TOO_LONG
from llm_admin.schemas import values
from llm_admin.schemas.plans import PromptPlan
from llm_admin.schemas.template import only_path, render_paths

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable

Values = Mapping[str, Any]


class RunSlot(Protocol):
    """Runs the steps of one of a step's slots; the result of the last one. `entry` counts a loop's from 1."""

    async def __call__(self, name: str, values: Values, *, entry: int | None = None) -> Any: ...


class StepFailed(Exception):
    """Carries the failing step's id out of the interpreter."""

    def __init__(self, step_id: str, cause: CallFailed) -> None:
        self.step_id, self.cause = step_id, cause
        super().__init__(step_id)


class Paused(Exception):
    """Leaves the interpreter: what ran is recorded, and the run goes on from there later."""


@dataclass(slots=True)
class StepContext:
    """`previous` names the step before, "" for the first; `note` is shown with the step in the run's trace."""

    run: Context
    path: str
    previous: str
    step_id: str = ""
    run_slot: RunSlot = field(init=False, repr=False)  # set by the interpreter
    note: str = ""

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
    if is_chat(value):
        return "\n\n".join(m["content"] for m in value["messages"])
    return values.as_text(value)


def look_up(known: Values, path: str) -> Any:
    """`name` or `name.key.0`. Raises LookupError where there is nothing."""
    first, *rest = path.split(".")
    value = known[first]
    for part in rest:
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdecimal() and len(part) < 10 and int(part) < len(value):
            value = value[int(part)]
        else:
            raise LookupError(path)
    return value


def put_in(text: str, known: Values) -> str:
    """What names nothing stays as it is. Raises CallFailed when the whole would be too long."""
    length = 0

    def found(path: str) -> str | None:
        nonlocal length
        try:
            value = as_text(look_up(known, path))
        except LookupError:
            return None
        length += len(value)
        if length > MOST_CHARACTERS:
            raise CallFailed(ErrorKind.BAD_REQUEST, TOO_LONG)
        return value

    return render_paths(text, found)


def value_at(name: str, values: Values, context: StepContext) -> Any:
    """What a picker chose: a name, "name.key", or "" for the step before. Nothing there is None."""
    try:
        return look_up(values, name or context.previous)
    except LookupError:
        return None


def taken(text: str, known: Values) -> Any:
    """As `put_in`; but a text that is one reference and nothing else gives the value itself: a list stays a list."""
    path = only_path(text)
    try:
        return look_up(known, path) if path else put_in(text, known)
    except LookupError:
        return text
