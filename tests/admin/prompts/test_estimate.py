"""What the page says about cost and time before a run."""

from __future__ import annotations

import pytest
from django.urls import reverse

from llm_admin.admin.prompt_estimates import sentence
from llm_admin.choices import Role
from llm_admin.models import LanguageModel
from llm_admin.selectors.estimates import Estimate, Range
from llm_admin.services import documents
from tests import factories
from tests.log_rows import log

NEW = reverse("admin:llm_admin_prompt_estimate_new")


@pytest.mark.parametrize(
    ("found", "more", "words"),
    [
        (
            Estimate("model", 57, Range(200_000, 400_000), Range(800, 1_400)),
            {"model": "Fast"},
            "About $0.0002–0.0004 and 800 ms–1.4 s, from 57 past calls of Fast.",
        ),
        (
            Estimate("prompt", 3, Range(200_000, 200_000), Range(1_000, 2_000)),
            {},
            "About $0.0002 and 1.0–2.0 s, from 3 past calls of this prompt.",
        ),
        (
            Estimate("prompt", 3, Range(1_000_000, 2_000_000), Range(1_000, 2_000)),
            {"count": 10},
            "About $0.01–0.02 for 10 runs, each 1.0–2.0 s, from 3 past calls of this prompt.",
        ),
        (Estimate("prompt", 3, None, Range(5, 5)), {}, "Cost unknown and 5 ms, from 3 past calls of this prompt."),
        (Estimate(), {"model": "Fast"}, "Cost and time: unknown, hardly any past calls of Fast."),
        (Estimate(), {}, "Cost and time: unknown, no model is chosen."),
    ],
)
def test_the_sentence(found, more, words):
    assert sentence(found, **more) == words


@pytest.fixture
def prompt(scope):
    return factories.prompt(scope, versions=2)


def test_a_version_a_text_and_a_new_prompt(scope, prompt, member, login):
    model, version = LanguageModel.objects.get(), documents.newest(prompt)
    scope.default_model = model
    scope.save()
    for _ in range(3):
        log(scope, prompt=prompt, prompt_version=version, model=model)
    client = login(member(Role.VIEWER))
    address = reverse("admin:llm_admin_prompt_estimate", args=[prompt.pk])
    assert "3 past calls of v2" in client.get(address, {"version": "2"}).content.decode()
    assert "3 past calls of this prompt" in client.get(address).content.decode()
    assert f"3 past calls of {model.name}" in client.get(NEW).content.decode()
    assert "for 7 runs" in client.get(address, {"count": "7"}).content.decode()
    assert "unknown" in client.get(address, {"model": "elsewhere"}).content.decode()
    for odd in ({"version": "99"}, {"version": "x", "count": "-1"}, {"count": "9" * 40}):
        assert client.get(address, odd).status_code == 200


def test_not_for_others(prompt, outsider, login):
    elsewhere = factories.member(factories.workspace(), role=Role.ADMIN)
    address = reverse("admin:llm_admin_prompt_estimate", args=[prompt.pk])
    assert login(outsider).get(address).status_code == 403
    assert login(elsewhere).get(address).status_code == 404
    assert login(elsewhere).post(address).status_code == 405
