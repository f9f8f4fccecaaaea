"""The list of workflows."""

from __future__ import annotations

import pytest

from llm_admin.choices import Role
from llm_admin.services import documents
from llm_admin.tenancy import workspace_scope
from tests import factories
from tests.admin.workflows.pages import (
    ADD,
    CARD,
    LIST,
    VARIABLES,
    page,
    queries_of,
)


def test_the_list_shows_what_is_live_and_the_steps(author, workflow):
    html = author.get(LIST).content.decode()
    assert "Product page" in html
    assert "From a name" in html
    assert ">v1</span> (newest: v2)" in html
    assert "2: Prompt → Model" in html
    assert "<time" in html


def test_an_empty_list_says_what_workflows_are_for_and_offers_the_first_step(author, reader, login, member):
    html = login(member(Role.AUTHOR)).get(LIST).content.decode()
    assert "No workflows yet" in html
    assert f'href="{ADD}"' in html
    assert f'href="{ADD}"' not in login(member(Role.VIEWER)).get(LIST).content.decode()


@pytest.mark.parametrize(("words", "found"), [("product", True), ("from a name", True), ("weather", False)])
def test_search_finds_names_and_descriptions(author, workflow, words, found):
    assert ("2: Prompt" in author.get(LIST, {"q": words}).content.decode()) is found


def test_another_workspace_s_workflows_are_not_listed(author, workflow):
    elsewhere = factories.workspace()
    with workspace_scope(elsewhere):
        factories.workflow(elsewhere, name="Secret plan")
    assert "Secret plan" not in author.get(LIST).content.decode()


@pytest.mark.slow  # rows by the hundred
def test_the_list_takes_equally_many_queries_at_3_and_300(author, workflow, scope):
    one = documents.spec_of(documents.newest(workflow))
    for number in range(2):
        factories.workflow(scope, name=f"More {number}", spec=one)
    few = queries_of(author, LIST)
    for number in range(297):
        factories.workflow(scope, name=f"Many {number}", spec=one)
    assert queries_of(author, LIST) == few


def test_somebody_without_a_workspace_is_refused(outsider, login, workflow):
    client = login(outsider)
    for url in (LIST, ADD, page(workflow), CARD + "?type=llm", VARIABLES):
        answer = client.get(url)
        assert answer.status_code in (403, 404)
        assert "Product page" not in answer.content.decode()
