"""The page that renames a variable: what it shows first, what it applies, what it refuses."""

from __future__ import annotations

import html as html_module
import re

import pytest
from django.urls import reverse

from llm_admin.models import Prompt, PromptVersion
from llm_admin.services import documents, prompts
from tests import factories


@pytest.fixture
def prompt(scope):
    return factories.prompt(scope, name="Weather")


def page(prompt):
    return reverse("admin:llm_admin_prompt_rename_variable", args=[prompt.pk])


def fingerprint(page_html):
    return html_module.unescape(re.search(r'name="fingerprint" value="([^"]*)"', page_html)[1])


def test_it_offers_the_variables_and_chooses_the_one_that_was_asked_for(author, scope):
    prompt = factories.prompt(scope, spec=factories.chat_spec("{{one}} {{two}}"))
    html = author.get(page(prompt), {"name": "two"}).content.decode()
    assert '<option value="one">' in html
    assert '<option value="two" selected>' in html
    assert "What will change" not in html


def test_it_shows_everything_and_changes_nothing_until_it_is_applied(author, prompt, scope):
    factories.workflow(scope, name="Morning mail", spec=factories.workflow_spec("weather"))
    prompt.tests.create(name="A <rainy> day", inputs={"topic": "rain"})
    html = author.get(page(prompt), {"name": "topic", "new": "place"}).content.decode()
    assert "<del>topic</del><ins>place</ins>" in html
    assert "Workflow “Morning mail”" in html
    assert "A &lt;rainy&gt; day" in html
    assert "Live" in html
    assert Prompt.objects.get(pk=prompt.pk).last_number == 1
    given = {"name": "topic", "new": "place", "fingerprint": fingerprint(html)}
    answer = author.post(page(prompt), given, follow=True)
    assert "“topic” is “place” now: 2 new versions, also of “Morning mail”." in answer.content.decode()
    assert "{{place}}" in documents.spec_of(documents.version_of(prompt)).messages[-1].text


@pytest.mark.parametrize(("name", "new", "field"), [("topic", "no name", "llm-new"), ("gone", "x", "llm-old")])
def test_what_cannot_be_is_said_at_the_field(author, prompt, name, new, field):
    for answer in (
        author.get(page(prompt), {"name": name, "new": new}),
        author.post(page(prompt), {"name": name, "new": new, "fingerprint": ""}),
    ):
        assert answer.status_code == 422
        assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', answer.content.decode())
    assert PromptVersion.objects.count() == 1


def test_what_changed_meanwhile_is_shown_anew_with_409(author, prompt, system):
    html = author.get(page(prompt), {"name": "topic", "new": "place"}).content.decode()
    prompts.save_version(prompt, actor=system, spec=factories.chat_spec("Somebody's words on {{topic}}."))
    given = {"name": "topic", "new": "place", "fingerprint": fingerprint(html)}
    answer = author.post(page(prompt), given)
    assert answer.status_code == 409
    shown = answer.content.decode()
    assert "Something changed since you looked" in shown
    assert "Somebody" in shown
    assert PromptVersion.objects.count() == 2
    given["fingerprint"] = fingerprint(shown)
    assert author.post(page(prompt), given).status_code == 302
    assert PromptVersion.objects.count() == 4


def test_a_prompt_without_variables_says_so(author, scope):
    prompt = factories.prompt(scope, spec=factories.chat_spec("Nothing."))
    assert "has no variables" in author.get(page(prompt)).content.decode()
