"""On the settings page: how long things are kept, what that would remove, and what was removed."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from llm_admin.choices import PruneStarter, PruneStatus, Role
from llm_admin.models import PruneRecord
from llm_admin.services import retention
from tests import factories, log_rows
from tests.admin.test_settings import form, page

PREVIEW = reverse("admin:llm_admin_retention_preview")
HISTORY = reverse("admin:llm_admin_retention")
REMOVE = reverse("admin:llm_admin_retention_remove")


@pytest.fixture
def admin(member, login):
    return login(member(Role.ADMIN, "boss"))


@pytest.fixture
def old_call(scope):
    made = log_rows.log(scope, at=timezone.now() - dt.timedelta(days=40))
    log_rows.text(made)
    return made


def said(client, **days):
    response = client.get(PREVIEW, days)
    assert response.status_code == 200
    return response.content.decode()


def test_the_days_are_saved_and_checked(admin, workspace):
    assert admin.post(page(workspace), form(workspace, keep_texts_days="30", keep_logs_days="")).status_code == 302
    workspace.refresh_from_db()
    assert (workspace.keep_texts_days, workspace.keep_logs_days) == (30, None)
    for wrong in ("0", "-3", "many", "36501", "9" * 30):
        response = admin.post(page(workspace), form(workspace, keep_logs_days=wrong))
        assert list(response.context["adminform"].form.errors) == ["keep_logs_days"], wrong


def test_the_preview_follows_what_is_typed(admin, scope, old_call):
    assert "Everything is kept for good." in said(admin, keep_texts_days="", keep_logs_days="")
    typed = said(admin, keep_texts_days="30", keep_logs_days="")
    assert "This would remove the texts of 1 call." in typed
    assert "Once it is saved." in typed and "Remove it now" not in typed
    for wrong in ("0", "x", "²", "9" * 30):
        assert "whole numbers of days, from 1 to 36,500," in said(admin, keep_texts_days=wrong)
    scope.keep_logs_days = 30
    scope.save()
    saved = said(admin, keep_texts_days="", keep_logs_days="30")
    assert "This would remove 1 call with all that is known of it." in saved
    assert "Remove it now" in saved
    assert 'data-llm-sure="This would remove 1 call with all that is known of it. It cannot be brought back.' in saved
    assert "Nothing is old enough yet." in said(admin, keep_logs_days="90")


def test_what_was_done_is_shown(admin, scope):
    assert "Done so far" not in admin.get(HISTORY).content.decode()
    now = timezone.now()
    PruneRecord.objects.create(
        workspace=scope, started_by=PruneStarter.TICKER, status=PruneStatus.FINISHED, logs=1_200, created_at=now
    )
    assert "Removed 1,200 calls." in admin.get(HISTORY).content.decode()
    there = factories.workspace()
    PruneRecord._base_manager.create(
        workspace=there, started_by=PruneStarter.COMMAND, status=PruneStatus.FINISHED, runs=77, created_at=now
    )
    html = admin.get(HISTORY).content.decode()
    assert "77 runs" not in html and "every 2s" not in html
    PruneRecord.objects.create(workspace=scope, started_by=PruneStarter.PERSON, created_at=now)
    assert "every 2s" in admin.get(HISTORY).content.decode()


def test_removing_now_needs_something_to_remove(admin, scope):
    response = admin.post(REMOVE, follow=True)
    assert "This workspace keeps everything." in response.content.decode()
    scope.keep_logs_days = 30
    scope.save()
    retention._begin(scope, PruneStarter.TICKER, None, whole=True)
    assert "removed already" in admin.post(REMOVE, follow=True).content.decode()
    assert PruneRecord.objects.count() == 1
    assert admin.get(REMOVE).status_code == 405


def test_only_admins_see_it(member, login):
    client = login(member(Role.OPERATOR))
    for url in (PREVIEW, HISTORY):
        assert client.get(url).status_code == 403
    assert client.post(REMOVE).status_code == 403
