"""Objects for tests, made through the services where there is one, so that they are what the product makes."""

from __future__ import annotations

import itertools
from typing import Any

from django.contrib.auth import get_user_model

from llm_admin.choices import Role
from llm_admin.models import Membership, Prompt, Workflow, Workspace
from llm_admin.schemas.prompts import MessageSpec, PromptSpec, declare
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import actors, prompts, workflows, workspaces

_numbers = itertools.count(1)


def user(username: str = "", **details: Any) -> Any:
    details = {"is_staff": True} | details
    return get_user_model().objects.create_user(username or f"user{next(_numbers)}", password="demo", **details)


def workspace(name: str = "") -> Workspace:
    number = next(_numbers)
    return workspaces.create(slug=f"workspace-{number}", name=name or f"Workspace {number}")


def member(where: Workspace, *, role: str = Role.AUTHOR, username: str = "") -> Any:
    person = user(username)
    Membership.objects.with_scopes_disabled().create(workspace=where, user=person, role=role)
    return person


def chat_spec(
    user_text: str = "Tell me about {{topic}}.", system_text: str = "You are terse.", **details: Any
) -> PromptSpec:
    messages = [MessageSpec(role="system", text=system_text)] if system_text else []
    return declare(PromptSpec(messages=[*messages, MessageSpec(role="user", text=user_text)], **details))


def prompt(where: Workspace, *, name: str = "", spec: PromptSpec | None = None, versions: int = 1) -> Prompt:
    actor = actors.system(where)
    made = prompts.create(actor=actor, name=name or f"Prompt {next(_numbers)}", spec=spec or chat_spec())
    for number in range(2, versions + 1):
        prompts.save_version(made, actor=actor, spec=chat_spec(f"Version {number} about {{{{topic}}}}."))
    return made


def workflow_spec(prompt_slug: str) -> WorkflowSpec:
    """Three steps: fill in a prompt, ask the model, read JSON."""
    return WorkflowSpec.model_validate(
        {
            "inputs": [{"name": "topic", "type": "text"}],
            "steps": [
                {"type": "prompt", "id": "question", "prompt": prompt_slug},
                {"type": "llm", "id": "answer", "messages_from": "question"},
                {"type": "parser", "id": "data", "source": "answer", "format": "json"},
            ],
        }
    )


def workflow(where: Workspace, *, name: str = "", spec: WorkflowSpec | None = None) -> Workflow:
    actor = actors.system(where)
    if spec is None:
        json_prompt = prompt(where, spec=chat_spec('Answer as JSON with the key "title": {{topic}}'))
        spec = workflow_spec(json_prompt.slug)
    return workflows.create(actor=actor, name=name or f"Workflow {next(_numbers)}", spec=spec)
