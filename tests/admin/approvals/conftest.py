from __future__ import annotations

import itertools

import pytest
from django.utils import timezone

from llm_admin.choices import RunKind, RunStatus, StepStatus
from llm_admin.models import Approval, RunStep
from tests import log_rows

_numbers = itertools.count(1)


@pytest.fixture
def asked(scope):
    """asked(owner=..., role="author", people=[...]) -> what a waiting run waits for."""

    def make(owner=None, people=(), title="Fit to be sent?", **values):
        run = log_rows.run(
            scope,
            kind=RunKind.WORKFLOW,
            title=f"Letters v{next(_numbers)}",
            owner=owner,
            status=RunStatus.WAITING,
            inputs={"topic": "the rain"},
            started_at=timezone.now(),
        )
        for path, kind, output in (("1", "llm", "A first draft"), ("2", "approval", None)):
            status = StepStatus.SUCCEEDED if output else StepStatus.WAITING
            RunStep.objects.create(
                run=run, path=path, step_id=f"s{path}", type=kind, title=f"Step {path}", status=status, output=output,
                started_at=timezone.now(), ended_at=timezone.now() if output else None,
            )  # fmt: skip
        details = {"question": "Is it true?", "proposed": "Dear all, it rains.", "role": "author"} | values
        made = Approval.objects.create(
            workspace=scope, run=run, path="2", step_id="s2", title=title, asked_at=timezone.now(), **details
        )
        made.people.set(people)
        return made

    return make
