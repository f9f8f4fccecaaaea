"""A run's page: nested steps in their order, long loops bounded, what did not run, the time line, waiting."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from llm_admin.choices import RunKind, RunStatus, StepStatus
from llm_admin.models import Approval, RunStep
from llm_admin.selectors.timelines import time_line
from llm_admin.selectors.trace_parts import below
from llm_admin.selectors.trace_tree import outer
from llm_admin.selectors.traces import Asked, trace
from llm_admin.services import catalogue
from tests import log_rows

ASK = {"type": "llm", "id": "ask", "text": "{{item}}"}
STEPS = [
    {"type": "template", "id": "start", "title": "Start", "text": "x"},
    {
        "type": "branch",
        "id": "way",
        "title": "Which way",
        "conditions": [{"value": "start", "operator": "not_empty"}],
        "yes": [ASK | {"id": "left", "title": "Left"}],
        "no": [ASK | {"id": "right", "title": "Right"}, ASK | {"id": "far", "title": "Far right"}],
    },
    {"type": "for_each", "id": "each", "title": "Each", "items": "start", "steps": [ASK | {"title": "Ask one"}]},
    ASK | {"id": "never", "title": "Never reached"},
    ASK | {"id": "off", "title": "Was off", "disabled": True},
]
BEGAN = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


@pytest.fixture
def make(scope, ada):
    """make(rows) -> a run with steps (path, type, status, {details}), a second each."""

    def run(rows, **values):
        values = {
            "status": RunStatus.SUCCEEDED,
            "spec": {"workflow": {"steps": STEPS}},
            "ended_at": timezone.now(),
        } | values
        made = log_rows.run(scope, kind=RunKind.WORKFLOW, title="Nested v1", owner=ada, started_at=BEGAN, **values)
        steps = []
        for second, (path, kind, status, *more) in enumerate(rows):
            begun = BEGAN + dt.timedelta(seconds=second)
            ended = None if status in ("running", "waiting") else begun + dt.timedelta(seconds=1)
            details = {"title": f"Title {path}", "output": f"out {path}"} | (more[0] if more else {})
            row = RunStep(run=made, path=path, step_id=f"s{path}", type=kind, status=status, **details)
            row.started_at, row.ended_at = begun, ended
            steps.append(row)
        RunStep.objects.bulk_create(steps)
        return made

    return run


def nested(entries, failed=()):
    rows = [("3", "for_each", StepStatus.SUCCEEDED, {"note": f"{entries} entries"})]
    for n in range(1, entries + 1):
        rows.append((f"3[{n}].1", "llm", StepStatus.FAILED if n in failed else StepStatus.SUCCEEDED))
    return [
        ("1", "template", StepStatus.SUCCEEDED),
        ("2", "branch", StepStatus.SUCCEEDED, {"note": "If so"}),
        ("2.yes.1", "llm", StepStatus.SUCCEEDED),
        *rows,
    ]


def page(run, **query):
    return reverse("admin:llm_admin_run_change", args=[run.pk], query=query or None)


def panel(run, **query):
    return reverse("admin:llm_admin_run_panel", args=[run.pk], query=query or None)


def queries(client, address):
    catalogue.forget()
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def test_steps_stand_in_the_order_of_reading_inside_one_another(make):
    shown = trace(make(nested(2))).steps
    assert [step.path for step in below(shown)] == ["1", "2", "2.yes.1", "3", "3[1].1", "3[2].1", "4", "5"]
    ways = {way.name: (way.taken, way.count, len(way.steps)) for way in shown[1].ways}
    assert ways == {"yes": (True, 1, 1), "no": (False, 2, 0)}
    assert [(step.title, step.label) for step in shown[3:]] == [
        ("Never reached", "Not run"),
        ("Was off", "Switched off"),
    ]
    assert [outer(path) for path in ("3[2].1.yes.4", "3[2].1", "3.no.1", "12")] == ["3[2].1", "3", "3", ""]


def test_the_page_says_which_way_and_what_did_not_run(author, make):
    html = author.get(page(make(nested(2)))).content.decode()
    for words in (
        "this way was taken",
        "Otherwise: not taken, 2 steps not run",
        "Entry 2 of 2",
        "Not run",
        "Switched off",
    ):
        assert words in html


def test_a_failure_that_was_dealt_with_says_how(author, make):
    note = "Failed; the value for this case was used"
    rows = [("1", "llm", StepStatus.FAILED, {"note": note, "error_message": "No answer came."})]
    html = author.get(page(make(rows))).content.decode()
    assert note in html
    assert "No answer came." in html


def test_a_thousand_entries_make_a_page_no_larger_and_no_slower(author, make):
    few, many = make(nested(10)), make(nested(1000, failed={12, 700}))
    assert queries(author, page(few)) == queries(author, page(many))
    html = author.get(page(many)).content.decode()
    assert 6 <= html.count("data-step=") - 5 <= 12
    assert html.count("llm-line-row") <= 60
    assert "Entry 700 of 1000" in html
    assert "The 2 failed" in html


def test_the_rest_of_a_long_loop_comes_page_by_page(author, make):
    run = make(nested(50, failed={12, 44}))
    html = author.get(panel(run, loop="3", after=20)).content.decode()
    assert [n for n in range(1, 51) if f"Entry {n} of 50" in html] == list(range(21, 41))
    assert "after=40" in html
    assert "run-head" not in html
    html = author.get(panel(run, loop="3", failed=1)).content.decode()
    assert [n for n in range(1, 51) if f"Entry {n} of 50" in html] == [12, 44]
    assert trace(run, asked=Asked("3", 40)).more.more is False
    assert author.get(panel(run, loop="9")).status_code == 404


def test_a_nested_step_comes_alone_and_a_container_with_what_is_in_it(author, make):
    run = make(nested(2))
    html = author.get(panel(run, step="3[2].1")).content.decode()
    assert html.count("data-step=") == 1
    html = author.get(panel(run, step="2")).content.decode()
    assert html.count("data-step=") == 2
    for wrong in ("3[9].1", "x", "3[2]", "99999999999"):
        assert author.get(panel(run, step=wrong)).status_code == 404


def test_while_it_runs_what_comes_is_shown_as_waiting(author, make):
    rows = [("1", "template", StepStatus.SUCCEEDED), ("2", "branch", StepStatus.RUNNING), ("2.no.1", "llm", "running")]
    run = make(rows, status=RunStatus.RUNNING, ended_at=None)
    found = {step.path: step.status for step in below(trace(run).steps)}
    assert found == {"1": "succeeded", "2": "running", "2.no.1": "running", "2.no.2": "waiting", "3": "waiting",
                     "4": "waiting", "5": "off"}  # fmt: skip
    assert 'hx-trigger="llm:step from:body' in author.get(page(run)).content.decode()


def test_the_time_line_has_a_bar_for_each_step_that_ran_here(make):
    rows = [("1", "template", StepStatus.SUCCEEDED, {"reused": True}), ("2", "branch", StepStatus.SUCCEEDED),
            ("2.yes.1", "llm", StepStatus.SUCCEEDED)]  # fmt: skip
    run = make(rows, ended_at=BEGAN + dt.timedelta(seconds=4))
    line = time_line(trace(run))
    assert [(bar.step.path, bar.depth, bar.left, bar.width) for bar in line.bars] == [
        ("2", 0, "25.00", "25.00"),
        ("2.yes.1", 1, "50.00", "25.00"),
    ]
    assert time_line(trace(make([]))) is None


def test_calls_and_costs_of_a_container_are_those_within_it(make, scope):
    run = make(nested(2))
    for path, cost in (("3[1].1", 5), ("3[2].1", 7), ("2.yes.1", None)):
        log_rows.log(scope, run=run, step_path=path, cost_nano=cost)
    by_path = {step.path: step for step in below(trace(run).steps)}
    assert (by_path["3"].figures.calls, by_path["3"].cost_nano) == (2, 12)
    assert (by_path["2"].figures.calls, by_path["2"].cost_nano) == (1, None)


def test_a_long_result_is_cut(author, make):
    run = make([("1", "template", "succeeded", {"output": [f"line {n:04}" for n in range(1000)]})])
    html = author.get(page(run)).content.decode()
    assert "line 0029" in html
    assert "line 0030" not in html
    assert "1000 in all" in html


def test_while_it_waits_the_page_has_the_question_and_asks_for_changes(author, make, scope):
    run = make([("1", "approval", StepStatus.WAITING, {"output": None})], status=RunStatus.WAITING, ended_at=None)
    approval = Approval.objects.create(
        workspace=scope, run=run, path="1", step_id="s1", title="Fit?", question="True?", role="author", asked_at=BEGAN
    )
    html = author.get(page(run)).content.decode()
    assert reverse("admin:llm_admin_approval_change", args=[approval.pk]) in html
    assert ">Decide<" in html
    assert ">Stop<" in html
    assert author.get(page(run, waits=1)).status_code == 204
    assert author.get(panel(run, waits=1)).status_code == 204
    Approval.objects.update(status="approved")
    assert author.get(panel(run, waits=1)).status_code == 200
    assert author.get(page(run, waits=1)).status_code == 200
