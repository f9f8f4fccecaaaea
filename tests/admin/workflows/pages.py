"""The addresses of the workflows' pages, and what these pages post."""

from __future__ import annotations

import json

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.models import Workflow
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import catalogue, documents

LIST = reverse("admin:llm_admin_workflow_changelist")
ADD = reverse("admin:llm_admin_workflow_add")
CARD = reverse("admin:llm_admin_workflow_card")
COPY = reverse("admin:llm_admin_workflow_copy")
TRY = reverse("admin:llm_admin_workflow_try")
TRY_FIELDS = reverse("admin:llm_admin_workflow_try_fields")
FIELDS = reverse("admin:llm_admin_workflow_fields")
VARIABLES = reverse("admin:llm_admin_workflow_variables")
RUN = reverse("admin:llm_admin_workflow_run")


def data(title="", **changes):
    """As the page posts it: the prompt's inputs by variable."""
    steps = [
        {
            "type": "prompt",
            "id": "brief",
            "prompt": "weather-report",
            "inputs": {"product": "A {{thing}}", "audience": ""},
        },
        {"type": "llm", "id": "answer", "title": title, "messages_from": "brief"},
    ]
    inputs = [{"name": "thing", "type": "text", "label": "The thing"}, {"name": "audience", "default": "all"}]
    return {"schema_version": 1, "inputs": inputs, "steps": steps, "output": ""} | changes


def spec(title=""):
    raw = data(title)
    raw["steps"][0]["inputs"] = [{"name": "product", "value": "A {{thing}}"}]
    return WorkflowSpec.model_validate(raw)


def page(workflow, **query):
    return reverse("admin:llm_admin_workflow_change", args=[workflow.pk], query=query or None)


def posted(raw=None, **fields):
    text = raw if isinstance(raw, str) else json.dumps(raw or data())
    return {"name": "Product page", "description": "", "note": "", "based_on": "2", "spec": text} | fields


def numbers(workflow):
    """(newest, Live)"""
    return documents.newest(Workflow.objects.get(pk=workflow.pk)).number, documents.version_of(workflow).number


def queries_of(client, url):
    catalogue.forget()  # what is cached for a second would make the counts differ
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def choices(card, name):
    return [choice["value"] for choice in card.schema["properties"][name]["choices"]]


def run(client, workflow=None, raw=None, **fields):
    values = {"input-thing": "kite", "input-audience": "everyone"} | fields
    if workflow:
        values |= {"workflow": workflow.pk, "version": 2}
    return client.post(RUN, {"spec": json.dumps(raw or data()), **values}, headers={"HX-Request": "true"})


def text_step(name, text="Some {{thing}}", **more):
    return {"type": "template", "id": name, "text": text, **more}


def branch_step(yes=(), no=(), **more):
    condition = {"value": "thing", "operator": "is", "to": "kite"}
    return {"type": "branch", "id": "way", "conditions": [condition], "yes": list(yes), "no": list(no), **more}


def loop_step(*steps, **more):
    return {"type": "for_each", "id": "each", "items": "thing", "steps": list(steps), **more}
