from __future__ import annotations

from typing import Any

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.steps.base import Step, StepContext, Values, as_text, put_in, value_at
from llm_admin.schemas.steps.branch import NUMERIC, BranchStep, Condition
from llm_admin.schemas.values import NO, YES


def build(spec: BranchStep) -> Step:
    async def run(values: Values, context: StepContext) -> Any:
        found = (holds(one, values, context) for one in spec.conditions)
        way = "yes" if (all(found) if spec.match == "all" else any(found)) else "no"
        context.note = spec.slot_titles[way]
        return await context.run_slot(way, values)

    return run


def holds(condition: Condition, values: Values, context: StepContext) -> bool:
    value = value_at(condition.value, values, context)
    operator = condition.operator
    if operator in ("empty", "not_empty"):
        return _empty(value) == (operator == "empty")
    if operator in ("yes", "no"):
        return _yes(value) == (operator == "yes")
    other = put_in(condition.to, values)
    if operator in NUMERIC:
        return _compare(operator, _number(value), _number(other))
    return _texts(operator, value, other)


def _texts(operator: str, value: Any, other: str) -> bool:
    wanted = _plain(other)
    entries = [_plain(as_text(one)) for one in value] if isinstance(value, list) else [_plain(as_text(value))]
    text = _plain(as_text(value))
    match operator:
        case "is":
            return text == wanted
        case "is_not":
            return text != wanted
        case "contains":
            return wanted in text or wanted in entries
        case "contains_not":
            return wanted not in text and wanted not in entries
        case "begins_with":
            return text.startswith(wanted)
        case "ends_with":
            return text.endswith(wanted)
    return text in {_plain(line) for line in other.splitlines()}  # one_of


def _plain(text: str) -> str:
    return text.strip().casefold()


def _empty(value: Any) -> bool:
    return value is None or value == [] or value == {} or (isinstance(value, str) and not value.strip())


def _yes(value: Any) -> bool:
    word = _plain(as_text(value))
    if word in YES:
        return True
    if word in NO:
        return False
    raise CallFailed(ErrorKind.BAD_REQUEST, f"yes or no was to be compared, but the value is: {word[:80] or 'empty'}")


def _number(value: Any) -> float:
    text = as_text(value).strip().replace(",", "")
    try:
        return float(text)
    except ValueError:
        raise CallFailed(
            ErrorKind.BAD_REQUEST, f"a number was to be compared, but the value is: {text[:80] or 'empty'}"
        ) from None


def _compare(operator: str, left: float, right: float) -> bool:
    match operator:
        case "more_than":
            return left > right
        case "at_least":
            return left >= right
        case "less_than":
            return left < right
    return left <= right
