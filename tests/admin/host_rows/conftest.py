from __future__ import annotations

import json

import pytest
from django.urls import reverse

from tests import shop

LIST = "/admin/shop/product/"
ASK = "/admin/shop/product/workflow/"


@pytest.fixture
def person(member):
    return shop.allow(member("author", "anna"))


@pytest.fixture
def author(person, login):
    return login(person)


@pytest.fixture
def run(person, scope):
    """run(products, answers) -> a batch with these answers."""

    def make(rows, answers=shop.both, **what):
        return shop.batch(person, scope, rows, answers, **what)

    return make


def page(name, batch, **query):
    return reverse(f"admin:shop_product_workflow_{name}", args=[batch.pk], query=query or None)


def html(response, status=200):
    assert response.status_code == status, response.content[:800]
    return response.content.decode()


def asked(rows, chosen=None, **fields):
    """What the page posts."""
    data = {"ids": json.dumps([str(one.pk) for one in rows]), "concurrency": "5", "client_key": "key"}
    data |= {"in-name": "name", "in-description": "description"}
    data |= {"out-tagline": "tagline", "out-audience": "audience", "do": "start"}
    return data | ({"workflow": chosen.pk} if chosen else {}) | fields
