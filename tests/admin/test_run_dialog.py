"""*Run...* from the lists of prompts and workflows: one or several, as they are Live."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.choices import Role, RunSource
from llm_admin.models import PromptLabel, Run
from llm_admin.services import prompts
from llm_admin.tenancy import workspace_scope
from tests import factories

PROMPTS = reverse("admin:llm_admin_prompt_changelist")
DIALOG = reverse("admin:llm_admin_prompt_run_dialog")
WORKFLOW_DIALOG = reverse("admin:llm_admin_workflow_run_dialog")
HTMX = {"HX-Request": "true"}


@pytest.fixture
def weather(scope, system):
    """Live asks for a place; the draft v2 for something else."""
    made = factories.prompt(scope, name="Weather", spec=factories.chat_spec("Weather in {{place}} for {{who}}"))
    prompts.save_version(made, actor=system, spec=factories.chat_spec("Draft of {{something_else}}"))
    return made


@pytest.fixture
def news(scope):
    return factories.prompt(scope, name="News", spec=factories.chat_spec("News of {{place}} on {{day}}"))


def names(answer):
    return [field["variable"].name for field in answer.context["fields"]]


def test_each_row_has_a_link_that_also_works_without_a_script(author, weather):
    html = author.get(PROMPTS).content.decode()
    url = f"{DIALOG}?pk={weather.pk}"
    assert f'href="{url}"' in html
    page = author.get(url)
    assert page.status_code == 200
    assert "<html" in page.content.decode()
    fragment = author.get(url, headers=HTMX).content.decode()
    assert "<html" not in fragment
    assert "Run “Weather”" in fragment


def test_the_form_asks_what_the_live_version_asks(author, weather):
    answer = author.get(DIALOG, {"pk": weather.pk})
    assert names(answer) == ["place", "who"]
    assert "Runs what is Live: v1." in answer.content.decode()


def test_opening_it_changes_nothing(author, weather, news):
    author.get(DIALOG, {"pk": [weather.pk, news.pk]})
    assert not Run.objects.exists()


def test_running_one_prompt(author, weather):
    fields = {"pk": weather.pk, "input-place": "Bern", "input-who": "tourists", "client_key": "k"}
    answer = author.post(DIALOG, fields, headers=HTMX)
    run = Run.objects.get()
    assert (run.prompt, run.prompt_version.number, run.source) == (weather, 1, RunSource.ADMIN)
    assert run.owner.username == "ada"
    assert run.inputs == {"place": "Bern", "who": "tourists"}
    html = answer.content.decode()
    assert f'data-run-id="{run.pk}"' in html
    assert reverse("admin:llm_admin_run_change", args=[run.pk]) in html


def test_running_one_workflow(author, scope):
    workflow = factories.workflow(scope, name="Titles")
    author.post(WORKFLOW_DIALOG, {"pk": workflow.pk, "input-topic": "rain", "model": "demo"})
    run = Run.objects.get()
    assert (run.workflow, run.workflow_version.number, run.source) == (workflow, 1, RunSource.ADMIN)
    assert (run.title, run.inputs, run.spec["model"]) == ("Titles v1", {"topic": "rain"}, "demo")


def test_several_ask_for_each_name_once_and_run_with_their_own(author, weather, news):
    answer = author.get(DIALOG, {"pk": [weather.pk, news.pk]})
    assert names(answer) == ["place", "day", "who"]
    values = {"input-place": "Bern", "input-who": "all", "input-day": "Monday", "client_key": "k"}
    html = author.post(DIALOG, {"pk": [weather.pk, news.pk], **values}, headers=HTMX).content.decode()
    runs = {run.prompt.name: run.inputs for run in Run.objects.all()}
    assert runs == {"Weather": {"place": "Bern", "who": "all"}, "News": {"place": "Bern", "day": "Monday"}}
    assert html.count("data-run-id=") == 2


def test_a_double_click_makes_one_run_of_each(author, weather, news):
    values = {"input-place": "Bern", "input-who": "all", "input-day": "Monday", "client_key": "k"}
    for _ in range(2):
        assert author.post(DIALOG, {"pk": [weather.pk, news.pk], **values}).status_code == 200
    assert Run.objects.count() == 2


def test_a_missing_value_starts_nothing_and_loses_nothing(author, weather, news):
    values = {"input-place": "Bern", "input-day": "Monday", "model": "demo", "client_key": "k"}
    answer = author.post(DIALOG, {"pk": [weather.pk, news.pk], **values}, headers=HTMX)
    assert answer.status_code == 422
    assert {f["variable"].name: f["problem"] for f in answer.context["fields"]} == {
        "place": "",
        "day": "",
        "who": "“Who” is needed; fill it in.",
    }
    html = answer.content.decode()
    assert "Monday" in html
    assert '<option value="demo" selected>' in html
    assert 'name="client_key" value="k"' in html
    assert not Run.objects.exists()


def test_a_model_that_is_not_there_is_told(author, weather):
    fields = {"pk": weather.pk, "input-place": "Bern", "input-who": "all", "model": "gone"}
    answer = author.post(DIALOG, fields)
    assert answer.status_code == 422
    assert "There is no model “gone”" in answer.content.decode()


def test_the_list_action_leads_to_the_dialog(author, weather, news):
    chosen = {"action": "run_selected", "_selected_action": [weather.pk, news.pk]}
    answer = author.post(PROMPTS, chosen)
    assert answer.status_code == 302
    assert names(author.get(answer.url)) == ["place", "day", "who"]
    assert not Run.objects.exists()


def test_at_most_twenty_at_once_and_it_says_so(author, scope):
    made = [factories.prompt(scope).pk for _ in range(21)]
    answer = author.post(PROMPTS, {"action": "run_selected", "_selected_action": made}, follow=True)
    assert "At most 20 can run at once" in answer.content.decode()
    assert author.get(DIALOG, {"pk": made}).status_code == 422
    assert author.post(DIALOG, {"pk": made, "input-topic": "x"}).status_code == 422
    assert not Run.objects.exists()
    assert author.get(DIALOG, {"pk": made[:20]}).status_code == 200


def test_opening_it_takes_equally_many_queries_for_2_and_20(author, scope):
    made = [factories.prompt(scope).pk for _ in range(20)]

    def count(ids):
        with CaptureQueriesContext(connection) as queries:
            assert author.get(DIALOG, {"pk": ids}, headers=HTMX).status_code == 200
        return len(queries)

    assert count(made) == count(made[:2])


def test_a_viewer_is_offered_nothing_and_refused(member, login, weather):
    client = login(member(Role.VIEWER))
    html = client.get(PROMPTS).content.decode()
    assert "data-llm-run" not in html
    assert "run_selected" not in html
    assert client.get(DIALOG, {"pk": weather.pk}).status_code == 403
    assert client.post(DIALOG, {"pk": weather.pk, "input-place": "x", "input-who": "y"}).status_code == 403
    client.post(PROMPTS, {"action": "run_selected", "_selected_action": [weather.pk]})
    assert not Run.objects.exists()


def test_an_outsider_is_refused(outsider, login, weather):
    answer = login(outsider).get(DIALOG, {"pk": weather.pk})
    assert answer.status_code == 403
    assert "Weather" not in answer.content.decode()


def test_another_workspace_s_prompt_is_not_found(author, weather):
    elsewhere = factories.workspace()
    with workspace_scope(elsewhere):
        theirs = factories.prompt(elsewhere, name="Secret plan")
    for pks in ([theirs.pk], [weather.pk, theirs.pk], [], ["x"]):
        answer = author.get(DIALOG, {"pk": pks})
        assert answer.status_code == 404
        assert "Secret plan" not in answer.content.decode()
    assert author.post(DIALOG, {"pk": theirs.pk, "input-topic": "x"}).status_code == 404


def test_without_a_live_version_it_says_what_to_do(author, weather):
    PromptLabel.objects.all().delete()
    answer = author.get(DIALOG, {"pk": weather.pk})
    assert answer.status_code == 422
    assert "“Weather” has no Live version yet" in answer.content.decode()


def test_a_post_without_csrf_token_is_refused(member, weather):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(member(Role.AUTHOR), backend="llm_admin.auth.WorkspaceBackend")
    assert client.post(DIALOG, {"pk": weather.pk, "input-place": "x", "input-who": "y"}).status_code == 403
    assert not Run.objects.exists()
