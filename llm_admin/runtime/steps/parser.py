from __future__ import annotations

import json
import re
from typing import Any

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.steps.base import Step, StepContext, Values, as_text
from llm_admin.schemas.steps.parser import OutputField, ParserStep

FENCE = re.compile(r"```(?:json|JSON)?\s*\n(.*?)```", re.DOTALL)


def build(spec: ParserStep) -> Step:
    async def run(values: Values, context: StepContext) -> Any:
        text = as_text(values.get(spec.source or context.previous))
        return text.strip() if spec.format == "text" else checked(parse_json(text), spec.keys)

    return run


def parse_json(text: str) -> Any:
    """The JSON of an answer, also when it stands in a code fence or between sentences. Nothing is repaired."""
    candidates = [text, *FENCE.findall(text)]
    if "{" in text and "}" in text:
        candidates.append(text[text.index("{") : text.rindex("}") + 1])
    error: json.JSONDecodeError | None = None
    for candidate in candidates:
        try:
            return json.loads(candidate)
        except json.JSONDecodeError as problem:
            error = error or problem
        except RecursionError:
            raise CallFailed(ErrorKind.PARSE_ERROR, "the answer's JSON is nested too deeply") from None
    place = f"line {error.lineno}, column {error.colno}" if error else ""
    begins = " ".join(text[:80].split()) or "nothing"
    raise CallFailed(ErrorKind.PARSE_ERROR, f"this is not JSON ({place}); it begins with: {begins}")


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
