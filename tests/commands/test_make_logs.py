from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from llm_admin.models import InteractionLog
from tests import factories


def test_makes_logs_and_says_how_many(scope):
    out = StringIO()
    call_command("make_logs", "--count", "40", "--days", "3", "--seed", "5", stdout=out)
    assert InteractionLog.objects.count() == 40
    assert out.getvalue() == ("Made 40 logs of 40 runs in “Default” over the last 3 days; 40 of them with texts.\n")


def test_in_another_workspace(scope):
    other = factories.workspace()
    call_command("make_logs", "--count", "5", "--workspace", other.slug, stdout=StringIO())
    assert InteractionLog.objects.count() == 0
    assert InteractionLog.objects.with_scopes_disabled().filter(workspace=other).count() == 5


@pytest.mark.parametrize("arguments", [["--count", "0"], ["--days", "0"], ["--workspace", "nowhere"]])
def test_says_in_a_sentence_what_is_wrong(scope, arguments):
    with pytest.raises(CommandError) as refused:
        call_command("make_logs", *arguments)
    assert str(refused.value).endswith(".")
