"""Workflows that would break the server if they could: texts that double, answers that no database holds, paths
without end. Each ends as a failed run with a sentence."""

from __future__ import annotations

import pytest

from llm_admin.choices import ErrorKind, RunStatus
from llm_admin.models import Deployment, RunStep
from llm_admin.runtime.providers.fake import enqueue
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import runs
from tests import factories
from tests.services.test_execution import ended

pytestmark = pytest.mark.django_db(transaction=True)

ASK = {"type": "llm", "id": "answer", "text": "About {{topic}}"}
READ = {"type": "parser", "id": "data", "source": "answer", "format": "json"}


@pytest.fixture
def go(scope, system):
    def run(*steps, topic="rain", said=""):
        if said:
            enqueue("mean", said)
            deployment = Deployment.objects.get()
            deployment.provider_model = "demo:script=mean"
            deployment.save()
        spec = WorkflowSpec.model_validate({"inputs": [{"name": "topic"}], "steps": list(steps)})
        workflow = factories.workflow(scope, spec=spec)
        return ended(runs.start_workflow(actor=system, workflow=workflow, spec=spec, inputs={"topic": topic}))

    return run


def refused(run, words):
    assert (run.status, words in run.error_message) == (RunStatus.FAILED, True), (run.status, run.error_message)
    assert run.error_kind != ErrorKind.INTERNAL
    return run


@pytest.mark.parametrize(
    "said",
    [
        '{"a": ' + "9" * 5000 + "}",
        '{"a": 1e999}',
        '{"a": NaN}',
        '{"a": "\\u0000"}',
        '{"a": "\\ud800"}',
        '{"\\u0000": 1}',
        '{"a": ' + "[" * 200 + "]" * 200 + "}",
    ],
)
def test_json_that_no_database_holds_is_refused(go, said):
    refused(go(ASK, READ, said=said), "JSON")
    assert RunStep.objects.get(step_id="data").status == "failed"


@pytest.mark.parametrize("said", ["1e999", "1" + ",000" * 3000])
def test_numbers_that_are_none_are_refused(go, said):
    refused(go(ASK, READ | {"format": "number"}, said=said), "number")


def test_a_list_of_an_answer_too(go):
    refused(go(ASK, READ | {"format": "list"}, said="[NaN]"), "JSON")


def test_a_key_of_many_digits_names_nothing(go):
    run = go(
        {"type": "set", "id": "l", "value": '["x"]', "kind": "list"},
        {"type": "template", "id": "t", "text": "{{l." + "9" * 5000 + "}}"},
    )
    assert run.status == RunStatus.SUCCEEDED


@pytest.mark.parametrize("value", ["[1e999]", "[" + "9" * 5000 + "]", '["\\u0000"]', '["\\ud800"]', "[NaN]"])
def test_a_set_value_too(go, value):
    run = go({"type": "set", "id": "l", "value": "{{topic}}", "kind": "json"}, topic=value)
    assert run.status == RunStatus.FAILED and run.error_kind != ErrorKind.INTERNAL, run.error_message


def test_text_that_doubles_with_every_step_ends_in_a_sentence(go):
    double = [{"type": "template", "id": f"t{n}", "text": f"{{{{t{n - 1}}}}}" * 10} for n in range(1, 12)]
    run = refused(go({"type": "template", "id": "t0", "text": "x" * 1000}, *double), "characters")
    assert run.error_step == "t5"


def test_one_step_that_repeats_a_long_text_too(go):
    long = {"type": "template", "id": "a", "text": "x" * 900_000}
    refused(go(long, {"type": "template", "id": "b", "text": "{{a}}" * 1000}), "characters")


def test_a_loop_that_gathers_too_much_too(go):
    steps = [
        {"type": "template", "id": "a", "text": "x" * 900_000},
        {"type": "set", "id": "l", "value": "\n".join(["x"] * 12), "kind": "list"},
        {"type": "for_each", "id": "e", "items": "l", "item": "one",
         "steps": [{"type": "template", "id": "i", "text": "{{a}}"}]},
    ]  # fmt: skip
    refused(go(*steps), "characters")
