from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.results import sound
from llm_admin.runtime.steps.base import Step, StepContext, Values, as_text, is_chat, value_at
from llm_admin.schemas.outputs import problem_with
from llm_admin.schemas.steps.parser import OutputField, ParserStep
from llm_admin.schemas.values import LONGEST_NUMBER, NO, YES

FENCE = re.compile(r"```(?:json|JSON)?\s*\n(.*?)```", re.DOTALL)


def build(spec: ParserStep) -> Step:
    async def run(values: Values, context: StepContext) -> Any:
        value = value_at(spec.source, values, context)
        return read_json(spec, value) if spec.format == "json" else _READERS[spec.format](as_text(value))

    return run


def read_json(spec: ParserStep, value: Any) -> Any:
    """What is JSON already (a key of an earlier result) is only checked."""
    found = value if isinstance(value, (dict, list)) and not is_chat(value) else parse_json(as_text(value))
    schema = spec.schema_by_hand
    if schema is None:
        return checked(found, spec.keys)
    try:
        wrong = problem_with(found, schema)
    except ValueError as error:
        wrong = str(error)
    if wrong:
        raise CallFailed(ErrorKind.PARSE_ERROR, f"the answer is JSON, but not as asked: {wrong}")
    return found


def read_list(text: str) -> list[Any]:
    """A JSON list, or an entry in each line; numbers and bullets before an entry are no part of it."""
    stripped = text.strip()
    if stripped.startswith(("[", "```")):
        found = parse_json(stripped)
        if isinstance(found, list):
            return found
    return [entry for line in stripped.splitlines() if (entry := _BULLET.sub("", line).strip())]


def read_number(text: str) -> int | float:
    """The only number of the answer."""
    found = _NUMBER.findall(text)
    if len(found) != 1:
        counted = "no number" if not found else f"{len(found)} numbers"
        raise CallFailed(ErrorKind.PARSE_ERROR, f"a number was expected; the answer has {counted}")
    number = found[0].replace(",", "")
    value = float(number) if len(number) > LONGEST_NUMBER or not number.lstrip("+-").isdecimal() else int(number)
    if not math.isfinite(value):
        raise CallFailed(ErrorKind.PARSE_ERROR, "a number was expected; the answer's is too large")
    return value


def read_yes_no(text: str) -> bool:
    words = re.findall(r"\w+", text.casefold())
    yes, no = any(word in YES for word in words), any(word in NO for word in words)
    if yes == no:
        raise CallFailed(ErrorKind.PARSE_ERROR, f"yes or no was expected; the answer begins with: {_begins(text)}")
    return yes


_BULLET = re.compile(r"^\s*(?:[-*•–]\s+|\d{1,4}[.)]\s+)")
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d{1,300})(?:\.\d{1,300})?(?:[eE][+-]?\d{1,3})?")
_READERS: dict[str, Callable[[str], Any]] = {
    "text": str.strip,
    "list": read_list,
    "number": read_number,
    "yes_no": read_yes_no,
}


def _begins(text: str) -> str:
    return " ".join(text[:80].split()) or "nothing"


def parse_json(text: str) -> Any:
    """The JSON of an answer, also when it stands in a code fence or between sentences. Nothing is repaired."""
    candidates = [text, *FENCE.findall(text)]
    if "{" in text and "}" in text:
        candidates.append(text[text.index("{") : text.rindex("}") + 1])
    error: json.JSONDecodeError | None = None
    for candidate in candidates:
        try:
            return sound(json.loads(candidate))
        except json.JSONDecodeError as problem:
            error = error or problem
        except ValueError:
            raise CallFailed(ErrorKind.PARSE_ERROR, "the answer's JSON holds a number with too many digits") from None
        except RecursionError:
            raise CallFailed(ErrorKind.PARSE_ERROR, "the answer's JSON is nested too deeply") from None
    place = f"line {error.lineno}, column {error.colno}" if error else ""
    raise CallFailed(ErrorKind.PARSE_ERROR, f"this is not JSON ({place}); it begins with: {_begins(text)}")


_KINDS: dict[str, tuple[type, ...]] = {
    "text": (str,),
    "number": (int, float),
    "whole_number": (int,),
    "yes_no": (bool,),
    "list": (list,),
    "object": (dict,),
    "any": (object,),
}


def checked(value: Any, keys: list[OutputField]) -> Any:
    if not keys:
        return value
    if not isinstance(value, dict):
        raise CallFailed(ErrorKind.PARSE_ERROR, "the answer is JSON, but not an object with keys")
    wrong = [problem for key in keys if (problem := _problem(value, key))]
    if wrong:
        raise CallFailed(ErrorKind.PARSE_ERROR, "; ".join(wrong))
    return value


def _problem(value: dict[str, Any], key: OutputField) -> str:
    found = value.get(key.name)
    if found is None:
        return f"the key “{key.name}” is missing" if key.required else ""
    right = isinstance(found, _KINDS[key.type])
    if isinstance(found, bool) and key.type in ("number", "whole_number"):
        right = False
    return "" if right else f"the key “{key.name}” is not a {key.type.replace('_', ' ')}"
