"""What a step may give: something that a database holds and that a page can show. Everything else fails the step."""

from __future__ import annotations

import math
from typing import Any

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.schemas.storable import DEEPEST, why_not

MOST_CHARACTERS = 10_000_000  # a text that holds itself twice would fill the memory after some thirty steps
MOST_PARTS = 500_000  # of lists and objects, those within them included
TOO_LONG = f"the result has more than {MOST_CHARACTERS:,} characters"


def sound(value: Any) -> Any:
    """The value. Raises CallFailed. Stops counting where it is too much: a list may hold one long text many times."""
    if isinstance(value, str):
        if len(value) > MOST_CHARACTERS:
            raise CallFailed(ErrorKind.BAD_REQUEST, TOO_LONG)
        if problem := why_not(value):
            raise CallFailed(ErrorKind.BAD_REQUEST, f"the result {problem}")
    elif problem := _problem(value):
        raise CallFailed(ErrorKind.BAD_REQUEST, f"the result, as JSON, {problem}")
    return value


def _problem(value: Any) -> str:
    characters = parts = depth = 0
    layer = [value]
    while layer:
        deeper: list[Any] = []
        for one in layer:
            inner = (*one, *one.values()) if isinstance(one, dict) else one if isinstance(one, list) else ()
            parts += len(inner)
            if parts > MOST_PARTS:
                return f"has more than {MOST_PARTS:,} parts"
            deeper += inner
            if isinstance(one, float) and not math.isfinite(one):
                return "holds a number that JSON cannot write, such as 1e999"
            if isinstance(one, str):
                characters += len(one)
                if problem := why_not(one):
                    return problem
            if characters > MOST_CHARACTERS:
                return f"has more than {MOST_CHARACTERS:,} characters"
        layer, depth = deeper, depth + 1
        if depth > DEEPEST:
            return "is nested too deeply"
    return ""
