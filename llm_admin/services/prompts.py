"""Prompts: the shared machinery of documents, for `PromptSpec`s."""

from __future__ import annotations

from typing import Any

from llm_admin.models import Prompt, PromptVersion
from llm_admin.schemas.prompts import PromptSpec
from llm_admin.services import documents
from llm_admin.services.actors import Actor
from llm_admin.services.families import PROMPTS


def create(*, actor: Actor, name: str, spec: PromptSpec, **details: Any) -> Prompt:
    """`details`: note, description, slug."""
    return documents.create(PROMPTS, actor=actor, name=name, spec=spec, **details)


def change(prompt: Prompt, *, actor: Actor, name: str, description: str | None = None) -> None:
    documents.change(PROMPTS, prompt, actor=actor, name=name, description=description)


def get(*, actor: Actor, slug: str) -> Prompt:
    return documents.get(PROMPTS, actor=actor, slug=slug)


def save_version(prompt: Prompt, *, actor: Actor, spec: PromptSpec, **details: Any) -> PromptVersion:
    """`details`: note, publish, based_on."""
    return documents.save_version(prompt, actor=actor, spec=spec, **details)
