from __future__ import annotations

import pytest

from llm_admin.choices import Role


@pytest.fixture
def operator(member, login):
    return login(member(Role.OPERATOR))
