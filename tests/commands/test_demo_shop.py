"""bin/demo's products, and who of the demo accounts may do what with them."""

from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command

from console.shop.models import Product
from console.shop.products import PRODUCTS, WRITTEN
from tests import factories, shop


def run(monkeypatch, demo="1"):
    monkeypatch.setenv("DEMO", demo)
    output = io.StringIO()
    call_command("demo_shop", stdout=output)
    return output.getvalue().splitlines()


@pytest.fixture
def people(db):
    return {name: factories.user(name) for name in ("author", "operator", "viewer", "somebody")}


def test_forty_products_once(people, monkeypatch):
    assert len(run(monkeypatch)) == 3
    assert Product.objects.count() == 40 == len({name for name, *_ in PRODUCTS})
    assert set(WRITTEN) <= set(Product.objects.values_list("name", flat=True))
    for product in Product.objects.all():
        product.full_clean()
    before = shop.table()
    Group.objects.get(name="Shop editors").user_set.clear()
    assert run(monkeypatch) == []
    assert shop.table() == before
    assert not Group.objects.get(name="Shop editors").user_set.exists(), "what an admin changed stays"


@pytest.mark.parametrize(
    ("name", "may"),
    [
        ("author", (True, True)),
        ("operator", (True, True)),
        ("viewer", (True, False)),
        ("somebody", (False, False)),
    ],
)
def test_rights_are_djangos_own(people, monkeypatch, name, may):
    run(monkeypatch)
    person = people[name]
    assert (person.has_perm("shop.view_product"), person.has_perm("shop.change_product")) == may
    assert not person.has_perm("shop.delete_product")


def test_only_for_a_demo(people, monkeypatch):
    with pytest.raises(CommandError, match="DEMO=1"):
        run(monkeypatch, demo="")
    assert not Product.objects.exists()
