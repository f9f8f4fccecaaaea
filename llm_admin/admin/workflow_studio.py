"""The workflow's studio: its cards, and running them."""

from __future__ import annotations

from typing import Any

from django.forms import Media
from django_jsonform.widgets import JSONFormWidget

from llm_admin.admin import workflow_cards
from llm_admin.admin.document_saving import Draft
from llm_admin.admin.document_studio import Page, Studio, base_state
from llm_admin.admin.workflow_running import fields
from llm_admin.admin.workflow_saving import FORM
from llm_admin.exceptions import Conflict, Problem
from llm_admin.services import documents


class WorkflowStudio(Studio):
    form = FORM
    template = "llm_admin/workflows/studio.html"
    unsaved = "Unsaved steps"

    def worded(self, problem: Problem, draft: Draft) -> str:
        return workflow_cards.worded(problem, draft.spec["steps"])

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
        pickers = workflow_cards.Pickers.load()
        return {
            "media": JSONFormWidget(schema={}).media + Media(js=["llm_admin/js/jsonform.js"]),
            "cards": workflow_cards.cards(draft.spec["steps"], pickers, editable=page.may_save),
            "types": workflow_cards.types(),
            "inputs_form": workflow_cards.inputs_form(inputs, editable=page.may_save),
            "models": pickers.models,
            "fields": fields(inputs, page.run.inputs if page.run else {}, typed=True),
            "state": base_state(page)
            | {"output": draft.spec.get("output", ""), "unsaved": bool(draft.problems or draft.conflict)},
        }
