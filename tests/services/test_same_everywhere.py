"""A workflow of three steps gives the same from the studio, the row action, the command and Python."""

from __future__ import annotations

import json
import re
import uuid

import pytest
from django.core.management import call_command
from django.urls import reverse

from llm_admin import run_workflow
from llm_admin.models import Deployment, DeploymentPrice, InteractionLog, Run, RunStep
from llm_admin.services import documents
from tests import factories
from tests.services.test_execution import ended

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def workflow(scope):
    DeploymentPrice.objects.all().delete()
    DeploymentPrice.objects.create(deployment=Deployment.objects.get(), input_per_million=1, output_per_million=2)
    return factories.workflow(scope)


def run_id_in(response):
    assert response.status_code == 200, response.content.decode()
    return re.search(r'data-run-id="([0-9a-f-]{36})"', response.content.decode()).group(1)


def from_studio(client, workflow):
    version = documents.version_of(workflow)
    data = {
        "workflow": workflow.pk,
        "spec": json.dumps(version.spec),
        "version": version.number,
        "input-topic": "rain",
        "client_key": uuid.uuid4().hex,
    }
    return run_id_in(client.post(reverse("admin:llm_admin_workflow_run"), data, headers={"HX-Request": "true"}))


def from_row_action(client, workflow):
    url = reverse("admin:llm_admin_workflow_run_dialog")
    form = client.get(url, {"pk": workflow.pk}, headers={"HX-Request": "true"}).content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
    data = fields | {"pk": workflow.pk, "input-topic": "rain"}
    return run_id_in(client.post(url, data, headers={"HX-Request": "true"}))


def from_command(workflow, capsys):
    call_command("run_workflow", workflow.slug, "--input", "topic=rain", "--json")
    return json.loads(capsys.readouterr().out)["run_id"]


def facts(run_id):
    run = ended(Run.objects.get(pk=run_id))
    steps = RunStep.objects.filter(run=run).values_list("path", "step_id", "type", "status", "input", "output")
    logs = InteractionLog.objects.filter(run=run).order_by("id")
    calls = logs.values_list("step_path", "prompt_version", "model", "input_tokens", "output_tokens", "cost_nano")
    return {
        "status": run.status,
        "output": run.output,
        "version": run.workflow_version_id,
        "plan": run.spec,
        "steps": list(steps),
        "calls": list(calls),
        "totals": (run.calls, run.input_tokens, run.output_tokens, run.cost_nano),
    }


def test_all_four_ways_give_the_same(workflow, login, member, capsys):
    client = login(member("author"))
    everywhere = [
        facts(from_studio(client, workflow)),
        facts(from_row_action(client, workflow)),
        facts(from_command(workflow, capsys)),
        facts(run_workflow(workflow.slug, {"topic": "rain"}).run_id),
    ]
    first = everywhere[0]
    assert first["status"] == "succeeded"
    assert [step[3] for step in first["steps"]] == ["succeeded"] * 3
    assert isinstance(first["output"], dict)
    assert first["totals"][3] > 0
    assert everywhere[1:] == [first] * 3
