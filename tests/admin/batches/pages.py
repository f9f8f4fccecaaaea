"""The addresses of the batches' pages, and what these pages post."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.services import catalogue

LIST = reverse("admin:llm_admin_batch_changelist")
ADD = reverse("admin:llm_admin_batch_add")
INPUTS = reverse("admin:llm_admin_batch_inputs")
ROWS = "Full name;Age\nAda;36\nBob;7\n"
HTMX = {"HX-Request": "true"}


def url(name, batch, **query):
    return reverse(f"admin:llm_admin_batch_{name}", args=[batch.pk], query=query or None)


def upload(client, workflow, rows=ROWS, name="people.csv"):
    """The address of the page that maps the columns."""
    file = SimpleUploadedFile(name, rows if isinstance(rows, bytes) else rows.encode())
    answer = client.post(ADD, {"workflow": workflow.pk, "file": file})
    assert answer.status_code == 302, answer.content.decode()
    return answer["Location"]


def mapped(**changes):
    return {"from-name": "0", "from-age": "1", "from-tone": "", "concurrency": "5", "model": "", "most": ""} | changes


def text(answer):
    return answer.content.decode()


def queries_of(client, address):
    catalogue.forget()  # what is cached for a second would make the counts differ
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)
