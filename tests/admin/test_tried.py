"""What a call tried before it was answered: on the log's page and on the run's."""

from __future__ import annotations

import pytest

from llm_admin.models import InteractionLog
from tests import log_rows

pytestmark = pytest.mark.django_db
TRIED = [
    {
        "deployment_id": 1,
        "deployment": "gpt-5-mini at OpenAI",
        "error_kind": "rate_limit",
        "error": "slow <b>down</b>",
        "latency_ms": 120,
        "waited_ms": 700,
    },
    {"deployment_id": 2, "deployment": "x at Y", "error_kind": "of-tomorrow", "error": "", "latency_ms": 5},
]


def test_the_log_says_who_was_asked_before_and_why_they_did_not_answer(scope, login, member):
    log = log_rows.log(scope, tried=TRIED)
    page = login(member("operator")).get(f"/admin/llm_admin/interactionlog/{log.pk}/change/").content.decode()
    assert "Tried before" in page
    assert "gpt-5-mini at OpenAI" in page
    assert "Too many requests after 120 ms" in page
    assert "then waited 700 ms" in page
    assert "of-tomorrow after 5 ms" in page
    assert "slow <b>down</b>" not in page


def test_nothing_is_said_when_the_first_one_answered(scope, login, member):
    log = log_rows.log(scope)
    page = login(member("operator")).get(f"/admin/llm_admin/interactionlog/{log.pk}/change/").content.decode()
    assert "Tried before" not in page
    assert InteractionLog.objects.get().tried is None
