"""The action on the host's list, and the page that asks which workflow and which fields."""

from __future__ import annotations

import json
import re

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model

from console.shop.models import Product
from llm_admin.models import Batch, BatchRow, RowMapping, Workflow
from llm_admin.services import actors, shelf
from tests import factories, shop
from tests.admin.host_rows.conftest import ASK, LIST, asked, html, page


def act(client, rows, **more):
    data = {"action": "llm_run_workflow", "_selected_action": [one.pk for one in rows]}
    return client.post(LIST, data | more)


def test_the_action_asks_and_changes_nothing(author, scope):
    rows, workflow = shop.products(3), shop.workflow(scope)
    text = html(act(author, rows[:2]))
    assert "Run on 2 products" in text
    assert json.loads(re.search(r'name="ids" value="([^"]*)"', text)[1].replace("&quot;", '"')) == [
        str(one.pk) for one in rows[:2]
    ]
    assert f'<option value="{workflow.pk}" selected>' in text, "the only one is chosen"
    assert re.search(r'<option value="tagline" selected>Tagline</option>', text)
    assert not Batch.objects.exists()


def test_all_that_match_are_meant(author, scope):
    shop.workflow(scope)
    rows = shop.products(3)
    Product.objects.filter(pk=rows[0].pk).update(category="care")
    text = html(author.post(f"{LIST}?category__exact=home", {
        "action": "llm_run_workflow", "_selected_action": [rows[1].pk], "select_across": "1",
    }))  # fmt: skip
    assert "Run on 2 products" in text


def test_only_workflows_that_can_run_are_offered(author, scope):
    shop.workflow(scope, "Ready")
    archived = shop.workflow(scope, "In the archive")
    shelf.archive_many(Workflow.objects.filter(pk=archived.pk), actor=actors.system(scope), archived=True)
    other = factories.workspace("Other")
    shop.workflow(other, "Elsewhere")
    text = html(act(author, shop.products(1)))
    assert "Ready" in text
    assert "In the archive" not in text
    assert "Elsewhere" not in text


def test_without_a_workflow_it_says_what_to_do(author):
    assert "There is no workflow yet that is Live" in html(act(author, shop.products(1)))


def test_another_workflow_brings_its_own_fields(author, scope):
    first = shop.workflow(scope, "First")
    steps = [{"type": "llm", "id": "a", "text": "{{price}}"}]
    second = shop.workflow(scope, "Second", {"inputs": [{"name": "price", "type": "number"}], "steps": steps})
    rows = shop.products(1)
    text = html(author.post(ASK, asked(rows, second, do="show"), headers={"HX-Request": "true"}))
    assert 'name="in-price"' in text
    assert '<option value="price" selected>Price</option>' in text
    assert 'name="out-"' in text
    assert "<html" not in text
    assert 'name="in-name"' in html(author.post(ASK, asked(rows, first, do="show")))


def test_the_preview_shows_what_the_workflow_gets(author, scope):
    workflow, rows = shop.workflow(scope), shop.products(5, description="A fine thing")
    text = html(author.post(ASK, asked(rows, workflow, do="preview", **{"in-name": "category:label"})))
    assert text.count("A fine thing") == 3
    assert "Home and living" in text
    text = html(author.post(ASK, asked(rows, workflow, do="preview", **{"in-name": "=", "input-name": ""})))
    assert "“Name” is needed; fill it in." in text
    text = html(author.post(ASK, asked(rows, workflow, do="preview", **{"in-name": "=", "input-name": "The same"})))
    assert text.count("The same") == 3


def test_start_makes_a_batch_and_leads_to_its_review(author, person, scope):
    workflow, rows = shop.workflow(scope), shop.products(2)
    answer = author.post(ASK, asked(rows, workflow, **{"in-name": "=", "input-name": "Fixed"}))
    batch = Batch.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, page("review", batch))
    assert (batch.owner, batch.workflow, batch.total, batch.concurrency) == (person, workflow, 2, 5)
    assert [row.inputs["name"] for row in BatchRow.objects.filter(batch=batch)] == ["Fixed", "Fixed"]
    author.post(ASK, asked(rows, workflow))
    assert Batch.objects.count() == 1, "the same key again"
    assert RowMapping.objects.get().user == person


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"workflow": ""}, "Choose a workflow."),
        ({"in-name": ""}, "“Name” is needed: choose a field or a value."),
        ({"in-name": "password"}, "“Name” cannot be read from there."),
        ({"out-tagline": "", "out-audience": ""}, "choose at least one"),
        ({"out-tagline": "audience"}, "“Audience” gets two results."),
        ({"out-tagline": "updated_at"}, "You may not change the field “updated_at” here."),
        ({"out-tagline": "id"}, "You may not change the field “id” here."),
        ({"concurrency": "500"}, "Choose between 1 and 50"),
        ({"concurrency": "many"}, "Choose between 1 and 50"),
        ({"ids": "[]"}, "None of the rows can be run."),
        ({"ids": '["x", "1000000"]'}, "None of the rows can be run."),
        ({"ids": "no list"}, "did not arrive whole"),
        ({"ids": "[1, {}]"}, "did not arrive whole"),
        ({"model": "no-such-model"}, "There is no model “no-such-model”"),
    ],
)
def test_what_is_wrong_is_told_and_what_was_chosen_stays(author, scope, fields, sentence):
    shop.workflow(scope, "Another")
    workflow, rows = shop.workflow(scope), shop.products(1)
    text = html(author.post(ASK, asked(rows, workflow, **fields)), 422)
    assert sentence in text
    assert not Batch.objects.exists()
    if "ids" not in fields and "workflow" not in fields:
        assert f'<option value="{workflow.pk}" selected>' in text
        assert '<option value="description" selected>Description</option>' in text


def test_rows_that_cannot_be_run_are_named_and_can_be_left_out(author, scope):
    workflow, rows = shop.workflow(scope), shop.products(3)
    Product.objects.filter(pk=rows[0].pk).update(description="")
    text = html(author.post(ASK, asked(rows, workflow)), 422)
    assert "Product 001: “Description” is needed; fill it in." in text
    assert author.post(ASK, asked(rows, workflow, leave_out="1")).status_code == 302
    assert Batch.objects.get().total == 2


def test_a_page_that_was_only_opened_leads_back(author):
    assert author.get(ASK)["Location"] == LIST


@pytest.mark.parametrize(
    ("role", "rights"),
    [("viewer", ("view", "change")), ("author", ("view",)), ("author", ()), (None, ("view", "change"))],
)
def test_who_may_not(role, rights, member, login, scope):
    """Both are needed: a role that runs workflows, and the right to change the rows."""
    person = member(role, "zoe") if role else factories.user("zoe")
    if rights:
        person = shop.allow(person, *rights)
    client, rows, workflow = login(person), shop.products(1), shop.workflow(scope)
    if rights:
        assert "llm_run_workflow" not in html(client.get(LIST))
    assert client.post(ASK, asked(rows, workflow)).status_code == 403
    act(client, rows)
    assert not Batch.objects.exists()


def test_a_superuser_without_a_workspace_is_told(login, db):
    boss = get_user_model().objects.create_superuser("boss", password="demo")
    client, rows = login(boss), shop.products(1)
    assert client.get(LIST).status_code == 200
    assert client.post(ASK, asked(rows)).status_code in (403, 422)


@pytest.mark.parametrize("do", ["preview", "start"])
def test_a_field_that_the_admin_does_not_show_is_not_read_by_its_name(author, scope, monkeypatch, do):
    model_admin = admin.site.get_model_admin(Product)
    monkeypatch.setattr(model_admin, "exclude", ("audience",), raising=False)
    monkeypatch.setattr(type(model_admin), "get_list_display", lambda *_: ("name",))
    fields = ("name", "description", "price", "category", "tagline")
    monkeypatch.setattr(type(model_admin), "get_fields", lambda *_: fields)
    monkeypatch.setattr(type(model_admin), "get_fieldsets", lambda *_: [(None, {"fields": fields})])
    answer = author.post(
        ASK, asked(shop.products(1, audience="SECRET"), shop.workflow(scope), **{"do": do, "in-name": "audience"})
    )
    assert "SECRET" not in answer.content.decode()


@pytest.mark.parametrize(("more", "cache"), [({}, True), ({"no_cache": "1"}, False)])
def test_rows_can_be_run_without_the_cache(author, scope, more, cache):
    workflow, rows = shop.workflow(scope), shop.products(1)
    assert 'name="no_cache"' in html(author.post(ASK, asked(rows, workflow, do="show")))
    author.post(ASK, asked(rows, workflow, **more))
    assert Batch.objects.get().spec["cache"] is cache
