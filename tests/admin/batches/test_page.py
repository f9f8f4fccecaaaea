"""The list, the page of a batch, its buttons, its rows, its files."""

from __future__ import annotations

import pytest
from django.test import Client

from llm_admin.choices import BatchStatus, Role, RowStatus, StoreTexts
from llm_admin.models import Batch, BatchRow
from tests import factories
from tests.admin.batches.pages import ADD, HTMX, LIST, queries_of, text, url

ACTIONS = ("pause", "resume", "stop", "retry")
PAGES = ("change", "progress", "rows", "export_csv", "export_xlsx", "delete")


def body(answer):
    return b"".join(answer.streaming_content)


def test_an_empty_list_says_what_batches_are_for(author):
    html = text(author.get(LIST))
    assert "No batches yet" in html
    assert f'href="{ADD}"' in html


def test_the_list_shows_progress_failures_and_cost(author, batch_of):
    batch_of("succeeded", "failed", "running", "waiting", file_name="people.csv", status="running")
    html = text(author.get(LIST))
    for words in ("Greeting v1", "people.csv", "2 of 4", "1 failed", "1 waiting", "$0.004", "Running", "ada"):
        assert words in html


@pytest.mark.slow  # rows by the hundred
def test_the_list_takes_equally_many_queries_at_3_and_300(author, batch_of):
    for _ in range(3):
        batch_of("succeeded", "failed")
    few = queries_of(author, LIST)
    for _ in range(297):
        batch_of("succeeded")
    assert queries_of(author, LIST) == few


@pytest.mark.slow  # rows by the hundred
def test_a_batch_takes_equally_many_queries_with_3_and_300_rows(author, batch_of):
    small, large = batch_of(*["succeeded"] * 3), batch_of(*["succeeded"] * 300)
    assert queries_of(author, url("change", small)) == queries_of(author, url("change", large))
    assert queries_of(author, url("rows", small)) == queries_of(author, url("rows", large))


def test_the_page_tells_counts_and_what_is_left(author, batch_of):
    batch = batch_of("succeeded", "failed", "pending", status="running")
    html = text(author.get(url("change", batch)))
    assert "2 of 3 rows" in html
    assert "<strong>1</strong> failed" in html
    assert 'hx-trigger="every 1500ms"' in html
    assert 'aria-valuenow="2"' in html
    assert "It broke." in html
    assert "Hello 1" in html


def test_polling_stops_with_the_batch_and_brings_the_buttons_only_when_they_change(author, batch_of):
    batch = batch_of("succeeded", status="running")
    running = text(author.get(url("progress", batch, seen="running-False"), headers=HTMX))
    assert "every 1500ms" in running
    assert "llm-batch-actions" not in running
    Batch.objects.update(status=BatchStatus.FINISHED)
    finished = text(author.get(url("progress", batch, seen="running-False"), headers=HTMX))
    assert "hx-trigger" not in finished
    assert 'hx-swap-oob="true"' in finished
    assert "Delete…" in finished


def test_a_large_batch_is_looked_at_less_often(author, batch_of):
    assert 'hx-trigger="every 5s"' in text(
        author.get(url("change", batch_of("running", status="running", total=50_000)))
    )


def test_a_workspace_that_keeps_no_texts_says_why_there_are_no_results(author, batch_of, scope):
    scope.store_texts = StoreTexts.NOTHING
    scope.save()
    batch = batch_of("succeeded")
    BatchRow.objects.update(inputs={}, original={}, output=None)
    for page in ("change", "rows"):
        html = text(author.get(url(page, batch)))
        assert "there are numbers and no results" in html
        assert "not kept" in html


def test_rows_that_wait_for_approval_are_told(author, batch_of):
    html = text(author.get(url("change", batch_of("waiting", "succeeded"))))
    assert "1 row waits for somebody’s approval" in html
    assert 'hx-trigger="every 10s"' in html


@pytest.mark.parametrize(
    ("status", "rows", "offered"),
    [
        ("running", ("failed", "pending"), {"pause", "stop", "retry"}),
        ("paused", ("pending",), {"resume", "stop"}),
        ("stopped", ("stopped",), {"resume"}),
        ("finished", ("succeeded",), set()),
        ("finished", ("succeeded", "stopped"), {"resume"}),
        ("finished", ("failed",), {"retry"}),
    ],
)
def test_buttons_are_those_that_do_something(author, batch_of, status, rows, offered):
    batch = batch_of(*rows, status=status)
    html = text(author.get(url("change", batch)))
    assert {action for action in ACTIONS if f'action="{url(action, batch)}"' in html} == offered
    assert (url("delete", batch) in html) == (status != "running")


def test_each_button_does_what_it_says(author, batch_of):
    batch = batch_of("failed", "pending", status="running")
    for action, status in (("pause", "paused"), ("resume", "running"), ("stop", "stopped"), ("retry", "running")):
        assert author.post(url(action, batch)).status_code == 302
        assert Batch.objects.get().status == status
        assert author.get(url(action, batch)).status_code == 405
    assert BatchRow.objects.get(number=1).status == RowStatus.PENDING


def test_what_does_not_fit_any_more_is_a_conflict_in_words(author, batch_of):
    answer = author.post(url("pause", batch_of("succeeded")))
    assert answer.status_code == 409
    assert "It is not running, so it cannot be paused." in text(answer)


def test_deleting_asks_first(author, batch_of):
    batch = batch_of("succeeded")
    assert "kept under Runs" in text(author.get(url("delete", batch)))
    assert Batch.objects.count() == 1
    assert author.post(url("delete", batch))["Location"] == LIST
    assert Batch.objects.count() == BatchRow.objects.count() == 0
    running = batch_of("running", status="running")
    assert author.post(url("delete", running)).status_code == 409


def test_rows_come_in_pages_and_by_status(author, batch_of):
    batch = batch_of(*["succeeded"] * 60, "failed")
    first = text(author.get(url("change", batch)))
    assert "1–50 of 61" in first
    assert "Person 51" not in first
    second = text(author.get(url("change", batch, page="2")))
    assert "51–61 of 61" in second
    assert "Person 61" in second
    failed = text(author.get(url("change", batch, status="failed")))
    assert "Person 61" in failed
    assert "Person 60" not in failed
    for odd in ({"page": "999"}, {"page": "x"}, {"status": "nonsense"}):
        assert author.get(url("change", batch, **odd)).status_code == 200


def test_nothing_of_a_row_is_markup(author, batch_of):
    batch = batch_of("succeeded")
    BatchRow.objects.update(inputs={"name": "<script>alert(1)</script>"}, output={"<i>": "<img src=x>"})
    html = text(author.get(url("change", batch)))
    assert "<script>alert(1)" not in html
    assert "<img src=x>" not in html
    assert "&lt;script&gt;" in html


def test_results_are_downloaded_as_csv_and_excel(author, batch_of):
    batch = batch_of("succeeded", "failed")
    csv = author.get(url("export_csv", batch))
    assert csv["Content-Disposition"].startswith('attachment; filename="greeting-v1-')
    lines = body(csv).decode("utf-8-sig").splitlines()
    assert lines[0] == "Name,greeting,Status,Problem,Cost in USD,Run"
    assert lines[1].startswith("Person 1,Hello 1,Succeeded,,0.001")
    assert lines[2].startswith("Person 2,,Failed,It broke.,0.001")
    assert body(author.get(url("export_xlsx", batch)))[:2] == b"PK"


def test_others_see_nothing_and_operators_all(batch_of, member, login):
    batch = batch_of("succeeded", "failed", status="paused")
    for role in (Role.AUTHOR, Role.VIEWER):
        other = login(member(role))
        assert "Greeting v1" not in text(other.get(LIST))
        for page in PAGES:
            assert other.get(url(page, batch)).status_code == 404
        for action in (*ACTIONS, "delete"):
            assert other.post(url(action, batch)).status_code == 404
    operator = login(member(Role.OPERATOR))
    assert "Greeting v1" in text(operator.get(LIST))
    assert operator.post(url("resume", batch)).status_code == 302


def test_an_owner_who_became_a_viewer_reads_and_does_nothing(batch_of, member, login):
    vera = member(Role.VIEWER, "vera")
    batch = batch_of("failed", owner=vera, status="paused")
    client = login(vera)
    html = text(client.get(url("change", batch)))
    assert not any(url(action, batch) in html for action in (*ACTIONS, "delete"))
    for action in (*ACTIONS, "delete"):
        assert client.post(url(action, batch)).status_code == 403
    assert Batch.objects.get().status == "paused"


def test_another_workspace_s_batch_is_not_found(author, batch_of, workflow):
    elsewhere = factories.workspace()
    batch = batch_of("succeeded")
    Batch._base_manager.filter(pk=batch.pk).update(workspace=elsewhere)
    for page in PAGES:
        assert author.get(url(page, batch)).status_code == 404
    for action in ACTIONS:
        assert author.post(url(action, batch)).status_code == 404


def test_csrf_is_asked_for(ada, batch_of):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada, backend="llm_admin.auth.WorkspaceBackend")
    assert client.post(url("pause", batch_of("running", status="running"))).status_code == 403
