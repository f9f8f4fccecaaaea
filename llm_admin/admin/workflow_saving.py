"""What the workflow studio's form posts: the cards' own shape (workflow_cards.py), and the spec it stands for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from llm_admin.admin import playground, workflow_cards
from llm_admin.admin.document_saving import DocumentForm
from llm_admin.exceptions import InvalidInput
from llm_admin.schemas.base import parse
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services.families import WORKFLOWS


class WorkflowForm(DocumentForm):
    family = WORKFLOWS
    empty = {"inputs": [], "steps": [], "output": ""}
    same = "The steps are"

    def data(self, request: HttpRequest) -> dict[str, Any]:
        """Not checked yet, but a workflow by its outline."""
        data = playground.posted_json(request.POST.get("spec", ""))
        if not isinstance(data, dict) or not isinstance(data.get("steps"), list):
            raise InvalidInput(playground.NOT_WHOLE)
        return data

    def spec_of(self, data: dict[str, Any]) -> WorkflowSpec:
        steps = data["steps"]
        try:
            return parse(WorkflowSpec, data | {"steps": [workflow_cards.from_form(step) for step in steps]})
        except InvalidInput as error:
            raise InvalidInput([workflow_cards.placed(problem, steps) for problem in error.problems]) from None


FORM = WorkflowForm()
