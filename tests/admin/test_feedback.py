"""Thumbs and notes on the pages where answers are, and their counts where versions are chosen."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from llm_admin.choices import Role, RunKind
from llm_admin.models import InteractionFeedback
from llm_admin.services import actors, feedback
from tests import factories, log_rows

GIVE = reverse("admin:llm_admin_feedback")
LOGS = reverse("admin:llm_admin_interactionlog_changelist")
RUNS = reverse("admin:llm_admin_run_changelist")


@pytest.fixture
def reviewer(member):
    return member(Role.OPERATOR, username="rita")


@pytest.fixture
def browser(reviewer, login):
    return login(reviewer)


@pytest.fixture
def prompt(scope):
    return factories.prompt(scope, name="Weather", versions=2)


def call(scope, prompt, number=1, **values):
    version = prompt.versions.get(number=number)
    values = {"run": log_rows.run(scope, prompt=prompt, prompt_version=version, output="Rain.")} | values
    return log_rows.log(scope, prompt=prompt, prompt_version=version, **values)


def text_of(response, status=200):
    assert response.status_code == status
    return response.content.decode()


def test_a_thumb_is_given_noted_changed_and_taken_back(browser, scope, prompt, reviewer):
    log = call(scope, prompt)
    page = text_of(browser.get(reverse("admin:llm_admin_interactionlog_change", args=[log.pk])))
    assert page.count('aria-pressed="false"') >= 2 and "Add a note" not in page
    box = text_of(browser.post(GIVE, {"log": log.pk, "value": "up"}))
    assert 'aria-pressed="true"' in box and "Add a note" in box
    box = text_of(browser.post(GIVE, {"log": log.pk, "value": "up", "note": "Short & right"}))
    assert "Your note: Short &amp; right" in box
    text_of(browser.post(GIVE, {"log": log.pk, "value": "down"}))
    given = InteractionFeedback.objects.get()
    assert (given.user, given.value, given.note) == (reviewer, "down", "Short & right")
    box = text_of(browser.post(GIVE, {"log": log.pk, "value": ""}))
    assert 'aria-pressed="true"' not in box
    assert not InteractionFeedback.objects.exists()


def test_what_others_said_stands_below(browser, scope, prompt, system):
    log = call(scope, prompt)
    feedback.give(actor=system, subject=log, value="down", note="Wrong <town>")
    page = text_of(browser.get(reverse("admin:llm_admin_interactionlog_change", args=[log.pk])))
    assert "Others: 0 up, 1 down" in page
    assert "<strong>From code</strong> Wrong &lt;town&gt;" in page


def test_the_answer_of_a_run_has_it_too(browser, scope, prompt):
    log = call(scope, prompt)
    page = text_of(browser.get(reverse("admin:llm_admin_run_change", args=[log.run_id])))
    assert page.count(f'<input type="hidden" name="log" value="{log.pk}">') == 1
    flow = log_rows.run(scope, kind=RunKind.WORKFLOW, output="Done")
    panel = text_of(browser.get(reverse("admin:llm_admin_run_panel", args=[flow.pk])))
    assert f'name="run" value="{flow.pk}"' in panel
    box = text_of(browser.post(GIVE, {"run": str(flow.pk), "value": "up"}))
    assert f'name="run" value="{flow.pk}"' in box
    assert InteractionFeedback.objects.get().log_id is None


def test_counts_stand_where_versions_are_chosen_and_lead_to_the_calls(browser, scope, prompt, system):
    first, second = prompt.versions.get(number=1), prompt.versions.get(number=2)
    good, bad, other = call(scope, prompt), call(scope, prompt), call(scope, prompt, 2)
    for log, value in ((good, "up"), (bad, "down"), (other, "up")):
        feedback.give(actor=system, subject=log, value=value)
    up = f"{LOGS}?feedback=up&amp;version={first.pk}"
    for name, query in (("versions", {}), ("diff", {"from": 1, "to": 2}), ("publish", {"number": 2})):
        page = text_of(browser.get(reverse(f"admin:llm_admin_prompt_{name}", args=[prompt.pk]), query))
        assert up in page, name
        assert f"feedback=up&amp;version={second.pk}" in page, name
    listed = browser.get(LOGS, {"feedback": "up"}).context["cl"].result_list
    assert {log.pk for log in listed} == {good.pk, other.pk}
    unsaid = call(scope, prompt)
    assert [log.pk for log in browser.get(LOGS, {"feedback": "none"}).context["cl"].result_list] == [unsaid.pk]
    runs = browser.get(RUNS, {"feedback": "down"}).context["cl"].result_list
    assert [run.pk for run in runs] == [bad.run_id]


def test_a_workflows_count_leads_to_its_runs(browser, scope, system):
    flow = factories.workflow(scope, name="Flow")
    version = flow.versions.get()
    run = log_rows.run(scope, kind=RunKind.WORKFLOW, workflow=flow, workflow_version=version)
    log_rows.run(scope, kind=RunKind.WORKFLOW, workflow=flow, workflow_version=version)
    feedback.give(actor=system, subject=run, value="up")
    page = text_of(browser.get(reverse("admin:llm_admin_workflow_versions", args=[flow.pk])))
    assert f"{RUNS}?feedback=up&amp;workflow_version={version.pk}" in page
    listed = browser.get(RUNS, {"feedback": "up", "workflow_version": version.pk}).context["cl"].result_list
    assert [one.pk for one in listed] == [run.pk]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"value": "up"}, 404),
        ({"log": "0", "value": "up"}, 404),
        ({"log": "x", "value": "up"}, 404),
        ({"run": "x", "value": "up"}, 404),
        ({"log": "own", "value": "great"}, 422),
        ({"log": "own", "value": "up", "note": "x" * 2_001}, 422),
        ({"log": "theirs", "value": "up"}, 404),
        ({"log": "elsewhere", "value": "up"}, 404),
    ],
)
def test_what_is_refused(scope, prompt, member, login, data, status):
    person = member(Role.AUTHOR)
    there = factories.workspace()
    logs = {
        "own": call(scope, prompt, user=person, run=None),
        "theirs": call(scope, prompt, user=member(), run=None),
        "elsewhere": log_rows.log(there, user=person),
    }
    data = data | ({"log": logs[data["log"]].pk} if data.get("log") in logs else {})
    text_of(login(person).post(GIVE, data, headers={"HX-Request": "true"}), status)
    assert not InteractionFeedback._base_manager.exists()


def test_a_viewer_may_judge_what_is_shared(scope, prompt, member, login):
    author, viewer = member(), member(Role.VIEWER)
    log = call(scope, prompt, user=author, run=log_rows.run(scope, owner=author, shared=True))
    text_of(login(viewer).post(GIVE, {"run": str(log.run_id), "value": "up"}))
    assert InteractionFeedback.objects.get().user == viewer


def test_a_page_with_many_calls_asks_once(browser, scope, prompt, reviewer):
    run = log_rows.run(scope, kind=RunKind.WORKFLOW)
    for _ in range(6):
        log = call(scope, prompt, run=run)
        feedback.give(actor=actors.Actor(scope, reviewer, Role.OPERATOR), subject=log, value="up")
    with CaptureQueriesContext(connection) as queries:
        text_of(browser.get(reverse("admin:llm_admin_run_change", args=[run.pk])))
    assert sum('FROM "llm_admin_interactionfeedback"' in one["sql"] for one in queries) == 1
