"""Answers against what the prompt asked for."""

from __future__ import annotations

from llm_admin.choices import ErrorKind
from llm_admin.exceptions import CallFailed
from llm_admin.runtime.steps.parser import parse_json
from llm_admin.schemas.outputs import problem_with
from llm_admin.schemas.prompts import PromptSpec


def check_answer(spec: PromptSpec, answer: str) -> None:
    """Raises CallFailed (a parse error): the call is logged and paid, but its answer is not what was asked for."""
    if spec.output.format != "json":
        return
    value, schema = parse_json(answer), spec.output.answer_schema()
    if schema is None:
        return
    try:
        wrong = problem_with(value, schema)
    except ValueError as error:
        wrong = str(error)
    if wrong:
        raise CallFailed(ErrorKind.PARSE_ERROR, f"the answer is JSON, but not as asked: {wrong}")
