"""What the workflow studio's form posts: the cards' own shape (workflow_cards.py), and the spec it stands for."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from llm_admin.admin import playground, workflow_forms, workflow_problems
from llm_admin.admin.document_saving import DocumentForm
from llm_admin.exceptions import InvalidInput
from llm_admin.schemas.base import parse
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services.families import WORKFLOWS

DEEPEST = 30


class WorkflowForm(DocumentForm):
    family = WORKFLOWS
    empty = {"inputs": [], "steps": [], "output": "", "outputs": []}
    same = "The steps are"

    def data(self, request: HttpRequest) -> dict[str, Any]:
        """Not checked yet, but a workflow by its outline."""
        return self.data_of(playground.posted_json(request.POST.get("spec", "")))

    def data_of(self, data: Any) -> dict[str, Any]:
        """Raises InvalidInput for what no page posts."""
        if not isinstance(data, dict) or not isinstance(data.get("steps"), list):
            raise InvalidInput(playground.NOT_WHOLE)
        if not _shallow(data):
            raise InvalidInput("Steps stand too deep within one another. Nothing was saved; reload the page.")
        return data

    def spec_of(self, data: dict[str, Any]) -> WorkflowSpec:
        steps = data["steps"]
        try:
            return parse(WorkflowSpec, data | {"steps": [workflow_forms.from_form(step) for step in steps]})
        except InvalidInput as error:
            raise InvalidInput([workflow_problems.placed(problem, steps) for problem in error.problems]) from None


def _shallow(data: Any) -> bool:
    """No page posts what is nested as deep as this; what reads it step within step would fall over it."""
    layer, deep = [data], 0
    while layer and deep <= DEEPEST:
        inner = [one.values() if isinstance(one, dict) else one for one in layer if isinstance(one, dict | list)]
        layer, deep = [value for one in inner for value in one], deep + 1
    return not layer


FORM = WorkflowForm()
