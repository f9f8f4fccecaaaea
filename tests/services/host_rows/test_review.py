"""What is proposed beside what is there now; never beyond what was mapped."""

from __future__ import annotations

import pytest

from console.shop.models import Product
from llm_admin.models import BatchRow
from llm_admin.services import host_review
from llm_admin.services.host_maps import FieldMap
from tests import shop


def test_a_proposal_stands_beside_what_is_there(run):
    batch, host = run(shop.products(1, tagline="Old line"))
    (one,) = shop.reviews(batch, host)
    tagline, audience = one.proposals
    assert [(p.operation, p.text) for p in tagline.pieces if p.operation == "removed"]
    assert "".join(p.text for p in tagline.pieces if p.operation != "removed") == "Line for Product 001"
    assert (audience.now_shown, audience.proposed_shown, audience.advised) == ("", "Everybody", True)


def test_what_changed_meanwhile_is_told_and_not_ticked(run):
    rows = shop.products(2)
    batch, host = run(rows)
    Product.objects.filter(pk=rows[0].pk).update(tagline="By hand")
    first, second = shop.reviews(batch, host)
    assert [(p.changed, p.advised, p.open) for p in first.proposals] == [(True, False, True), (False, True, True)]
    assert all(p.advised for p in second.proposals)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"tagline": "x" * 161, "audience": "a"}, "160 characters"),
        ({"audience": "a"}, "no “tagline”"),
        ("only a text", "no “tagline”"),
        (None, "no “tagline”"),
        ([], "no “tagline”"),
        ({"tagline": "half \ud83d", "audience": "a"}, "surrogate"),
        ({"tagline": "nul \x00", "audience": "a"}, "NUL"),
        ({"tagline": "key: [masked]", "audience": "a"}, "masked"),
    ],
)
def test_what_cannot_be_stored_is_a_sentence_at_its_field(run, actor, answer, problem):
    rows = shop.products(1)
    batch, host = run(rows, [None])
    before = shop.table()
    (row,) = BatchRow.objects.filter(batch=batch)
    row.output = answer
    (one,) = host_review.review(host, batch, [row])
    assert problem in one.proposals[0].problem
    assert not one.proposals[0].open
    assert shop.table() == before


def test_an_answer_sets_nothing_that_is_not_mapped(run, actor):
    rows = shop.products(1)
    answer = {"tagline": "New", "audience": "A", "price": "0.01", "id": 7, "pk": 7, "save": "x", "__class__": "y"}
    batch, host = run(rows, [answer], FieldMap(shop.MAPPING.inputs, {"tagline": "tagline"}))
    shop.apply(batch, host, actor)
    (after,) = Product.objects.values()
    assert after | {"tagline": ""} == rows[0].__class__.objects.values().get() | {"tagline": ""}
    assert (after["tagline"], after["audience"], str(after["price"])) == ("New", "", "12.50")


def test_a_field_beyond_the_mapping_cannot_be_ticked(run, actor):
    batch, host = run(shop.products(1), mapping=FieldMap(shop.MAPPING.inputs, {"tagline": "tagline"}))
    before = shop.table()
    done = shop.apply(batch, host, actor, ticks=shop.ticks(batch, "audience", "price", "id", "__class__"))
    assert (done.rows, shop.table()) == (0, before)


def test_typed_columns(run, actor):
    spec = {
        "inputs": [{"name": "name"}],
        "steps": [{"type": "llm", "id": "a", "text": "{{name}}"}],
        "outputs": [{"name": n, "value": "{{a}}"} for n in ("price", "category", "in_stock", "weight")],
    }
    mapping = FieldMap({"name": "name"}, {n: n for n in ("price", "category", "in_stock", "weight")})
    rows = shop.products(2)
    scope = actor.workspace
    shop.workflow(scope, spec=spec)
    good = {"price": "19,90".replace(",", "."), "category": "Body care", "in_stock": "no", "weight": 250}
    bad = {"price": "-1", "category": "Garden", "in_stock": "perhaps", "weight": "2.5"}
    batch, host = run(rows, [good, bad], mapping)
    shop.apply(batch, host, actor)
    first, second = Product.objects.order_by("pk")
    assert (str(first.price), first.category, first.in_stock, first.weight) == ("19.90", "care", False, 250)
    assert (str(second.price), second.category, second.in_stock, second.weight) == ("12.50", "home", True, None)
    assert all(problem for name, problem, _ in shop.proposals(batch, host) if name == "Product 002")
