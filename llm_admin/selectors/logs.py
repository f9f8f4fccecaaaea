"""Single model calls, and what they are called."""

from __future__ import annotations

from typing import Any

from llm_admin.models import InteractionLog, InteractionText
from llm_admin.schemas.prompts import Parameters
from llm_admin.selectors.traces import Call

LISTED = ("prompt", "prompt_version", "workflow", "model", "user")
UNLISTED = ("prompt_version__spec",)
PLACED = ("deployment__connection",)  # where a list shows it
DETAILED = (*LISTED, *PLACED, "price", "run")


def call(log: InteractionLog) -> Call:
    return Call(log, InteractionText.objects.filter(log_id=log.pk).first())


def name_of(log: InteractionLog) -> str:
    """The workflow's or prompt's name. What a log names may be gone: no constraint keeps it."""
    subject = log.workflow if log.workflow_id else log.prompt
    if subject is not None:
        return str(subject)
    if log.workflow_id:
        return "Deleted workflow"
    return "Deleted prompt" if log.prompt_id else "Unsaved text"


def detail_of(log: InteractionLog) -> str:
    """Which version of a prompt, or which step and prompt of a workflow."""
    version = str(log.prompt_version or "")
    if not log.workflow_id:
        return version or ("Unsaved changes" if log.prompt_id else "")
    prompt = f"{log.prompt} {version}".strip() if log.prompt else ""
    return ", ".join(part for part in (f"Step {log.step_path}" if log.step_path else "", prompt) if part)


def advice_of(log: InteractionLog) -> str:
    """What the run says about the failure, where this call is what it failed of."""
    return log.run.error_message if log.run and log.error_kind and log.run.error_kind == log.error_kind else ""


def parameters_of(text: InteractionText | None) -> list[tuple[str, Any]]:
    """The settings of a call under the names that the studio gives them."""
    given = text.parameters if text else {}
    titles = {name: field.title for name, field in Parameters.model_fields.items()}
    return [
        (
            titles.get(name) or name.replace("_", " ").capitalize(),
            ", ".join(value) if isinstance(value, list) else value,
        )
        for name, value in given.items()
    ]
