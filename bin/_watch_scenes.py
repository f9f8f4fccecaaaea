"""Monitors, retention, feedback and the deletion of a budget, in every state, for bin/screenshots."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from bin._model_scenes import _named
from bin._workflow_scenes import ADMIN, WAIT_MS

# A chat that nobody listens at, a monitor that tells nobody, one that is muted; what was removed before; what others
# thought of an answer.
PREPARE_WATCH = """
import datetime as dt
from django.contrib.auth import get_user_model
from django.utils import timezone
from llm_admin.models import InteractionLog, Monitor, PruneRecord, Prompt
from llm_admin.services import actors, feedback, monitor_delivery, monitor_watch, monitors, workspaces
from llm_admin.tenancy import workspace_scope

ws, users = workspaces.default(), get_user_model()._default_manager
with workspace_scope(ws):
    actor = actors.system(ws)
    chat = Monitor(name="Errors, to our chat", measure="errors", alarm=0, window=43200, webhook_kind="slack")
    monitors.save(chat, actor=actor, webhook="http://127.0.0.1:9/services/T000/B000/secret")
    monitor_watch.look_now(chat, actor=actor)
    monitor_delivery.send_due()
    quiet = Monitor(name="Calls of the support reply", measure="calls", warn=0, window=43200,
                    prompt=Prompt.objects.get(slug="support-reply"))
    monitors.save(quiet, actor=actor)
    monitor_watch.look_now(quiet, actor=actor)
    monitors.mute(quiet, actor=actor, hours=8)
    now, refund = timezone.now(), "It promises a refund that we do not give."
    for days, by, user, counts in (
        (40, "ticker", None, {"texts": 210, "runs_emptied": 190}),
        (2, "person", users.get(username="admin"), {"texts": 1_204, "runs_emptied": 988, "logs": 310, "runs": 120}),
        (1, "ticker", None, {}),
    ):
        at = now - dt.timedelta(days=days)
        rows = at - dt.timedelta(days=365) if counts else None
        PruneRecord.objects.create(
            workspace=ws, started_by=by, user=user, status="finished", created_at=at, ended_at=at,
            texts_before=at - dt.timedelta(days=90), rows_before=rows, **counts
        )
    for log in InteractionLog.objects.filter(status="succeeded").order_by("-created_at")[:3]:
        for name, value, note in (("author", "up", ""), ("operator", "down", refund)):
            feedback.give(actor=actors.system(ws, users.get(username=name)), subject=log, value=value, note=note)
"""


def typed(page: Page) -> None:
    """What the monitor would have told, while its form is filled in."""
    page.goto(f"{ADMIN}/monitor/add/")
    page.locator("#id_name").fill("Slow support replies")
    page.get_by_label("Number").select_option("p95")
    page.get_by_label("Over the last").select_option("1440")
    page.get_by_label("Warning at").fill("8")
    page.get_by_label("Alarm at").fill("12")
    page.locator(".llm-monitor-picture").wait_for(timeout=WAIT_MS)


def refused(page: Page) -> None:
    page.goto(f"{ADMIN}/monitor/add/")
    page.evaluate("document.querySelectorAll('form').forEach(form => form.noValidate = true)")
    page.get_by_label("Warning at").fill("5000")
    page.get_by_label("Alarm at").fill("900")
    page.locator("#id_version_number").fill("99")
    page.get_by_label("Further addresses").fill("team@example, nobody")
    page.get_by_label("Webhook").fill("ftp://example.org")
    page.get_by_role("button", name="Save", exact=True).first.click()
    page.locator(".errorlist, .errornote").first.wait_for(timeout=WAIT_MS)
    page.locator("#llm-monitor-preview .llm-subtle").wait_for(timeout=WAIT_MS)


def _opened(page: Page, name: str) -> None:
    _named(page, "monitor", name)
    page.locator(".llm-monitor-picture").wait_for(timeout=WAIT_MS)


def not_delivered(page: Page) -> None:
    _opened(page, "Errors, to our chat")
    page.get_by_role("button", name="Send a test").click()
    page.locator(".llm-p-result").first.wait_for(timeout=WAIT_MS)


def new_secret(page: Page) -> None:
    _opened(page, "Errors, to our chat")
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="New signing secret").click()
    page.locator("#llm-monitor-panel code").wait_for(timeout=WAIT_MS)


def tells_nobody(page: Page) -> None:
    _opened(page, "Failures")
    page.get_by_role("button", name="Send a test").click()
    page.locator(".llm-p-result").first.wait_for(timeout=WAIT_MS)


def deleted(page: Page, kind: str, name: str) -> None:
    _named(page, kind, name)
    page.goto(page.url.replace("/change/", "/delete/"))


def _days(page: Page, texts: str, rows: str) -> None:
    page.goto(f"{ADMIN}/workspace/1/change/")
    page.locator("#retention-preview :not(.llm-subtle)").first.wait_for(timeout=WAIT_MS)
    page.locator("#id_keep_texts_days").fill(texts)
    with page.expect_response("**/retention/preview/*"):
        page.locator("#id_keep_logs_days").fill(rows)
    page.locator("#retention").scroll_into_view_if_needed()


def retention(page: Page) -> None:
    _days(page, "7", "20")


def retention_wrong(page: Page) -> None:
    _days(page, "-3", "20")


def retention_refused(page: Page) -> None:
    _days(page, "0", "99999")
    page.evaluate("document.querySelectorAll('form').forEach(form => form.noValidate = true)")
    page.locator("[name=_save]").first.click()
    page.wait_for_load_state("networkidle")


def _thumb_down(page: Page, place: str = "") -> None:
    """With the field for a note open below it."""
    box = page.locator(f"{place} [data-feedback]").first
    pressed = box.locator("button[aria-pressed=true]")
    if pressed.count():
        pressed.first.click()
        box.locator("button[aria-pressed=true]").wait_for(state="detached", timeout=WAIT_MS)
    box.get_by_role("button", name="Bad answer").click()
    box.get_by_label("Note").fill("The second sentence is not true: we open at nine.")


def feedback_log(page: Page) -> None:
    page.goto(f"{ADMIN}/interactionlog/?feedback=down")
    page.locator("#result_list tbody th a").first.click()
    page.wait_for_load_state("networkidle")
    _thumb_down(page)


def feedback_compare(page: Page) -> None:
    page.goto(f"{ADMIN}/prompt/1/compare/?c=2&c=3&by=tests")
    page.locator("input[name=by][value=tests]").check()
    page.click("#llm-compare-run")
    page.locator("#llm-compare-grid .llm-compare:not(:has([data-run-open])) [data-feedback]").first.wait_for(
        timeout=WAIT_MS
    )
    _thumb_down(page, "#llm-compare-grid")


WATCH_SCENES: dict[str, Callable[[Page], None]] = {
    "monitor-typed": typed,
    "error-monitor": refused,
    "monitor-not-delivered": not_delivered,
    "monitor-secret": new_secret,
    "monitor-tells-nobody": tells_nobody,
    "monitor-muted": lambda page: _opened(page, "Calls of the support reply"),
    "monitor-delete": lambda page: deleted(page, "monitor", "Slow answers"),
    "budget-delete": lambda page: deleted(page, "budget", "Marketing"),
    "budget-delete-kept": lambda page: deleted(page, "budget", "The team's month"),
    "retention": retention,
    "retention-wrong": retention_wrong,
    "error-retention": retention_refused,
    "feedback-log": feedback_log,
    "feedback-compare": feedback_compare,
}
