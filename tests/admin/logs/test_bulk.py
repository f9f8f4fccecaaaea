"""Files of calls, and deleting them."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import openpyxl
import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from llm_admin.admin import log_bulk
from llm_admin.choices import Role
from llm_admin.models import InteractionLog, InteractionText
from llm_admin.selectors import log_pages, log_search, log_words
from llm_admin.selectors.log_query import LogQuery
from llm_admin.selectors.usage import UsageFilter, totals
from llm_admin.services import log_deleting, log_exports
from llm_admin.services import log_search as keeping
from llm_admin.services.actors import Actor
from tests import factories
from tests.log_rows import log, minutes_ago, text, unsaved

LIST = reverse("admin:llm_admin_interactionlog_changelist")
DELETE = reverse("admin:llm_admin_log_delete")
KINDS = ("csv", "jsonl", "xlsx")


def file_of(answer):
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def records(kind, data):
    if kind == "jsonl":
        return [json.loads(line) for line in data.decode().splitlines()]
    if kind == "csv":
        return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    head, *rows = openpyxl.load_workbook(io.BytesIO(data)).active.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in rows]


def export(client, kind, **query):
    return records(kind, file_of(client.get(reverse(f"admin:llm_admin_log_export_{kind}"), query)))


@pytest.fixture
def operator(member, login):
    return login(member(Role.OPERATOR, "olga"))


@pytest.fixture
def admin(member, login):
    return login(member(Role.ADMIN, "ada"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_has_what_the_rows_have(operator, scope, member, kind):
    prompt = factories.prompt(scope, name="=Reply")
    row = log(scope, prompt=prompt, prompt_version=prompt.versions.get(), user=member(Role.AUTHOR, "ann"),
              cost_nano=12, latency_ms=34, status="failed", error_kind="timeout", cached=False)  # fmt: skip
    messages = [{"role": "user", "content": 'grüße\n"you", 1,5'}]
    text(row, messages=messages, answer='=HYPERLINK("x")', error="\x07bell")
    log(scope, cost_nano=None, input_tokens=None, at=minutes_ago(9))
    one, two = export(operator, kind)
    assert [str(found["id"]) for found in (one, two)] == [str(row.pk), str(row.pk + 1)]
    assert (one["user"], one["status"], one["error_kind"], int(one["latency_ms"])) == ("ann", "failed", "timeout", 34)
    assert float(one["cost_usd"]) == pytest.approx(12e-9)
    assert two["cost_usd"] in (None, "")
    assert two["input_tokens"] in (None, "")
    guarded = "'" if kind == "csv" else ""
    assert one["answer"] == f'{guarded}=HYPERLINK("x")'
    assert one["name"] == f"{guarded}=Reply"
    assert (one["messages"] if kind == "jsonl" else json.loads(one["messages"])) == messages
    if kind == "xlsx":
        sheet = openpyxl.load_workbook(
            io.BytesIO(file_of(operator.get(reverse("admin:llm_admin_log_export_xlsx"))))
        ).active
        assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {"s", "n", "b"}, "no formula"


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_has_all_that_match_and_nothing_else(member, login, scope, kind):
    author = member(Role.AUTHOR)
    right = [log(scope, user=author, status="failed") for _ in range(3)]
    for row in right[:2]:
        text(row, answer="planted")
    text(log(scope, status="failed"), answer="planted")
    log(factories.workspace(), user=author, status="failed")
    log(scope, user=author)
    mine = login(author)
    assert {int(one["id"]) for one in export(mine, kind, status="failed")} == {row.pk for row in right}
    assert {int(one["id"]) for one in export(mine, kind, status="failed", q="planted")} == {row.pk for row in right[:2]}
    assert len(export(login(member(Role.OPERATOR)), kind, status="failed", q="planted")) == 3
    assert export(mine, kind, error="budget") == []


def test_a_file_is_read_some_at_a_time(operator, scope, django_assert_max_num_queries, monkeypatch):
    monkeypatch.setattr(log_exports, "AT_A_TIME", 10)
    InteractionLog.objects.bulk_create([unsaved(scope) for _ in range(40)])
    parts = log_exports.jsonl_parts(LogQuery(scope.pk))
    with django_assert_max_num_queries(4):
        assert next(parts).count(b"\n") == 10
    assert sum(part.count(b"\n") for part in parts) == 30


def test_nonsense_is_refused_in_words(operator, scope):
    answer = operator.get(reverse("admin:llm_admin_log_export_csv"), {"since": "yesterday"})
    assert answer.status_code == 422
    assert "“yesterday” is no time" in answer.content.decode()


def act(client, action, *rows, **more):
    return client.post(LIST, {"action": action, "_selected_action": [row.pk for row in rows], "index": 0, **more})


@pytest.mark.parametrize("kind", KINDS)
def test_ticked_rows_become_a_file(member, login, scope, kind):
    author = member(Role.AUTHOR)
    mine, other, theirs = log(scope, user=author), log(scope, user=author), log(scope)
    data = file_of(act(login(author), f"export_{kind}", mine, theirs, select_across="1"))
    assert [int(one["id"]) for one in records(kind, data)] == [mine.pk]
    assert other.pk != mine.pk


def confirmed(client, **data):
    """What the page's form posts."""
    page = client.get(DELETE, data) if "ids" not in data else None
    asked_at = page.context["asked_at"] if page else data.pop("asked_at")
    here = "&".join(f"{key}={value}" for key, value in data.items() if key != "ids")
    return client.post(DELETE, {"here": here, "ids": data.get("ids", ""), "asked_at": asked_at}, follow=True)


def test_all_that_match_are_deleted_and_only_these(admin, scope):
    gone = [log(scope, status="failed") for _ in range(3)]
    kept, elsewhere = log(scope), log(factories.workspace(), status="failed")
    for row in (*gone, kept):
        text(row, answer="tulip")
    keeping.index_all()
    page = admin.get(DELETE, {"status": "failed"})
    assert "Delete 3 calls?" in page.content.decode()
    assert "match the filters" in page.content.decode()
    answer = confirmed(admin, status="failed")
    assert "3 calls deleted, with their texts." in answer.content.decode()
    assert set(InteractionLog._base_manager.values_list("pk", flat=True)) == {kept.pk, elsewhere.pk}
    assert set(InteractionText._base_manager.values_list("pk", flat=True)) == {kept.pk}
    terms = log_words.parse("tulip")
    assert log_search.backend().first([f"w:{scope.pk}"], terms, 9) == [kept.pk]
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.change_message) == ("ada", "Deleted 3 calls from the logs.")


def test_numbers_no_longer_count_them(admin, scope):
    for _ in range(3):
        log(scope)
    week = UsageFilter(since=minutes_ago(60), until=minutes_ago(-1))
    assert totals(week).calls == 3
    confirmed(admin)
    assert totals(week).calls == 0


def test_it_says_when_no_filter_is_set_and_when_nothing_is_there(admin, scope):
    assert "There is nothing to delete" in admin.get(DELETE).content.decode()
    log(scope)
    assert "No filter is set: these are all calls" in admin.get(DELETE).content.decode()


def test_ticked_rows_are_asked_for_first(admin, scope):
    rows = [log(scope) for _ in range(3)]
    elsewhere = log(factories.workspace())
    page = act(admin, "delete_calls", rows[0], rows[1], elsewhere)
    assert "Delete 2 calls?" in page.content.decode()
    assert InteractionLog.objects.count() == 3
    confirmed(admin, ids=page.context["ids"], asked_at=page.context["asked_at"])
    assert set(InteractionLog._base_manager.values_list("pk", flat=True)) == {rows[2].pk, elsewhere.pk}


def test_what_came_after_the_question_stays(admin, scope):
    log(scope)
    page = admin.get(DELETE)
    new = log(scope, at=minutes_ago(-1))
    admin.post(DELETE, {"here": "", "ids": "", "asked_at": page.context["asked_at"]})
    assert list(InteractionLog.objects.values_list("pk", flat=True)) == [new.pk]


def test_so_many_go_at_once_and_it_asks_again(admin, scope, monkeypatch):
    monkeypatch.setattr(log_bulk, "AT_ONCE", 2)
    monkeypatch.setattr(log_bulk, "COUNTED", 2)
    for _ in range(5):
        log(scope)
    assert "Delete at least 2 calls?" in admin.get(DELETE).content.decode()
    page = admin.post(DELETE, {"here": "", "asked_at": minutes_ago(-1).isoformat()})
    assert "At least 2 calls" in page.context["count"]
    assert InteractionLog.objects.count() == 3


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUTHOR, Role.OPERATOR])
def test_only_admins_delete(member, login, scope, role):
    person = member(role)
    row, client = log(scope, user=person), login(person)
    assert client.get(DELETE).status_code == 403
    assert client.post(DELETE, {"ids": row.pk, "asked_at": minutes_ago(-1).isoformat()}).status_code == 403
    assert "delete_calls" not in client.get(LIST).content.decode()
    act(client, "delete_calls", row)
    assert InteractionLog.objects.count() == 1
    with pytest.raises(Exception, match="may not delete"):
        log_deleting.delete(LogQuery(scope.pk), actor=Actor(scope, person, role))


@pytest.mark.parametrize("data", [{}, {"asked_at": "x"}, {"asked_at": "2026-01-01", "here": "since=x"}])
def test_an_odd_form_deletes_nothing(admin, scope, data):
    log(scope)
    assert admin.post(DELETE, data).status_code == 422
    assert InteractionLog.objects.count() == 1


def test_counting_stops(scope):
    InteractionLog.objects.bulk_create([unsaved(scope) for _ in range(30)])
    query = LogQuery(scope.pk)
    assert log_pages.count_upto(query, 10) == (10, False)
    assert log_pages.count_upto(replace(query, ids=(1, 2)), 10)[1]
    assert log_pages.count_upto(query, 30) == (30, True)
