"""Ranges of cost and time from past calls: the most specific basis, and unknown where nothing is known."""

from __future__ import annotations

import pytest

from llm_admin.choices import CallStatus
from llm_admin.models import LanguageModel
from llm_admin.selectors import estimates
from llm_admin.selectors.estimates import Range, estimate
from llm_admin.services import documents
from tests import factories
from tests.log_rows import log


@pytest.fixture
def prompt(scope):
    return factories.prompt(scope, versions=2)


@pytest.fixture
def model(scope):
    return LanguageModel.objects.get()


def calls(scope, count, **values):
    for number in range(1, count + 1):
        log(scope, **{"cost_nano": number * 1_000, "latency_ms": number * 10, **values})


def test_between_the_tenth_and_the_ninetieth_of_a_hundred(scope, prompt):
    version = documents.newest(prompt)
    calls(scope, 101, prompt=prompt, prompt_version=version)
    found = estimate(prompt_id=prompt.pk, version_id=version.pk)
    assert (found.basis, found.calls) == ("version", 101)
    assert found.cost_nano == Range(11_000, 91_000)
    assert found.latency_ms == Range(110, 910)
    assert found.cost_nano.times(3) == Range(33_000, 273_000)


def test_with_too_few_calls_of_the_version_the_prompt_then_the_model_is_the_basis(scope, prompt, model):
    first, second = documents.version_of(prompt, number=1), documents.newest(prompt)
    asked = {"prompt_id": prompt.pk, "version_id": second.pk, "model": model.alias}
    assert estimate(**asked).basis == ""
    calls(scope, 5, model=model)
    assert estimate(**asked).basis == "model"
    calls(scope, 3, prompt=prompt, prompt_version=first, model=model)
    assert (estimate(**asked).basis, estimate(**asked).calls) == ("prompt", 3)
    calls(scope, 3, prompt=prompt, prompt_version=second, model=model)
    assert (estimate(**asked).basis, estimate(**asked).calls) == ("version", 3)


def test_other_models_failures_and_cached_answers_do_not_count(scope, prompt, model):
    other = LanguageModel.objects.create(workspace=scope, alias="other", name="Other")
    calls(scope, 5, prompt=prompt, model=other)
    calls(scope, 5, prompt=prompt, model=model, status=CallStatus.FAILED)
    calls(scope, 5, prompt=prompt, model=model, cached=True)
    assert estimate(prompt_id=prompt.pk, model=model.alias).basis == ""
    assert estimate(prompt_id=prompt.pk, model="other").calls == 5


def test_an_unknown_cost_stays_unknown_beside_a_known_time(scope, prompt):
    calls(scope, 4, prompt=prompt, cost_nano=None)
    found = estimate(prompt_id=prompt.pk)
    assert found.cost_nano is None
    assert found.latency_ms == Range(10, 40)


def test_only_the_newest_calls_are_looked_through(scope, prompt, monkeypatch, django_assert_num_queries):
    calls(scope, 30, prompt=prompt, model=LanguageModel.objects.get())
    monkeypatch.setattr(estimates, "WINDOW", 10)
    with django_assert_num_queries(1):
        assert estimate(prompt_id=prompt.pk).calls == 10


def test_another_workspaces_calls_are_not_ours(scope, prompt):
    calls(factories.workspace(), 5, prompt=prompt)
    assert estimate(prompt_id=prompt.pk).basis == ""
