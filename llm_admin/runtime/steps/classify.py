"""One of several categories, chosen by a model: asked in words and read leniently, so that any model can do it."""

from __future__ import annotations

import json
import re

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.calls import Request, call_model
from llm_admin.runtime.prompts import Chat
from llm_admin.runtime.steps.base import Step, StepContext, Values, as_text, value_at
from llm_admin.schemas.steps.classify import ClassifyStep

TASK = "Decide which one of these categories the user's text belongs to."
ANSWER = "Answer with exactly one of these names and nothing else:"


def build(spec: ClassifyStep) -> Step:
    async def run(values: Values, context: StepContext) -> str:
        text = as_text(value_at(spec.source, values, context))
        plan = context.run.plan
        alias = plan.model or spec.model or plan.default_model
        if not text.strip():
            raise CallFailed(ErrorKind.BAD_REQUEST, "there is nothing to classify: the text is empty")
        if not alias:
            raise CallFailed(ErrorKind.BAD_REQUEST, "no model is chosen, and the workspace has no default model")
        answer = await call_model(context.run, Request(context.path, alias, messages(spec, text), {"temperature": 0.0}))
        return chosen(spec, answer)

    return run


def messages(spec: ClassifyStep, text: str) -> Chat:
    lines = [f"- {one.name}: {one.description}" if one.description else f"- {one.name}" for one in spec.categories]
    names = ", ".join(one.name for one in spec.categories)
    hint = [spec.hint.strip(), ""] if spec.hint.strip() else []
    system = "\n".join([TASK, "", *lines, "", *hint, f"{ANSWER} {names}"])
    return [{"role": "system", "content": system}, {"role": "user", "content": text}]


def chosen(spec: ClassifyStep, answer: str) -> str:
    """The category that is the answer, or the only one that it mentions."""
    names = [one.name for one in spec.categories]
    plain = _plain(answer)
    for name in names:
        if plain == _plain(name):
            return name
    mentioned = [name for name in names if re.search(rf"(?<!\w){re.escape(_plain(name))}(?!\w)", plain)]
    longest = [name for name in mentioned if not any(name != n and _plain(name) in _plain(n) for n in mentioned)]
    if len(longest) == 1:
        return longest[0]
    if spec.otherwise:
        return spec.otherwise
    begins = " ".join(answer[:80].split()) or "nothing"
    raise CallFailed(
        ErrorKind.PARSE_ERROR, f"the answer is none of the categories {', '.join(names)}; it begins with: {begins}"
    )


def _plain(text: str) -> str:
    """Without capitals, quotes and the JSON around a single value."""
    stripped = text.strip()
    if stripped.startswith("{"):
        try:
            found = json.loads(stripped)
        except ValueError:
            found = None
        if isinstance(found, dict) and len(found) == 1 and isinstance(value := next(iter(found.values())), str):
            stripped = value
    return stripped.strip(" \t\n.!\"'`*“”„‘’«»").casefold()
