"""Variables: one schema for the try-it form, the run form and the validation of values from code and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field, field_validator

from llm_admin.conf import settings
from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.schemas.base import IDENTIFIER, Spec


class VariableSpec(Spec):
    name: str = Field(title="Name", min_length=1, max_length=60)
    type: Literal["text", "long_text"] = Field(default="long_text", title="Kind")
    label: str = Field(default="", title="Label", max_length=100)
    help: str = Field(default="", title="Help", max_length=300)
    default: str = Field(default="", title="Default")
    required: bool = Field(default=True, title="Required")

    @field_validator("name")
    @classmethod
    def _identifier(cls, name: str) -> str:
        if not IDENTIFIER.match(name):
            raise ValueError("A name has letters, digits and underscores, and does not begin with a digit.")
        return name

    @property
    def title(self) -> str:
        return self.label or self.name.replace("_", " ").capitalize()


def check_values(variables: Sequence[VariableSpec], given: Mapping[str, Any]) -> dict[str, str]:
    """Every declared name with its value or default. Raises InvalidInput at ("inputs", name)."""
    problems = [_unknown(name, variables) for name in given if name not in {v.name for v in variables}]
    values: dict[str, str] = {}
    for variable in variables:
        value = given.get(variable.name)
        text = variable.default if value is None or value == "" else value
        if not isinstance(text, str):
            text = str(text)
        if variable.required and not text:
            problems.append(Problem(("inputs", variable.name), f"“{variable.title}” is needed; fill it in."))
        elif len(text) > settings().MAX_INPUT_CHARACTERS:
            limit = f"{settings().MAX_INPUT_CHARACTERS:,}"
            problems.append(
                Problem(("inputs", variable.name), f"“{variable.title}” is longer than {limit} characters.")
            )
        values[variable.name] = text
    if problems:
        raise InvalidInput(problems)
    return values


def _unknown(name: str, variables: Sequence[VariableSpec]) -> Problem:
    known = ", ".join(v.name for v in variables) or "none"
    return Problem(("inputs", name), f"There is no variable “{name}” here. Known: {known}.")
