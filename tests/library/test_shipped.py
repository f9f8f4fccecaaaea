"""What ships: the real list of 197 prompts, and the demo library."""

from __future__ import annotations

import pytest

from llm_admin import run_prompt, run_workflow
from llm_admin.models import Prompt, PromptVersion, Workflow, WorkflowVersion
from llm_admin.schemas.prompts import check_inputs
from llm_admin.services import documents, library, prompts
from llm_admin.services.library.shipped import FIRST_SAMPLE
from tests.library.files import csv_file


@pytest.fixture
def samples():
    return library.read_shipped(library.SAMPLES)


def test_the_real_list_imports_as_197(load, samples, scope):
    assert load(samples) == (library.SAMPLE_COUNT, 0, 0) == (197, 0, 0)
    assert Prompt.objects.count() == 197
    assert {"Life Coach", "Life Coach (2)", "Python interpreter", "Python Interpreter (2)"} <= set(
        Prompt.objects.values_list("name", flat=True)
    )


def test_importing_it_again_changes_nothing(load, samples, scope):
    load(samples)
    before = list(PromptVersion.objects.values_list("pk", "spec"))
    assert load(samples) == (0, 0, 197)
    assert list(PromptVersion.objects.values_list("pk", "spec")) == before


def test_its_braces_stay_literal(load, samples, scope):
    load(samples)
    spec = documents.spec_of(documents.newest(Prompt.objects.get(name="Character from Movie/Book/Anything")))
    assert "{character}" in spec.texts[0]
    assert spec.variables == []
    assert "character" in spec.lookalikes()


def test_samples_are_offered_until_they_are_here(load, system, scope):
    assert library.samples_missing(system)
    load(csv_file((FIRST_SAMPLE.upper(), "x")))
    assert not library.samples_missing(system)


def test_the_demo_library(system, scope):
    counts = library.import_demo(system)
    assert (Prompt.objects.count(), Workflow.objects.count(), counts.new) == (6, 4, 10)
    for family in (Prompt, Workflow):
        assert all(2 <= document.last_number <= 4 for document in family.objects.all())
        assert all(document.description for document in family.objects.all())
    notes = [
        *PromptVersion.objects.values_list("note", flat=True),
        *WorkflowVersion.objects.values_list("note", flat=True),
    ]
    assert all(notes)
    behind = [one for one in Prompt.objects.all() if documents.version_of(one).number < one.last_number]
    assert len(behind) >= 2, "Live is not always the newest"


def test_the_demo_library_a_second_time_changes_nothing(system, scope):
    library.import_demo(system)
    edited = Prompt.objects.first()
    prompts.save_version(edited, actor=system, spec=documents.spec_of(documents.version_of(edited, number=1)))
    assert library.import_demo(system).changes == 0


def test_every_demo_prompt_can_be_run_as_it_is(system, scope):
    """Whoever opens one presses Run: every variable has a value, a label, and what needs explaining has help."""
    library.import_demo(system)
    for version in PromptVersion.objects.all():
        spec = documents.spec_of(version)
        assert check_inputs(spec, {}), version
        assert all(variable.label for variable in spec.variables)
        assert not spec.lookalikes()


@pytest.mark.django_db(transaction=True)
def test_demo_workflows_run_with_the_demo_model(system):
    library.import_demo(system)
    for slug, numbers in {
        "brief-to-newsletter": (1, 2),
        "ticket-triage": (1, 2, 3),
        "nda-first-check": (1, 2),
        "product-tagline": (1, 2),
    }.items():
        for number in numbers:
            result = run_workflow(slug, number=number)
            assert result.ok, (slug, number, result.error)
    assert set(run_workflow("ticket-triage").output) == {"summary", "category", "urgency", "sentiment", "next_step"}
    assert run_prompt("nda-check").ok
