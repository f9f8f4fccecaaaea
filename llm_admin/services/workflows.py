"""Workflows: the shared machinery of documents, for `WorkflowSpec`s."""

from __future__ import annotations

from typing import Any

from llm_admin.models import Workflow, WorkflowVersion
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import documents
from llm_admin.services.actors import Actor
from llm_admin.services.families import WORKFLOWS


def create(*, actor: Actor, name: str, spec: WorkflowSpec, **details: Any) -> Workflow:
    """`details`: note, description, slug."""
    return documents.create(WORKFLOWS, actor=actor, name=name, spec=spec, **details)


def change(workflow: Workflow, *, actor: Actor, name: str, description: str | None = None) -> None:
    documents.change(WORKFLOWS, workflow, actor=actor, name=name, description=description)


def get(*, actor: Actor, slug: str) -> Workflow:
    return documents.get(WORKFLOWS, actor=actor, slug=slug)


def save_version(workflow: Workflow, *, actor: Actor, spec: WorkflowSpec, **details: Any) -> WorkflowVersion:
    """`details`: note, publish, based_on."""
    return documents.save_version(workflow, actor=actor, spec=spec, **details)
