"""The workflow's studio: its cards, and running them."""

from __future__ import annotations

from typing import Any

from django.forms import Media
from django_jsonform.widgets import JSONFormWidget

from llm_admin.admin import workflow_cards, workflow_forms, workflow_problems
from llm_admin.admin.document_saving import Draft
from llm_admin.admin.document_studio import Page, Studio, base_state
from llm_admin.admin.workflow_pickers import Pickers
from llm_admin.admin.workflow_running import fields
from llm_admin.admin.workflow_saving import FORM
from llm_admin.exceptions import Conflict, Problem
from llm_admin.services import answers, documents

SCRIPTS = (
    "jsonform",
    "workflow_cards",
    "workflow_names",
    "workflow_renaming",
    "workflow_prompts",
    "workflow_problems",
    "workflow_diagram",
    "workflow_moving",
    "workflow_adding",
    "workflow_trying",
    "workflow",
)


class WorkflowStudio(Studio):
    form = FORM
    template = "llm_admin/workflows/studio.html"
    unsaved = "Unsaved steps"

    def worded(self, problem: Problem, draft: Draft) -> str:
        return workflow_problems.worded(problem, draft.spec["steps"])

    def collided(self, document: Any, draft: Draft, error: Conflict) -> None:
        """Cards cannot be copied and pasted, so saving once more, knowingly, puts them on top of the other version."""
        document.refresh_from_db()
        newest = documents.newest(document)
        who = newest.created_by or "Somebody"
        draft.based_on = newest.number
        draft.conflict = (
            f"{who} saved {newest} since you opened this page. Nothing of yours is lost: it is all still here. "
            f"Look at {newest} first; if yours should replace it, save again, and it becomes v{newest.number + 1}."
        )

    def panels(self, page: Page) -> dict[str, Any]:
        draft = page.draft
        inputs = draft.spec.get("inputs")
        pickers = Pickers.load()
        return {
            "media": JSONFormWidget(schema={}).media + Media(js=[f"llm_admin/js/{name}.js" for name in SCRIPTS]),
            "cards": workflow_cards.cards(draft.spec["steps"], pickers, editable=page.may_save),
            "groups": workflow_cards.groups(),
            "inputs_form": workflow_forms.inputs_form(inputs, editable=page.may_save),
            "outputs_form": workflow_forms.outputs_form(draft.spec.get("outputs"), editable=page.may_save),
            "models": pickers.models,
            "may_cache": bool(answers.applies(page.actor.workspace)),
            "fields": fields(inputs, page.run.inputs if page.run else {}, typed=True),
            "state": base_state(page)
            | {
                "output": _text(draft.spec.get("output")),
                "several": bool(draft.spec.get("outputs")),
                "unsaved": bool(draft.problems or draft.conflict),
            },
        }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
