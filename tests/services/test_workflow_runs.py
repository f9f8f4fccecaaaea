"""Workflows that fail, stop, parse, and are called as Runnables."""

from __future__ import annotations

import pytest
from asgiref.sync import sync_to_async

from llm_admin import RunFailed, arun_workflow, get_prompt, get_workflow, run_workflow
from llm_admin.models import Deployment, InteractionLog, Run, RunStep
from llm_admin.runtime.providers.fake import enqueue
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import actors, documents, follow, runs
from tests import factories
from tests.services.test_execution import ended, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

KEYS = [{"name": "title", "type": "text"}, {"name": "score", "type": "whole_number"}]


@pytest.fixture
def answers(scope):
    """answers("one", "two"): what the model says, call by call."""

    def say(*texts):
        enqueue("said", *texts)
        deployment = Deployment.objects.get()
        deployment.provider_model = "demo:script=said"
        deployment.save()

    return say


def workflow(scope, *steps, output=""):
    spec = WorkflowSpec.model_validate({"inputs": [{"name": "topic"}], "steps": list(steps), "output": output})
    return factories.workflow(scope, spec=spec)


ASK = {"type": "llm", "id": "answer", "text": "About {{topic}}"}
READ = {"type": "parser", "id": "data", "source": "answer", "format": "json", "keys": KEYS}


@pytest.mark.parametrize(
    "said",
    [
        '{"title": "A", "score": 3}',
        'Here:\n```json\n{"title": "A", "score": 3}\n```',
        'Sure. {"title": "A", "score": 3} Bye.',
    ],
)
def test_json_is_read_from_an_answer_as_models_write_it(scope, answers, said):
    answers(said)
    assert run_workflow(workflow(scope, ASK, READ).slug, {"topic": "x"}).output == {"title": "A", "score": 3}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("No JSON here", "this is not JSON"),
        ('{"title": "A", "score": ', "not JSON"),
        ('{"title": "A"}', "“score” is missing"),
        ('{"title": "A", "score": true}', "“score” is not a whole number"),
        ('{"title": 5, "score": 3}', "“title” is not a text"),
        ("[1, 2]", "not an object"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_an_answer_that_is_not_as_expected_fails_at_its_step_in_words(scope, answers, said, words):
    answers(said)
    with pytest.raises(RunFailed) as failure:
        run_workflow(workflow(scope, ASK, READ).slug, {"topic": "x"})
    run = Run.objects.get()
    assert (run.error_kind, run.error_step) == ("parse_error", "data")
    assert words in RunStep.objects.get(step_id="data").error_message
    assert str(failure.value) == run.error_message
    assert RunStep.objects.get(step_id="answer").status == "succeeded"
    assert InteractionLog.objects.get().status == "succeeded"


def test_a_result_can_be_used_by_key_and_an_earlier_one_be_the_outcome(scope, answers):
    answers('{"title": "Rain", "score": 1}', "Second")
    then = {"type": "llm", "id": "more", "text": "Title: {{data.title}}, all: {{data}}, unknown: {{data.nope}}"}
    made = workflow(scope, ASK, READ, then, output="data")
    assert run_workflow(made.slug, {"topic": "x"}).output["title"] == "Rain"
    asked = RunStep.objects.get(step_id="more").input
    assert asked["data"]["title"] == "Rain"


def test_stop_closes_the_running_step_and_the_rest_never_begins(scope):
    deployment = Deployment.objects.get()
    deployment.provider_model = "demo:slow"
    deployment.save()
    made = workflow(scope, ASK, READ)
    version = documents.version_of(made)
    actor = actors.system(scope)
    run = runs.start_workflow(
        actor=actor, workflow=made, spec=documents.spec_of(version), version=version, inputs={"topic": "x"}
    )
    wait_until(lambda: follow.snapshot(run).texts.get("1"))
    runs.stop(run, actor=actor)
    assert ended(run).status == "cancelled"
    assert list(RunStep.objects.values_list("step_id", "status")) == [("answer", "cancelled")]
    assert InteractionLog.objects.get().status == "cancelled"


async def test_a_workflow_is_a_langchain_runnable_whose_calls_are_runs(scope):
    made = await sync_to_async(factories.workflow)(scope)
    runnable = (await sync_to_async(get_workflow)(made.slug)).as_langchain()
    output = await runnable.ainvoke({"topic": "rain"})
    assert output == (await arun_workflow(made.slug, {"topic": "rain"})).output
    assert await sync_to_async(Run.objects.count)() == 2


def test_a_prompt_is_a_langchain_template(scope):
    made = factories.prompt(scope, spec=factories.chat_spec("About {{topic}} {as it is}."))
    messages = get_prompt(made.slug).as_langchain().format_messages(topic="rain")
    assert messages[-1].content == "About rain {as it is}."
