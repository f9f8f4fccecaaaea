"""PromptSpec: what one version of a prompt says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from llm_admin.exceptions import InvalidInput, Problem
from llm_admin.schemas import template
from llm_admin.schemas.base import IDENTIFIER, JsonObject, Spec, duplicates, parse
from llm_admin.schemas.outputs import OutputSpec
from llm_admin.schemas.syntaxes import Syntax, syntax_of
from llm_admin.schemas.variables import VariableSpec, check_values

MAX_TEXT = 1_000_000
LINE_ENDS = re.compile(r"\r+\n")


def _single_newlines(text: Any) -> Any:
    """Browsers send CRLF; what an author sees as one line break is stored as one, also when it is read again."""
    return LINE_ENDS.sub("\n", text) if isinstance(text, str) else text


Text = Annotated[str, BeforeValidator(_single_newlines), Field(max_length=MAX_TEXT)]
Role = Literal["system", "user", "assistant"]
CacheMode = Literal["", "never", "deterministic", "always"]
CACHE_WORDS = {"never": "never", "deterministic": "at temperature 0", "always": "always"}


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


RESERVED = frozenset(("model", "messages", "stream", "stream_options", "response_format", "n", "api_key", "base_url"))


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

    presence_penalty: float | None = Field(default=None, ge=-2, le=2, title="Presence penalty")
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2, title="Frequency penalty")
    seed: int | None = Field(default=None, ge=0, le=2**63 - 1, title="Seed")
    extra: JsonObject = Field(
        default_factory=dict,
        title="Further settings",
        description="Sent to the provider as they are.",
        json_schema_extra={"left_out": True},
    )

    @field_validator("extra")
    @classmethod
    def _not_ours(cls, extra: dict[str, Any]) -> dict[str, Any]:
        if taken := set(extra) & (RESERVED | set(cls.model_fields)):
            raise ValueError(f"“{min(taken)}” cannot be given here.")
        return extra

    def given(self) -> dict[str, Any]:
        own = self.model_dump(exclude={"extra"})
        return {**self.extra, **{k: v for k, v in own.items() if v not in (None, [])}}


class PromptSpec(Spec):
    schema_version: Literal[1] = 1
    kind: Literal["chat", "text"] = Field(default="chat", title="Kind")
    syntax: Syntax = Field(default="console", title="Syntax of the variables")
    messages: list[MessageSpec] = Field(min_length=1, max_length=200, title="Messages")
    variables: list[VariableSpec] = Field(default_factory=list, max_length=100, title="Variables")
    model: str | None = Field(default=None, max_length=60, title="Model")
    parameters: Parameters = Field(default_factory=Parameters, title="Settings")
    output: OutputSpec = Field(default_factory=OutputSpec, title="Answer")
    cache: CacheMode = Field(default="", title="Answers from the cache")  # "": as the workspace says

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "text" and [m.role for m in self.messages] != ["user"]:
            raise ValueError("A text prompt has exactly one text.")
        if twice := duplicates(v.name for v in self.variables):
            raise ValueError(f"The variable “{self.variables[twice[0]].name}” is declared twice.")
        if both := {v.name for v in self.variables} & set(self.placeholders):
            raise ValueError(f"“{min(both)}” is both a variable and a list of messages; rename one.")
        if errors := self._broken_texts():
            raise ValidationError.from_exception_data("PromptSpec", errors)
        return self

    def _broken_texts(self) -> list[InitErrorDetails]:
        if self.syntax == "console":
            return []
        problem = syntax_of(self.syntax).problem
        found = [(at, problem(m.text)) for at, m in enumerate(self.messages) if m.role != "placeholder"]
        return [
            InitErrorDetails(type=PydanticCustomError("template", "{m}", {"m": wrong}), loc=("messages", at), input="")
            for at, wrong in found
            if wrong
        ]

    @property
    def placeholders(self) -> list[str]:
        return [m.name for m in self.messages if m.role == "placeholder"]

    @property
    def texts(self) -> list[str]:
        return [m.text for m in self.messages if m.role != "placeholder"]

    def lookalikes(self) -> list[str]:
        """Single-braced words that an author may have meant as variables."""
        if self.syntax != "console":
            return []
        return list(dict.fromkeys(name for text in self.texts for name in template.lookalikes(text)))

    def names(self) -> list[str]:
        """The variables that the texts name."""
        find = syntax_of(self.syntax).names
        return list(dict.fromkeys(name for text in self.texts for name in find(text)))

    def call_parameters(self) -> dict[str, Any]:
        wanted = self.output.response_format()
        return self.parameters.given() | ({"response_format": wanted} if wanted else {})


def text_spec(text: str) -> PromptSpec:
    """A text prompt whose `{{names}}` are all variables."""
    return declare(parse(PromptSpec, {"kind": "text", "messages": [{"text": text}]}))


def declare(spec: PromptSpec) -> PromptSpec:
    """Variables as the texts use them: new `{{names}}` declared, unused ones dropped, the details of others kept."""
    known = {v.name: v for v in spec.variables}
    variables = [known[name].model_dump() if name in known else {"name": name} for name in spec.names()]
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


def converted(spec: PromptSpec) -> PromptSpec:
    """The same prompt in our own syntax. Raises InvalidInput with the message that cannot be said in it."""
    if spec.syntax == "console":
        return spec
    translate = syntax_of(spec.syntax).to_console
    messages, problems = [], []
    for position, message in enumerate(spec.messages):
        text = message.text
        try:
            text = text if message.role == "placeholder" else translate(text)
        except ValueError as error:
            problems.append(Problem(("messages", position), str(error)))
        messages.append(message.model_dump() | {"text": text})
    if problems:
        raise InvalidInput(problems)
    return declare(parse(PromptSpec, spec.model_dump() | {"syntax": "console", "messages": messages}))
