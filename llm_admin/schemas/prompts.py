"""PromptSpec: what one version of a prompt says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.schemas import template
from llm_admin.schemas.base import IDENTIFIER, Spec, duplicates, parse
from llm_admin.schemas.variables import VariableSpec, check_values

MAX_TEXT = 1_000_000


def _single_newlines(text: Any) -> Any:
    """Browsers send CRLF; what an author sees as one line break is stored as one."""
    return text.replace("\r\n", "\n") if isinstance(text, str) else text


Text = Annotated[str, BeforeValidator(_single_newlines), Field(max_length=MAX_TEXT)]
Role = Literal["system", "user", "assistant"]


class MessageSpec(Spec):
    """A text in a role, or (role *placeholder*) the place of a list of messages called `name`."""

    role: Literal["system", "user", "assistant", "placeholder"] = Field(default="user", title="Role")
    text: Text = Field(default="", title="Text")
    name: str = Field(default="", title="Name of the list", max_length=60)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.role == "placeholder":
            if not IDENTIFIER.match(self.name):
                raise ValueError("Give the list of messages a name of letters, digits and underscores.")
        elif not self.text.strip():
            raise ValueError("This message is empty; write something or remove it.")
        return self


class PastMessage(Spec):
    """One message of a list that fills a placeholder."""

    role: Role
    text: Text


class Parameters(Spec):
    """Settings of a call. None: the provider's own default."""

    temperature: float | None = Field(default=None, ge=0, le=2, title="Temperature")
    top_p: float | None = Field(default=None, gt=0, le=1, title="Top p")
    max_tokens: int | None = Field(default=None, ge=1, title="Longest answer, in tokens")
    stop: list[str] = Field(
        default_factory=list,
        max_length=4,
        title="Stop sequences",
        json_schema_extra={"add_title": "Add a stop sequence"},
    )

    def given(self) -> dict[str, Any]:
        return {k: v for k, v in self.model_dump().items() if v not in (None, [])}


class PromptSpec(Spec):
    schema_version: Literal[1] = 1
    kind: Literal["chat", "text"] = Field(default="chat", title="Kind")
    messages: list[MessageSpec] = Field(min_length=1, max_length=200, title="Messages")
    variables: list[VariableSpec] = Field(default_factory=list, max_length=100, title="Variables")
    model: str | None = Field(default=None, max_length=60, title="Model")
    parameters: Parameters = Field(default_factory=Parameters, title="Settings")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "text" and [m.role for m in self.messages] != ["user"]:
            raise ValueError("A text prompt has exactly one text.")
        if twice := duplicates(v.name for v in self.variables):
            raise ValueError(f"The variable “{self.variables[twice[0]].name}” is declared twice.")
        if both := {v.name for v in self.variables} & set(self.placeholders):
            raise ValueError(f"“{min(both)}” is both a variable and a list of messages; rename one.")
        return self

    @property
    def placeholders(self) -> list[str]:
        return [m.name for m in self.messages if m.role == "placeholder"]

    @property
    def texts(self) -> list[str]:
        return [m.text for m in self.messages if m.role != "placeholder"]

    def lookalikes(self) -> list[str]:
        """Single-braced words that an author may have meant as variables."""
        return list(dict.fromkeys(name for text in self.texts for name in template.lookalikes(text)))


def text_spec(text: str) -> PromptSpec:
    """A text prompt whose `{{names}}` are all variables."""
    return declare(PromptSpec(kind="text", messages=[MessageSpec(text=text)]))


def declare(spec: PromptSpec) -> PromptSpec:
    """Variables as the texts use them: new `{{names}}` declared, unused ones dropped, the details of others kept."""
    known = {v.name: v for v in spec.variables}
    names = dict.fromkeys(name for text in spec.texts for name in template.identifiers(text))
    variables = [known[name].model_dump() if name in known else {"name": name} for name in names]
    return parse(PromptSpec, spec.model_dump() | {"variables": variables})


def check_inputs(spec: PromptSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values for the variables, and lists of {role, text} for the placeholders (none given: an empty list)."""
    lists = {name: _messages(name, given.get(name) or []) for name in spec.placeholders}
    values = check_values(spec.variables, {k: v for k, v in given.items() if k not in lists})
    return {**values, **lists}


def _messages(name: str, given: Any) -> list[dict[str, str]]:
    if not isinstance(given, list):
        raise InvalidInput([Problem(("inputs", name), "This must be a list of messages, each with a role and a text.")])
    parsed = [parse(PastMessage, one, prefix=("inputs", name, position)) for position, one in enumerate(given)]
    return [message.model_dump() for message in parsed]


def upgrade(data: Any) -> Any:
    """Stored specs of older schema versions become today's; there is only version 1 so far."""
    return data
