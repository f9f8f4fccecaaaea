"""The kinds of documents, each with its tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models

from llm_admin.models import Prompt, Workflow


@dataclass(frozen=True)
class Family:
    """The tables of one kind of document."""

    noun: str
    document: type[Any]

    @property
    def version(self) -> type[Any]:
        return self._related("versions")

    @property
    def label(self) -> type[Any]:
        return self._related("labels")

    @property
    def event(self) -> type[Any]:
        return self._related("label_events")

    @property
    def alias(self) -> type[Any]:
        return self._related("aliases")

    def _related(self, name: str) -> type[Any]:
        return self.document._meta.get_field(name).related_model


PROMPTS = Family("prompt", Prompt)
WORKFLOWS = Family("workflow", Workflow)


def family_of(document: models.Model) -> Family:
    return PROMPTS if isinstance(document, Prompt) else WORKFLOWS
