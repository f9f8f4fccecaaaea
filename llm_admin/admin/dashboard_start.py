"""What an empty console shows instead of zeros."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse

from llm_admin.models import Connection, Prompt, Workflow
from llm_admin.services.actors import Actor


@dataclass(frozen=True)
class FirstStep:
    title: str
    text: str
    url: str = ""
    action: str = ""
    done: bool = False


def first_steps(actor: Actor) -> list[FirstStep]:
    """What an empty console shows instead of zeros."""
    return [_try_a_prompt(actor), _connect_a_model(actor), _run_a_workflow(actor)]


def _try_a_prompt(actor: Actor) -> FirstStep:
    title = "Try a prompt"
    if Prompt.objects.exists():
        text = "Open one, fill in its variables and press Run. The demo model answers at once and costs nothing."
        return FirstStep(title, text, reverse("admin:llm_admin_prompt_changelist"), "Open the prompts")
    if actor.may("import_prompt"):
        text = "There are no prompts yet. Import some, or write your first one."
        return FirstStep(title, text, reverse("admin:llm_admin_prompt_import"), "Import prompts")
    return FirstStep(title, "There are no prompts yet. Ask an author of the workspace to write or import some.")


def _connect_a_model(actor: Actor) -> FirstStep:
    title = "Connect a model"
    if Connection.objects.exclude(provider="fake").exists():
        return FirstStep(title, "A provider is connected.", done=True)
    if actor.may("add_connection"):
        text = "Until then the demo model answers. You need a provider's key, or the address of a server of your own."
        return FirstStep(title, text, reverse("admin:llm_admin_connection_add"), "Add a connection")
    return FirstStep(title, "Until then the demo model answers. An operator of the workspace can connect a real one.")


def _run_a_workflow(actor: Actor) -> FirstStep:
    title = "Run a workflow"
    text = "Several steps, one after the other: each one fills in as it runs, with its time and cost."
    page = reverse("admin:llm_admin_workflow_changelist")
    action = "Open the workflows" if Workflow.objects.exists() else "Make a workflow"
    return FirstStep(title, text, page, action if Workflow.objects.exists() or actor.may("add_workflow") else "")
