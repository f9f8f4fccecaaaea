"""Products, a workflow on them, and who runs it."""

from __future__ import annotations

import pytest

from llm_admin.services import actors
from tests import shop


@pytest.fixture
def author(member):
    return shop.allow(member("author", "anna"))


@pytest.fixture
def actor(author, scope):
    return actors.Actor(scope, author, "author")


@pytest.fixture
def run(author, scope):
    """run(products, answers) -> (batch, host)"""

    def make(rows, answers=shop.both, mapping=shop.MAPPING):
        made = shop.batch(author, scope, rows, answers, mapping=mapping)
        return made, shop.host(author, scope)

    return make
