from __future__ import annotations

import pytest

from llm_admin.models import Prompt
from llm_admin.services import documents, library
from tests.library.files import csv_file


@pytest.fixture
def plan(system):
    """plan(data, actor=...) -> a Plan; nothing is saved."""

    def make(data: bytes, actor=system, filename: str = "list.csv"):
        return library.plan_file(data, actor=actor, filename=filename)

    return make


@pytest.fixture
def load(system, plan):
    """load(data) or load(("Name", "text"), ...): imports; the counts as (new, new version, unchanged)."""

    def make(*given, actor=system):
        data = given[0] if isinstance(given[0], bytes) else csv_file(*given)
        counts = library.apply(plan(data, actor=actor), actor=actor)
        return counts.new, counts.new_version, counts.unchanged

    return make


@pytest.fixture
def shelf(scope):
    """shelf() -> name -> the texts of its versions, oldest first; what is Live has a star."""

    def read():
        return {prompt.name: _texts(prompt) for prompt in Prompt.objects.order_by("pk")}

    return read


def _texts(prompt: Prompt) -> list[str]:
    live = documents.version_of(prompt).number
    rows = prompt.versions.order_by("number")
    return [row.spec["messages"][-1]["text"] + ("*" if row.number == live else "") for row in rows]
