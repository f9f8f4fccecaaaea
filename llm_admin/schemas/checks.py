"""What an answer must fulfil: simple checks that are saved with a prompt's test inputs."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import Field, model_validator

from llm_admin.schemas.base import JsonObject, Spec
from llm_admin.schemas.outputs import problem_with, schema_problem
from llm_admin.schemas.safe_patterns import budget, problem, search
from llm_admin.schemas.values import load_json

CHECK_SECONDS = 2.0  # all checks of one answer together
CHECK_TITLES = {
    "contains": "contains",
    "not_contains": "does not contain",
    "matches": "matches the pattern",
    "json": "is JSON",
}


class Check(Spec):
    """`text`: the words, or the pattern. `json_schema`: only for *json*; None takes any JSON."""

    kind: Literal["contains", "not_contains", "matches", "json"] = Field(default="contains", title="The answer")
    text: str = Field(default="", title="Text", max_length=10_000)
    json_schema: JsonObject | None = Field(default=None, title="JSON schema")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.kind != "json" and not self.text:
            raise ValueError(f"Say what “{CHECK_TITLES[self.kind]}” looks for.")
        if self.kind == "matches" and (wrong := problem(self.text)):
            raise ValueError(f"“{self.text[:80]}” {wrong}.")
        if self.json_schema is not None and (wrong := schema_problem(self.json_schema)):
            raise ValueError(f"This is no JSON schema: {wrong}.")
        return self

    @property
    def words(self) -> str:
        """The rest of a sentence that begins with "The answer"."""
        if self.kind == "json":
            return "is JSON of the given schema" if self.json_schema is not None else "is JSON"
        return f"{CHECK_TITLES[self.kind]} “{self.text[:200]}”"

    def failure(self, answer: str) -> str:
        """Why the answer does not fulfil it, or "". Capitals do not count in words, they do in patterns."""
        match self.kind:
            case "contains":
                return "" if self.text.casefold() in answer.casefold() else f"does not contain “{self.text[:200]}”"
            case "not_contains":
                return f"contains “{self.text[:200]}”" if self.text.casefold() in answer.casefold() else ""
            case "matches":
                return self._unmatched(answer)
            case _:
                return _not_json(answer, self.json_schema)

    def _unmatched(self, answer: str) -> str:
        try:
            return "" if search(self.text, answer) else f"does not match “{self.text[:200]}”"
        except ValueError as error:
            return f"cannot be checked: {error}"


def _not_json(answer: str, schema: dict[str, Any] | None) -> str:
    try:
        value = load_json(answer)
    except ValueError as error:
        return str(error)
    try:
        wrong = "" if schema is None else problem_with(value, schema)
    except ValueError as error:
        return f"cannot be checked: {error}"
    return f"is JSON, but: {wrong}" if wrong else ""


class TestInput(Spec):
    """A named set of values, and what the answer to it must fulfil."""

    __test__ = False  # no test case, whatever pytest thinks of the name

    name: str = Field(title="Name", min_length=1, max_length=100)
    inputs: JsonObject = Field(default_factory=dict, title="Values")
    checks: list[Check] = Field(default_factory=list, max_length=50, title="The answer")

    def failures(self, answer: str) -> list[str]:
        """The rest of sentences that begin with "The answer"; a check that cannot be made counts as one."""
        with budget(CHECK_SECONDS):
            return [failure for check in self.checks if (failure := check.failure(answer))]
