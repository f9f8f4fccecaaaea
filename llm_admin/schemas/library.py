"""The library file: a versioned envelope around prompts and workflows with their versions, notes and labels.

Keys that are not ours are not read (whoever reads the file lists them); specs themselves are strict.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from llm_admin.schemas import prompts, workflows
from llm_admin.schemas.base import duplicates
from llm_admin.schemas.checks import TestInput
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.schemas.workflows import WorkflowSpec

FORMAT = "llm-console-library"
VERSION = 1
SLUG = re.compile(r"^[-a-zA-Z0-9_]{1,100}$")
LABEL = re.compile(r"^[A-Za-z0-9_.-]{1,36}$")


class LibraryPart(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class DocumentVersion(LibraryPart):
    number: int = Field(ge=1)
    note: str = Field(default="", max_length=500)
    spec: Any


class PromptEntryVersion(DocumentVersion):
    spec: Annotated[PromptSpec, BeforeValidator(prompts.upgrade)]


class WorkflowEntryVersion(DocumentVersion):
    spec: Annotated[WorkflowSpec, BeforeValidator(workflows.upgrade)]


class DocumentEntry(LibraryPart):
    """`labels`: name -> number of the version that holds it. `tests`: only of prompts."""

    name: str = Field(min_length=1, max_length=200)
    slug: str = ""
    description: str = Field(default="", max_length=500)
    labels: dict[str, int] = Field(default_factory=dict)
    folder: str = Field(default="", max_length=200)
    tags: list[Annotated[str, Field(min_length=1, max_length=50)]] = Field(default_factory=list, max_length=20)
    tests: list[TestInput] = Field(default_factory=list, max_length=100)
    versions: list[Any] = Field(min_length=1, max_length=1_000)

    @field_validator("name")
    @classmethod
    def _named(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("This must not be empty.")
        return name

    @field_validator("slug")
    @classmethod
    def _short_name(cls, slug: str) -> str:
        if slug and not SLUG.match(slug):
            raise ValueError("A short name has up to 100 letters, digits, hyphens and underscores.")
        return slug

    @field_validator("labels")
    @classmethod
    def _label_names(cls, labels: dict[str, int]) -> dict[str, int]:
        for name in labels:
            if not LABEL.match(name):
                raise ValueError(f"“{name[:40]}” is no label: up to 36 letters, digits, dots, hyphens, underscores.")
        return labels

    @model_validator(mode="after")
    def _numbers_fit(self) -> Self:
        if same := duplicates(test.name for test in self.tests):
            raise ValueError(f"There are two test inputs “{self.tests[same[0]].name}”.")
        numbers = [version.number for version in self.versions]
        if twice := duplicates(map(str, numbers)):
            raise ValueError(f"There are two versions {numbers[twice[0]]}.")
        for name, number in self.labels.items():
            if number not in numbers:
                raise ValueError(f"The label “{name}” is on version {number}, which is not here.")
        return self


class PromptEntry(DocumentEntry):
    versions: list[PromptEntryVersion] = Field(min_length=1, max_length=1_000)


class WorkflowEntry(DocumentEntry):
    versions: list[WorkflowEntryVersion] = Field(min_length=1, max_length=1_000)


class LibraryFile(LibraryPart):
    format: Literal["llm-console-library"] = "llm-console-library"
    version: int = VERSION
    exported_at: str = ""
    app_version: str = ""
    prompts: list[PromptEntry] = Field(default_factory=list)
    workflows: list[WorkflowEntry] = Field(default_factory=list)

    @field_validator("version")
    @classmethod
    def _readable(cls, version: int) -> int:
        if version != VERSION:
            raise ValueError(f"This file is of format {version}; this console reads format {VERSION}. Update it.")
        return version
