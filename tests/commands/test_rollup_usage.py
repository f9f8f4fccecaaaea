from __future__ import annotations

import datetime as dt
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from llm_admin.models import InteractionLog, UsageBlock, UsageSlot
from llm_admin.services import rollups
from tests.log_rows import unsaved

pytestmark = pytest.mark.django_db(transaction=True)
NOON = dt.datetime(2026, 5, 20, 12, tzinfo=dt.UTC)


@pytest.fixture
def calls(scope):
    rows = [unsaved(scope, at=NOON + dt.timedelta(minutes=n), cost_nano=n) for n in range(40)]
    return InteractionLog.objects.bulk_create(rows)


def ask(*options: str) -> str:
    out = StringIO()
    call_command("rollup_usage", *options, stdout=out)
    return out.getvalue()


def test_it_folds_and_finds_everything_right(calls):
    assert "Folded 40 changes in 3 quarters" in ask()
    assert "Folded 0 changes" in ask()
    assert ask("--verify") == "Everything is as its rows say.\n"


def test_what_differs_is_said_and_made_again(calls):
    ask()
    block = UsageBlock.objects.filter(level="slot").first()
    UsageBlock.objects.filter(start=block.start + dt.timedelta(minutes=15), level="slot").update(cells=block.cells)
    with pytest.raises(CommandError, match="differ. --rebuild makes them again"):
        ask("--verify")
    assert "3 quarters of an hour are made again" in ask("--rebuild", "--verify")


def test_it_ends_while_calls_keep_coming(calls, scope, monkeypatch):
    """A row more after each go, as on a busy console."""
    fold = rollups.fold_some

    def busy(**given):
        done = fold(**given)
        unsaved(scope, at=NOON).save(force_insert=True)
        return done

    monkeypatch.setattr(rollups, "fold_some", busy)
    assert "changes in" in ask()
    monkeypatch.undo()
    ask()
    assert ask("--verify") == "Everything is as its rows say.\n"


def test_since_leaves_out_what_is_before(calls):
    assert "Folded 0 changes" in ask("--since", "2026-05-21")
    assert "Folded 40 changes" in ask("--since", "2026-05-20")
    assert UsageSlot.objects.count() == 3


def test_what_is_no_day_is_said(calls):
    with pytest.raises(CommandError, match="give a day such as"):
        ask("--since", "2026-13-45")
