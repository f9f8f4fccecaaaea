"""The page on which proposals are looked at, ticked, applied and undone."""

from __future__ import annotations

import re

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.shop.models import Product
from llm_admin.choices import BatchStatus, RowStatus
from llm_admin.models import Batch, BatchRow, RowChange, Workspace
from tests import factories, shop
from tests.admin.host_rows.conftest import LIST, html, page


def posted(text):
    """What the form of the page would post as it stands: what is ticked, and what was seen."""
    ticked = re.findall(r'name="tick" value="([^"]+)" checked', text)
    seen = dict(re.findall(r'name="(seen-\d+)" value="([^"]+)"', text))
    return {"tick": ticked, "show": "", "page": "1"} | seen


def told(answer):
    return [str(message) for message in get_messages(answer.wsgi_request)]


def test_look_apply_look_undo(author, run):
    rows = shop.products(3, tagline="Old line")
    batch = run(rows)
    before = shop.table()
    text = html(author.get(page("review", batch)))
    assert text.count("<del>") >= 3
    assert "<ins>Everybody</ins>" in text
    form = posted(text)
    assert len(form["tick"]) == 6
    form["tick"] = form["tick"][:3]
    answer = author.post(page("apply", batch), form)
    assert (answer.status_code, answer["Location"]) == (302, page("review", batch, page=1))
    assert told(answer) == ["Applied 3 values to 2 products."]
    assert list(Product.objects.order_by("pk").values_list("tagline", "audience")) == [
        ("Line for Product 001", "Everybody"),
        ("Line for Product 002", ""),
        ("Old line", ""),
    ]
    text = html(author.get(page("review", batch)))
    assert text.count(">Applied</span>") == 3
    assert "Before: “Old line”." in text
    assert posted(text)["tick"] == [], "the others were left on purpose"
    assert "by anna" in text
    answer = author.post(page("undo", batch), {})
    assert told(answer)[-1] == "Undid 3 values in 2 products: as before."
    assert shop.table() == before
    assert html(author.get(page("review", batch))).count(">Undone</span>") == 3


def test_one_row_can_be_undone(author, run):
    batch = run(shop.products(2))
    author.post(page("apply", batch), {"all": "1"})
    second = BatchRow.objects.filter(batch=batch).order_by("number").last()
    author.post(page("undo", batch), {"row": second.pk})
    assert list(Product.objects.order_by("pk").values_list("audience", flat=True)) == ["Everybody", ""]


def test_problems_stand_at_the_row_and_are_not_ticked(author, run):
    batch = run(shop.products(2), [{"tagline": "x" * 200, "audience": "A"}, {"audience": "B"}])
    text = html(author.get(page("review", batch)))
    assert "at most 160 characters" in text
    assert "The answer has no “tagline”." in text
    assert len(posted(text)["tick"]) == 2


def test_what_changed_meanwhile_is_told_with_what_it_was(author, run):
    rows = shop.products(1, tagline="At the start")
    batch = run(rows)
    Product.objects.update(tagline="By hand")
    text = html(author.get(page("review", batch)))
    assert "Changed since the run was started. Then it was: “At the start”." in text
    assert [one.split(":")[1] for one in posted(text)["tick"]] == ["audience"]


def test_a_change_between_looking_and_applying_is_not_run_over(author, run):
    batch = run(shop.products(1))
    form = posted(html(author.get(page("review", batch))))
    Product.objects.update(audience="By hand")
    answer = author.post(page("apply", batch), form)
    assert told(answer) == [
        "Nothing was applied.",
        "Skipped. Product 001: It was changed after you opened this page. Look at it again.",
    ]
    assert Product.objects.get().audience == "By hand"


def test_texts_are_escaped(author, run):
    batch = run(shop.products(1), [{"tagline": "<script>alert(1)</script>", "audience": "<b>x</b>"}])
    text = html(author.get(page("review", batch)))
    assert "<script>alert" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("tick", ["", "x", "1:", ":tagline", "99999999:tagline", "1" * 30 + ":tagline", "-1:price"])
def test_ticks_that_mean_nothing(author, run, tick):
    batch = run(shop.products(1))
    before = shop.table()
    assert author.post(page("apply", batch), {"tick": tick, "seen-x": "y"}).status_code == 302
    assert author.post(page("undo", batch), {"row": tick}).status_code == 302
    assert shop.table() == before


def test_rows_without_an_answer_are_shown_with_the_reason(author, run):
    batch = run(shop.products(2))
    first = BatchRow.objects.filter(batch=batch).order_by("number").first()
    BatchRow.objects.filter(pk=first.pk).update(status=RowStatus.FAILED, problem="The provider was down.")
    assert "The provider was down." in html(author.get(page("review", batch, show="failed")))
    text = html(author.get(page("review", batch, show="open")))
    assert "Product 002" in text
    assert "Product 001" not in text
    assert "Nothing is applied so far." in html(author.get(page("review", batch, show="applied")))


def test_deleted_rows_keep_their_name(author, run):
    rows = shop.products(1)
    batch = run(rows)
    rows[0].delete()
    text = html(author.get(page("review", batch)))
    assert "Product 001" in text
    assert "not there any more" in text


def queries(client, url):
    """The fewer of two looks: what secrets there are is read again whenever a few seconds have passed."""

    def look():
        with CaptureQueriesContext(connection) as seen:
            html(client.get(url))
        return len(seen)

    return min(look(), look())


@pytest.mark.slow  # rows by the hundred
def test_as_many_queries_for_3_rows_as_for_300(author, run):
    few, many = run(shop.products(3)), None
    Product.objects.all().delete()
    rows = shop.products(300)
    many = run(rows)
    author.post(page("apply", many), {"all": "1"})
    assert queries(author, page("review", few)) == queries(author, page("review", many))
    text = html(author.get(page("review", many, page=2)))
    assert text.count("data-row>") == 25
    assert "Page 2 of 12" in text


def test_progress_while_it_runs_and_after(author, run):
    batch = run(shop.products(2))
    Batch.objects.filter(pk=batch.pk).update(status=BatchStatus.RUNNING)
    text = html(author.get(page("progress", batch, had=0)))
    assert "2 of 2 answered" in text
    assert "hx-get" in text
    Batch.objects.filter(pk=batch.pk).update(status=BatchStatus.FINISHED)
    answer = author.get(page("progress", batch, had=0))
    assert answer["HX-Refresh"] == "true"
    assert "hx-get" not in html(answer)
    answer = author.get(page("progress", batch, had=1))
    assert "HX-Refresh" not in answer
    assert "More answers have arrived" in html(answer)


def test_the_page_of_the_batch_leads_to_the_proposals(author, run):
    batch = run(shop.products(1))
    text = html(author.get(f"/admin/llm_admin/batch/{batch.pk}/change/"))
    assert page("review", batch) in text
    assert f"/admin/llm_admin/batch/{batch.pk}/change/" in html(author.get(page("review", batch)))


# ---- who ----


def test_who_may_only_look_at_the_rows_applies_nothing(run, member, login):
    batch = run(shop.products(1))
    operator = login(shop.allow(member("operator", "otto"), "view"))
    text = html(operator.get(page("review", batch)))
    assert "You may look at these proposals, and not apply them." in text
    assert 'name="tick"' not in text
    before = shop.table()
    assert operator.post(page("apply", batch), {"all": "1"}).status_code == 403
    assert operator.post(page("undo", batch), {}).status_code == 403
    assert shop.table() == before


def test_without_any_right_to_the_rows_nothing_is_seen(run, member, login):
    batch = run(shop.products(1))
    operator = login(member("operator", "otto"))
    assert operator.get(page("review", batch)).status_code == 403
    assert operator.get(page("progress", batch)).status_code == 403


@pytest.mark.parametrize("role", ["viewer", "author"])
def test_other_peoples_batches_are_for_those_who_see_all_runs(run, member, login, role):
    batch = run(shop.products(1))
    client = login(shop.allow(member(role, "zoe")))
    before = shop.table()
    assert client.get(page("review", batch)).status_code == 404
    assert client.post(page("apply", batch), {"all": "1"}).status_code in (403, 404)
    assert client.post(page("undo", batch), {}).status_code in (403, 404)
    assert shop.table() == before


def test_an_operator_applies_what_an_author_ran(run, member, login):
    batch = run(shop.products(1))
    operator = login(shop.allow(member("operator", "otto")))
    assert told(operator.post(page("apply", batch), {"all": "1"})) == ["Applied 2 values to 1 product."]
    assert RowChange.objects.first().applied_by.username == "otto"


def test_a_batch_of_another_workspace(run, login, scope):
    batch = run(shop.products(1))
    elsewhere = login(shop.allow(factories.member(factories.workspace("Other"), role="admin")))
    assert elsewhere.get(page("review", batch)).status_code == 404
    assert elsewhere.post(page("apply", batch), {"all": "1"}).status_code == 404
    assert Product.objects.get().tagline == ""
    assert Workspace.objects.count() == 2


def test_a_batch_of_a_file_or_of_another_table_is_not_here(author, run):
    batch = run(shop.products(1))
    Batch.objects.update(content_type=None)
    assert author.get(page("review", batch)).status_code == 404
    assert author.post(page("apply", batch), {"all": "1"}).status_code == 404


def test_changes_want_a_post(author, run):
    batch = run(shop.products(1))
    assert author.get(page("apply", batch)).status_code == 405
    assert author.get(page("undo", batch)).status_code == 405
    assert author.post(page("review", batch)).status_code == 405
    assert LIST in html(author.get(page("review", batch)))
