from __future__ import annotations

import pytest

from llm_admin.choices import Role


@pytest.fixture
def ada(member):
    return member(Role.AUTHOR, "ada")


@pytest.fixture
def author(ada, login):
    return login(ada)
