"""The list of runs and the page of one: what happened, for those who may see it, and nothing to change."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from llm_admin.choices import ErrorKind, Role, RunKind, RunStatus, StepStatus
from llm_admin.models import LanguageModel, Run, RunError, RunStep
from llm_admin.selectors.traces import trace
from llm_admin.services import catalogue
from llm_admin.templatetags.llm_trace import shape
from llm_admin.tenancy import across_workspaces
from tests import factories, log_rows

LIST = reverse("admin:llm_admin_run_changelist")


def page(run):
    return reverse("admin:llm_admin_run_change", args=[run.pk])


def panel(run, **query):
    return reverse("admin:llm_admin_run_panel", args=[run.pk], query=query or None)


def made_run(where, **values):
    end = timezone.now()
    times = {"started_at": end - dt.timedelta(seconds=3.4), "ended_at": end}
    return log_rows.run(
        where, **{"calls": 1, "input_tokens": 12, "output_tokens": 34, "cost_nano": 420_000} | times | values
    )


def workflow_run(where, steps, **values):
    """A run of a workflow with these rows: (path, status)."""
    run = made_run(where, kind=RunKind.WORKFLOW, title="Triage v1", **values)
    for path, status in steps:
        RunStep.objects.create(
            run=run,
            path=path,
            step_id=f"step{path}",
            type="llm",
            title=f"Step {path}",
            status=status,
            input={"topic": f"input of {path}"},
            output=None if status == StepStatus.RUNNING else f"output of {path}",
            started_at=timezone.now(),
            ended_at=None if status == StepStatus.RUNNING else timezone.now(),
        )
    return run


def queries(client, address):
    catalogue.forget()
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


# ---- the list


def test_the_list_shows_numbers_and_only_ones_own(author, ada, member, scope):
    made_run(scope, title="Mine v1", owner=ada)
    made_run(scope, title="Unpriced", owner=ada, cost_nano=None, input_tokens=None, output_tokens=None)
    made_run(scope, title="Theirs v1", owner=member())
    html = author.get(LIST).content.decode()
    for words in ("Mine v1", "Succeeded", "Studio", "3.4 s", "12 in, 34 out", "$0.00042", ">unknown<"):
        assert words in html
    assert "Theirs v1" not in html


def test_an_operator_sees_everyones(member, ada, login, scope):
    made_run(scope, title="Of ada", owner=ada)
    html = login(member(Role.OPERATOR)).get(LIST).content.decode()
    assert "Of ada" in html


def test_costs_are_in_the_workspaces_currency(author, ada, scope):
    scope.currency, scope.currency_rate = "EUR", "0.5"
    scope.save()
    made_run(scope, owner=ada)
    assert "€0.00021" in author.get(LIST).content.decode()


@pytest.mark.slow  # rows by the hundred
def test_the_list_takes_equally_many_queries_at_3_and_300(author, ada, scope):
    for _ in range(3):
        made_run(scope, owner=ada)
    few = queries(author, LIST)
    for _ in range(297):
        made_run(scope, owner=ada)
    assert queries(author, LIST) == few


def test_an_empty_list_says_what_it_is_for(author, workspace):
    assert "No runs yet" in author.get(LIST).content.decode()
    assert "No runs yet" not in author.get(LIST, {"q": "x"}).content.decode()


def test_search_and_filters(author, ada, scope):
    made_run(scope, title="Rain v1", owner=ada)
    made_run(scope, title="Snow v1", owner=ada, status=RunStatus.FAILED)
    html = author.get(LIST, {"status__exact": "failed"}).content.decode()
    assert ("Snow v1" in html, "Rain v1" in html) == (True, False)
    html = author.get(LIST, {"q": "rain"}).content.decode()
    assert ("Snow v1" in html, "Rain v1" in html) == (False, True)


# ---- the page


def test_the_page_of_a_prompts_run_shows_what_was_sent_and_received(author, ada, scope):
    prompt = factories.prompt(scope, name="Weather")
    run = made_run(
        scope,
        owner=ada,
        prompt=prompt,
        prompt_version=prompt.versions.get(),
        inputs={"topic": "rain"},
        output="It is wet.",
    )
    model = LanguageModel.objects.get()
    log_rows.text(
        log_rows.log(scope, run=run, model=model),
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "About rain"}],
        answer="It is wet.",
    )
    html = author.get(page(run)).content.decode()
    for words in ("It is wet.", "Be brief.", "About rain", "Demo model", "100 in, 50 out", "ada", "Studio"):
        assert words in html
    assert reverse("admin:llm_admin_prompt_change", args=[prompt.pk]) + "?version=1" in html


def test_inputs_have_the_names_and_the_order_of_the_form(author, ada, scope):
    asked = [{"name": "policy", "label": "What we may offer"}, {"name": "ticket", "label": ""}]
    run = made_run(scope, owner=ada, inputs={"ticket": "Late.", "policy": "Vouchers."}, output="x")
    Run.objects.filter(pk=run.pk).update(spec={"prompt": {"spec": {"variables": asked}}})
    html = author.get(page(run)).content.decode()
    assert 0 < html.index("<dt>What we may offer</dt>") < html.index("<dt>ticket</dt>")


def test_a_model_and_a_prompt_that_are_gone_leave_the_page_whole(author, ada, scope):
    run = made_run(scope, owner=ada, output="It is wet.")
    log_rows.log(scope, run=run, model_id=999, deployment_id=999, price_id=999)
    html = author.get(page(run)).content.decode()
    assert "not saved, or deleted since" in html
    assert "no texts were kept then" in html


def test_the_page_of_a_workflows_run_shows_each_step(author, ada, scope):
    run = workflow_run(
        scope, [("1", StepStatus.SUCCEEDED), ("2", StepStatus.FAILED)], owner=ada, status=RunStatus.FAILED
    )
    log_rows.text(log_rows.log(scope, run=run, step_path="2"), answer="Half of it")
    html = author.get(page(run)).content.decode()
    for words in ('data-step="1"', 'data-step="2"', "input of 1", "output of 1", "Half of it"):
        assert words in html


def test_steps_that_have_not_begun_wait_in_their_order(author, ada, scope):
    steps = [{"type": "prompt", "id": "question"}, {"type": "llm", "id": "answer"}, {"type": "unknown", "id": "other"}]
    run = workflow_run(
        scope,
        [("1", StepStatus.RUNNING)],
        owner=ada,
        status=RunStatus.RUNNING,
        spec={"workflow": {"steps": steps}},
        ended_at=None,
    )
    shown = trace(run, streamed={"1": "so far"}).steps
    assert [(step.path, step.title, step.status) for step in shown] == [
        ("1", "Step 1", "running"),
        ("2", "Model: answer", "waiting"),
        ("3", "unknown: other", "waiting"),
    ]
    html = author.get(panel(run)).content.decode()
    assert html.count("data-step=") == 3
    assert html.count("data-run-text=") == 1
    card = author.get(panel(run, step="1")).content.decode()
    assert 'data-step="1"' in card
    assert "data-run-id" not in card
    assert author.get(panel(run, step="7")).status_code == 404


@pytest.mark.slow  # rows by the hundred
def test_the_page_takes_equally_many_queries_at_3_and_300_steps(author, ada, scope):
    few = workflow_run(scope, [(str(n), StepStatus.SUCCEEDED) for n in range(3)], owner=ada)
    many = workflow_run(scope, [(str(n), StepStatus.SUCCEEDED) for n in range(300)], owner=ada)
    for run, count in ((few, 3), (many, 300)):
        for n in range(count):
            log_rows.text(log_rows.log(scope, run=run, step_path=str(n)))
    assert queries(author, page(few)) == queries(author, page(many))


def test_where_it_failed_is_for_operators(author, ada, member, login, client, scope):
    run = made_run(
        scope,
        owner=ada,
        status=RunStatus.FAILED,
        error_kind=ErrorKind.INTERNAL,
        error_message="Something went wrong here. Tell an operator.",
    )
    RunError.objects.create(run=run, text="Traceback: planted")
    html = author.get(page(run)).content.decode()
    assert "Tell an operator." in html
    assert "planted" not in html
    assert "Traceback: planted" in login(member(Role.OPERATOR)).get(page(run)).content.decode()


# ---- who may


def test_nobody_else_sees_a_run(member, outsider, ada, login, scope):
    run = made_run(scope, owner=ada, title="Secret v1", output="planted")
    elsewhere = factories.member(factories.workspace(), role=Role.ADMIN)
    for person, status in ((member(), 404), (member(Role.VIEWER), 404), (outsider, 403), (elsewhere, 404)):
        answer = login(person).get(page(run))
        assert answer.status_code == status
        assert b"planted" not in answer.content
    assert login(outsider).get(LIST).status_code == 403


def test_a_run_in_another_workspace_of_mine_leads_there(ada, login, scope):
    other = factories.workspace()
    with across_workspaces():
        ada.llm_memberships.create(workspace=other, role=Role.AUTHOR)
        run = made_run(other, owner=ada, output="Over there")
    assert b"Over there" in login(ada).get(page(run), follow=True).content


def test_nothing_can_be_added_changed_or_deleted(member, login, ada, scope):
    run = made_run(scope, owner=ada)
    client = login(member(Role.ADMIN))
    addresses = [page(run), reverse("admin:llm_admin_run_add"), reverse("admin:llm_admin_run_delete", args=[run.pk])]
    for address in addresses:
        assert client.post(address, {"post": "yes", "title": "Changed"}).status_code == 403
    assert client.get(addresses[1]).status_code == 403
    assert Run.objects.get().title == run.title


# ---- values


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ({"messages": []}, "chat"),
        ({"a": 1}, "table"),
        ([1], "list"),
        ("", "empty"),
        ({}, "empty"),
        (None, "empty"),
        (False, "yes_no"),
        (0, "text"),
        ("x", "text"),
    ],
)
def test_values_are_shown_as_what_they_are(value, kind):
    assert shape(value) == kind


def test_a_nested_value_is_shown_without_json(author, ada, scope):
    run = workflow_run(scope, [], owner=ada, output={"title": "Rain", "tags": ["wet", {"sure": True}], "none": None})
    html = author.get(page(run)).content.decode()
    for words in ("<dt>title</dt>", "Rain", "wet", "<dt>sure</dt>", "yes"):
        assert words in html
    assert "{&#x27;" not in html


def test_a_failed_workflow_says_above_its_steps_which_one_failed_and_why(author, ada, scope):
    steps = [("1", StepStatus.SUCCEEDED), ("2", StepStatus.FAILED)]
    values = {"error_kind": ErrorKind.TIMEOUT, "error_message": "No answer came in time.", "error_step": "step2"}
    run = workflow_run(scope, steps, owner=ada, status=RunStatus.FAILED, **values)
    html = author.get(page(run)).content.decode()
    assert html.index("in step “Step 2”") < html.index("No answer came in time.") < html.index('class="llm-steps"')
