"""Steps of batches, and how a batch stands, for tests of them."""

from __future__ import annotations

from llm_admin.choices import BatchStatus
from llm_admin.models import Batch, BatchRow
from llm_admin.services import batch_pump
from tests.services.test_execution import wait_until

ASK = {"type": "llm", "id": "answer", "text": "About {{topic}}"}
COPY = {"type": "template", "id": "copy", "text": "{{topic}}"}
NUMBER = {"type": "parser", "id": "number", "source": "copy", "format": "number"}
APPROVE = {"type": "approval", "id": "approved", "question": "Fit?"}


def status(batch):
    return Batch.objects.get(pk=batch.pk).status


def ended(batch, to=BatchStatus.FINISHED):
    """Also nobody drives it any more."""
    wait_until(lambda: status(batch) == to and batch.pk not in batch_pump._pumping, 30)
    batch.refresh_from_db()
    return batch


def rows(batch, *fields):
    return list(BatchRow.objects.filter(batch=batch).order_by("number").values_list(*fields, flat=len(fields) == 1))


def topics(count):
    return [f"topic {number}" for number in range(1, count + 1)]
