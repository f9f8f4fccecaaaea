"""An operator makes a monitor of what fails, sees what it would have told, gets its test, and mutes the alarm."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.servers.console import wait_until
from tests.servers.webhook_server import WebhookServer

FAILED = """
import datetime as dt
from django.utils import timezone
from llm_admin.services import workspaces
from llm_admin.tenancy import workspace_scope
from tests.log_rows import log
where = workspaces.default()
with workspace_scope(where):
    for minutes in (5, 95, 100):
        log(where, at=timezone.now() - dt.timedelta(minutes=minutes), status="failed", error_kind="timeout")
"""


@pytest.fixture
def hook():
    with WebhookServer() as server:
        yield server


def test_from_nothing_to_an_alarm_and_quiet(console, open_as, hook):
    console.code(FAILED)
    page = open_as("operator")
    page.goto("/admin/llm_admin/monitor/")
    page.get_by_role("link", name="Add").first.click()
    page.get_by_label("Name").fill("Failures")
    page.get_by_label("Number").select_option("errors")
    preview = page.locator("#llm-monitor-preview")
    expect(preview).to_contain_text("Not yet: Give a level")
    expect(page.locator("#id_alarm_level_helptext")).to_have_text("A number.")
    page.get_by_label("Alarm at").fill("0")
    expect(preview).to_contain_text("Number of errors over the last hour above 0.")
    expect(preview).to_contain_text("would have been an alarm")
    page.get_by_label("Webhook").fill(hook.url)
    page.get_by_role("button", name="Save", exact=True).click()
    panel = page.locator("#llm-monitor-panel")
    expect(panel).to_contain_text("Alarm")
    wait_until(lambda: [one.json["type"] for one in hook.received] == ["monitor.alarm"], what="the alarm")

    panel.get_by_role("button", name="Send a test").click()
    expect(panel).to_contain_text("sent.")
    assert [one.json["type"] for one in hook.received] == ["monitor.alarm", "monitor.test"]
    page.once("dialog", lambda dialog: dialog.accept())
    panel.get_by_role("button", name="New signing secret").click()
    expect(panel.locator("code")).to_contain_text("whsec_")
    panel.get_by_role("button", name="Mute for 8 hours").click()
    expect(panel).to_contain_text("Muted until")
    assert "SECRETPATH" not in page.content()

    page.goto("/admin/")
    page.get_by_role("link", name="Failures").click()
    expect(page.locator("#llm-monitor-panel")).to_contain_text("Unmute")
