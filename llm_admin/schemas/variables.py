"""Variables: one schema for the try-it form, the run form, tables of values, and values from code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from llm_admin.conf import settings
from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.schemas.base import IDENTIFIER, Spec, duplicates
from llm_admin.schemas.storable import texts_in, unfit, why_not
from llm_admin.schemas.values import PARSERS, as_text

Kind = Literal["text", "long_text", "number", "choice", "boolean", "date", "list", "json", "file"]
KIND_TITLES: dict[str, Any] = {
    "text": "Short text",
    "long_text": "Long text",
    "number": "Number",
    "choice": "Choice",
    "boolean": "Yes or no",
    "date": "Date",
    "list": "List",
    "json": "JSON",
    "file": "Text file",
}
TEXTS = frozenset(("text", "long_text", "file"))


class VariableSpec(Spec):
    """`default` is written as in a form: "yes", "12", a list with one entry in a line."""

    name: str = Field(title="Name", min_length=1, max_length=60)
    type: Kind = Field(default="long_text", title="Kind", json_schema_extra={"choice_titles": KIND_TITLES})
    label: str = Field(default="", title="Label", max_length=100)
    help: str = Field(default="", title="Help", max_length=300)
    default: str = Field(default="", title="Default", max_length=100_000)
    required: bool = Field(default=True, title="Required")
    choices: list[str] = Field(
        default_factory=list,
        max_length=200,
        title="Choices",
        description="Only for a choice.",
        json_schema_extra={"add_title": "Add a choice"},
    )
    minimum: float | None = Field(default=None, title="At least", description="A number, or entries of a list.")
    maximum: float | None = Field(default=None, title="At most", description="A number, or entries of a list.")
    max_length: int | None = Field(default=None, ge=1, title="Longest text, in characters")

    @field_validator("name")
    @classmethod
    def _identifier(cls, name: str) -> str:
        if not IDENTIFIER.match(name):
            raise ValueError("A name has letters, digits and underscores, and does not begin with a digit.")
        return name

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.type == "choice":
            if not self.choices or not all(choice.strip() for choice in self.choices):
                raise ValueError(f"Give “{self.title}” its choices, one in a line.")
            if twice := duplicates(self.choices):
                raise ValueError(f"The choice “{self.choices[twice[0]]}” is there twice.")
        if self.minimum is not None and self.maximum is not None and self.minimum > self.maximum:
            raise ValueError("“At least” is more than “at most”.")
        if self.default and (wrong := self.problem(self.default)):
            raise ValueError(f"The default of “{self.title}” {wrong}.")
        return self

    @property
    def title(self) -> str:
        return self.label or self.name.replace("_", " ").capitalize()

    def value(self, given: Any) -> Any:
        """The value of what was given. Raises ValueError: the rest of a sentence that begins with the title."""
        value = PARSERS[self.type](given)
        if reason := unfit(value):
            raise ValueError(reason)
        for _, text in texts_in(value):
            if reason := why_not(text):
                raise ValueError(reason)
        self._check_limits(value)
        return value

    def problem(self, given: Any) -> str:
        try:
            self.value(given)
        except ValueError as error:
            return str(error)
        return ""

    def _check_limits(self, value: Any) -> None:
        longest = settings().MAX_INPUT_CHARACTERS
        if self.type in TEXTS:
            longest = min(longest, self.max_length or longest)
        if len(as_text(value)) > longest:
            raise ValueError(f"is longer than {longest:,} characters")
        if self.type == "choice" and value not in self.choices:
            raise ValueError(f"must be one of: {', '.join(self.choices)}")
        if self.type == "number":
            self._check_range(value, "")
        elif self.type == "list":
            self._check_range(len(value), " entries")

    def _check_range(self, size: float, unit: str) -> None:
        if self.minimum is not None and size < self.minimum:
            raise ValueError(f"must be at least {self.minimum:g}{unit}")
        if self.maximum is not None and size > self.maximum:
            raise ValueError(f"must be at most {self.maximum:g}{unit}")


def check_values(variables: Sequence[VariableSpec], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every declared name with its value or default. Raises InvalidInput at ("inputs", name)."""
    problems = [_unknown(name, variables) for name in given if name not in {v.name for v in variables}]
    values: dict[str, Any] = {}
    for variable in variables:
        raw = given.get(variable.name)
        raw = variable.default if _empty(raw) else raw
        if _empty(raw):
            values[variable.name] = [] if variable.type == "list" else ""
            wrong = "is needed; fill it in" if variable.required else ""
        else:
            wrong = _taken(values, variable, raw)
        if wrong:
            problems.append(Problem(("inputs", variable.name), f"“{variable.title}” {wrong}."))
    if problems:
        raise InvalidInput(problems)
    return values


def _empty(value: Any) -> bool:
    return value is None or value in ("", [])


def _taken(values: dict[str, Any], variable: VariableSpec, raw: Any) -> str:
    try:
        values[variable.name] = variable.value(raw)
    except ValueError as error:
        return str(error)
    return ""


def _unknown(name: str, variables: Sequence[VariableSpec]) -> Problem:
    known = ", ".join(v.name for v in variables) or "none"
    return Problem(("inputs", name), f"There is no variable “{name}” here. Known: {known}.")
