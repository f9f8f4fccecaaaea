"""Another package's step type is equal to ours: in the editor, in validation, in runs, in files."""

from __future__ import annotations

import json

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse
from langchain_core.runnables import RunnableLambda

import llm_admin
from llm_admin.exceptions import InvalidInput
from llm_admin.models import Workflow
from llm_admin.runtime.retrievers import RETRIEVERS
from llm_admin.runtime.runnables import RUNNABLES
from llm_admin.runtime.steps import STEP_BUILDERS
from llm_admin.schemas.base import parse
from llm_admin.schemas.extensions import COLLECTION_LABELS, RUNNABLE_LABELS, collection_choices, runnable_choices
from llm_admin.schemas.steps import STEP_SPECS
from llm_admin.schemas.workflows import WorkflowSpec
from llm_admin.services import actors, documents, library
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.plugin import shout

TABLES = (STEP_SPECS, STEP_BUILDERS, RUNNABLES, RUNNABLE_LABELS, RETRIEVERS, COLLECTION_LABELS)


@pytest.fixture(autouse=True)
def plugin(monkeypatch):
    for table in TABLES:
        monkeypatch.setattr(table, "_table", dict(table._table))
    llm_admin.register_step(shout.ShoutStep)(shout.build)
    llm_admin.register_runnable("length", label="Count the letters")(shout.length)
    llm_admin.register_runnable("greet")(shout.greet)
    llm_admin.register_runnable("broken")(shout.broken)
    llm_admin.register_runnable("odd")(shout.unstorable)
    llm_admin.register_runnable("chain")(RunnableLambda(lambda text: text[::-1]))
    llm_admin.register_retriever("shelf", shout.Shelf(), title="Our shelf")


def spec(*steps):
    return parse(WorkflowSpec, {"inputs": [{"name": "topic"}], "steps": list(steps)})


def run(workspace, *steps, topic="rain"):
    workflow = factories.workflow(workspace, spec=spec(*steps))
    return llm_admin.run_workflow(workflow.slug, {"topic": topic}).output


SHOUT = {"type": "shout", "id": "loud", "source": "topic", "marks": 3}


@pytest.mark.django_db(transaction=True)
def test_it_runs_and_later_steps_use_it(scope):
    assert run(scope, SHOUT, {"type": "template", "id": "end", "text": "({{loud}})"}) == "(RAIN!!!)"


def test_it_is_validated_with_place_and_words():
    with pytest.raises(InvalidInput) as refused:
        spec({**SHOUT, "marks": 9}, {"type": "shout", "id": "again", "source": "nobody"})
    assert [(p.location, p.message) for p in refused.value.problems] == [
        (("steps", 0, "marks"), "This must be at most 5.")
    ]
    with pytest.raises(InvalidInput, match="Nothing before this step is called “nobody”"):
        spec(SHOUT, {"type": "shout", "id": "again", "source": "nobody"})


def test_it_shows_in_the_editor(scope, member, login):
    client = login(member())
    page = client.get(reverse("admin:llm_admin_workflow_add")).content.decode()
    assert "Says it loudly." in page
    card = client.get(reverse("admin:llm_admin_workflow_card"), {"type": "shout"}).content.decode()
    assert "Exclamation marks" in card
    assert "campaign" in card


def test_it_is_exported_and_imported_like_ours(scope, system):
    workflow = factories.workflow(scope, name="Loud", spec=spec(SHOUT))
    data = json.dumps(library.export(actor=system, workflows=[workflow.pk])).encode()
    elsewhere = actors.system(factories.workspace())
    library.apply(library.plan_file(data, actor=elsewhere), actor=elsewhere)
    with workspace_scope(elsewhere.workspace):
        copied = documents.spec_of(documents.version_of(Workflow.objects.get()))
    assert copied == spec(SHOUT)


def test_a_name_is_registered_once():
    with pytest.raises(ImproperlyConfigured, match="registered twice"):
        llm_admin.register_step(type("Other", (shout.ShoutStep,), {}))(shout.build)
    with pytest.raises(ImproperlyConfigured, match="registered twice"):
        llm_admin.register_runnable("length")(shout.broken)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("step", "output"),
    [
        ({"name": "length", "inputs": [{"name": "text", "value": "{{topic}}"}]}, 4),
        ({"name": "greet", "inputs": [{"name": "name", "value": "{{topic}}"}]}, {"greeting": "Hello rain"}),
        ({"name": "chain", "inputs": []}, "niar"),
    ],
)
def test_functions_and_runnables(scope, step, output):
    first = {"type": "set", "id": "it", "value": "{{topic}}"}
    assert run(scope, first, {"type": "runnable", "id": "found", **step}) == output


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("broken", "the function “Broken” failed with ValueError: no rain today"),
        ("odd", "the function “Odd” gave back a object, which cannot be stored"),
        ("gone", "the function “gone” is not there any more"),
    ],
)
def test_what_goes_wrong_in_a_function_is_its_step_s_failure(scope, name, words):
    first = {"type": "set", "id": "it", "value": "{{topic}}"}
    with pytest.raises(llm_admin.RunFailed) as failed:
        run(scope, first, {"type": "runnable", "id": "found", "name": name})
    assert words in failed.value.result.error
    assert failed.value.result.error_step == "found"


@pytest.mark.django_db(transaction=True)
def test_collections_are_searched_and_offered(scope):
    found = run(scope, {"type": "retrieve", "id": "passages", "collection": "shelf", "query": "{{topic}}"})
    assert found == [{"text": "About rain", "source": "Shelf 1", "score": 0.9}]
    demo = run(scope, {"type": "retrieve", "id": "passages", "collection": "demo", "query": "refunds paid", "count": 1})
    assert demo[0]["source"] == "Terms of sale, section 4"
    assert ("shelf", "Our shelf") in collection_choices()
    assert ("length", "Count the letters") in runnable_choices()
