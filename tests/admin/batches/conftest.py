from __future__ import annotations

import tempfile

import pytest
from django.utils import timezone

from llm_admin.choices import Role, RowStatus
from llm_admin.models import Batch, BatchRow
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import documents
from tests import factories

SPEC = {
    "inputs": [
        {"name": "name", "type": "text", "label": "Full name"},
        {"name": "age", "type": "number"},
        {"name": "tone", "type": "choice", "choices": ["warm", "dry"], "default": "warm"},
    ],
    "steps": [{"type": "template", "id": "greeting", "text": "{{name}} {{age}} {{tone}}"}],
}


@pytest.fixture(autouse=True)
def _uploads(tmp_path, monkeypatch):
    """Uploads of these tests go with them."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def ada(member):
    return member(Role.AUTHOR, "ada")


@pytest.fixture
def author(ada, login):
    return login(ada)


@pytest.fixture
def workflow(scope):
    return factories.workflow(scope, name="Greeting", spec=WorkflowSpec.model_validate(SPEC))


@pytest.fixture
def batch_of(scope, workflow, ada):
    """batch_of("succeeded", "failed", ..., owner=...) -> a batch with a row of each of these statuses."""

    def make(*statuses, **details):
        values = {
            "workspace": scope,
            "workflow": workflow,
            "workflow_version": documents.version_of(workflow),
            "title": "Greeting v1",
            "columns": ["Name"],
            "spec": {"workflow": SPEC, "model": None},
            "total": len(statuses),
            "status": "finished",
            "owner": ada,
            "created_at": timezone.now(),
        }
        batch = Batch.objects.create(**(values | details))
        rows = [
            BatchRow(
                batch=batch,
                number=number,
                inputs={"name": f"Person {number}"},
                original={"Name": f"Person {number}"},
                status=status,
                output={"greeting": f"Hello {number}"} if status == RowStatus.SUCCEEDED else None,
                problem="It broke." if status == RowStatus.FAILED else "",
                calls=1,
                cost_nano=1_000_000,
            )
            for number, status in enumerate(statuses, start=1)
        ]
        BatchRow.objects.bulk_create(rows)
        return batch

    return make
