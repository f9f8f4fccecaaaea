from __future__ import annotations

import pytest

from llm_admin.choices import Role
from llm_admin.services import actors, workflows
from tests import factories
from tests.admin.workflows.pages import spec


@pytest.fixture
def reader(member, login):
    return login(member(Role.VIEWER, "vera"))


@pytest.fixture
def prompt(scope):
    """Wants a product and an audience."""
    return factories.prompt(scope, name="Weather report", spec=factories.chat_spec("{{product}} for {{audience}}"))


@pytest.fixture
def workflow(scope, prompt):
    """v1 is Live, v2 a draft with another title."""
    made = workflows.create(actor=actors.system(scope), name="Product page", spec=spec(), description="From a name")
    workflows.save_version(made, actor=actors.system(scope), spec=spec(title="Second"))
    return made
