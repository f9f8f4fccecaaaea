from __future__ import annotations

import pytest

from llm_admin.models import Deployment
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import batches, documents
from llm_admin.services.batches import RowInput
from tests import factories


@pytest.fixture
def behave(scope):
    def change(behaviour):
        deployment = Deployment.objects.get()
        deployment.provider_model = f"demo:{behaviour}"
        deployment.save()

    return change


@pytest.fixture
def begin(scope, system):
    """begin(ASK, topics=[...]) -> a batch that has started."""

    def go(*steps, topics, actor=None, **details):
        spec = WorkflowSpec.model_validate({"inputs": [{"name": "topic"}], "steps": list(steps)})
        workflow = factories.workflow(scope, spec=spec)
        rows = [RowInput({"topic": topic}, {"Topic": topic}) for topic in topics]
        version = documents.version_of(workflow)
        return batches.start(actor=actor or system, workflow=workflow, version=version, rows=rows, **details)

    return go
