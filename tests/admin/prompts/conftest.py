from __future__ import annotations

import pytest

from tests import factories


@pytest.fixture
def prompt(scope):
    """v1 is Live, v2 a draft."""
    return factories.prompt(scope, name="Weather", versions=2)
