"""The list of logs and what is done with many, dialogs that run, test inputs, for bin/screenshots."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page

from bin._workflow_scenes import ADMIN, WAIT_MS

LOGS = f"{ADMIN}/interactionlog/"
MADE: dict[str, str] = {}  # the address of a prompt without runs and test inputs


def _open(page: Page, path: str) -> None:
    page.goto(path)
    page.wait_for_load_state("networkidle")


def menu(page: Page, name: str) -> None:
    _open(page, f"{LOGS}?status=succeeded")
    page.locator("[data-llm-menu] > summary", has_text=name).click()


def delete_ticked(page: Page) -> None:
    _open(page, LOGS)
    for box in page.locator("#result_list input[name=_selected_action]").all()[:2]:
        box.check()
    page.locator("select[name=action]").select_option("delete_calls")
    page.locator("#changelist-form button[type=submit]:visible, #changelist-form [name=index]:visible").first.click()
    page.locator(".llm-logdelete").wait_for(timeout=WAIT_MS)


def _dialog(page: Page, kind: str, name: str) -> None:
    _open(page, f"{ADMIN}/{kind}/?q={name}")
    page.get_by_role("link", name=re.compile(f"^Run… {re.escape(name)}")).first.click()
    page.locator("#llm-run-dialog form").wait_for(timeout=WAIT_MS)


def _press_run(page: Page) -> None:
    page.locator("#llm-run-dialog form button[type=submit]").click()


def dialog_refused(page: Page) -> None:
    _dialog(page, "workflow", "Greet everybody")
    page.locator("#llm-input-age").fill("a few")
    _press_run(page)
    page.locator("#llm-run-dialog [aria-invalid=true]").first.wait_for(timeout=WAIT_MS)


def dialog_ran(page: Page) -> None:
    _dialog(page, "workflow", "Greet everybody")
    page.locator("#llm-input-name").fill("Ada")
    _press_run(page)
    page.locator("#llm-run-dialog .llm-run-head .llm-status-succeeded").wait_for(timeout=WAIT_MS)


def dialog_runs(page: Page) -> None:
    """While it runs."""
    _dialog(page, "workflow", "Draft, slowly")
    _press_run(page)
    page.locator("#llm-run-dialog [data-run-open]").wait_for(timeout=WAIT_MS)
    page.wait_for_function("(document.querySelector('#llm-run-dialog [data-run-text]')?.textContent || '').length > 20")


def without_script(page: Page) -> None:
    _open(page, f"{ADMIN}/workflow/")
    _open(page, page.locator("a[data-llm-run]").first.get_attribute("href") or "")


def _fresh(page: Page) -> str:
    """A prompt that nobody ever ran."""
    if "prompt" not in MADE:
        _open(page, f"{ADMIN}/prompt/add/")
        page.locator("[name=name]").fill("Notes for the newsletter")
        page.get_by_label("Text of message").first.fill("Write notes about {{topic}}.")
        page.locator("[name=_publish]").first.click()
        page.wait_for_url("**/change/**")
        MADE["prompt"] = page.url.split("?")[0]
    return MADE["prompt"]


def tests_none(page: Page) -> None:
    _open(page, _fresh(page))
    page.locator("#llm-tests-card").scroll_into_view_if_needed()


def test_form(page: Page) -> None:
    _open(page, f"{ADMIN}/prompt/3/change/")
    page.get_by_role("button", name="Add test input").click()
    page.locator("#llm-test-form form").wait_for(timeout=WAIT_MS)
    page.locator("#llm-test-form [data-check-add]").click()


def test_refused(page: Page) -> None:
    test_form(page)
    page.locator("#llm-test-form button[type=submit]").click()
    page.locator("#llm-test-form .llm-problem").first.wait_for(timeout=WAIT_MS)


def compare_runs(page: Page) -> None:
    """While both columns are written."""
    _open(page, f"{ADMIN}/prompt/1/compare/?c=2&c=3&by=tests")
    page.locator("input[name=by][value=tests]").check()
    page.click("#llm-compare-run")
    page.locator("#llm-compare-grid [data-run-open]").first.wait_for(timeout=WAIT_MS)
    page.wait_for_timeout(1_500)


MENUS = {"logs-views", "logs-columns", "logs-export"}  # in the viewport: they lie over a long list
LOG_SCENES: dict[str, Callable[[Page], None]] = {
    "logs-views": lambda page: menu(page, "Views"),
    "logs-columns": lambda page: menu(page, "Columns"),
    "logs-export": lambda page: menu(page, "Export"),
    "logs-nothing": lambda page: _open(page, f"{LOGS}?q=zzzzqq"),
    "logs-delete": lambda page: _open(page, f"{LOGS}delete/?status=failed"),
    "logs-delete-all": lambda page: _open(page, f"{LOGS}delete/"),
    "logs-delete-none": lambda page: _open(page, f"{LOGS}delete/?q=zzzzqq"),
    "logs-delete-ticked": delete_ticked,
    "dialog": lambda page: _dialog(page, "workflow", "Greet everybody"),
    "error-dialog": dialog_refused,
    "dialog-runs": dialog_runs,
    "dialog-ran": dialog_ran,
    "dialog-page": without_script,
    "tests-none": tests_none,
    "test-form": test_form,
    "error-test-form": test_refused,
    "compare-runs": compare_runs,
}
