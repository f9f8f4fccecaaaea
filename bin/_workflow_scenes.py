"""Every state of the workflow screens, for bin/screenshots: the studio, runs, approvals, and pages by address."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page

ADMIN = "/admin/llm_admin"
NEW = f"{ADMIN}/workflow/add/"
READY = "#llm-workflow[data-ready]"
WAIT_MS = 60_000
# In the viewport: what lies over a page. In the guides also what would be very long.
FLAT = {"workflow-chooser", "workflow-delete-used", "workflow-try"}
LONG = {"workflow-empty", "workflow-nested", "workflow-errors", "workflow-diagram", "workflow-run", "shop"}
WORKFLOW_PAGES = {
    "gallery": "/admin/gallery/",
    "batches": f"{ADMIN}/batch/",
    "batch-new": f"{ADMIN}/batch/add/",
    "shop": "/admin/shop/product/",
}


def _studio(page: Page, name: str) -> None:
    page.goto(f"{ADMIN}/workflow/?q={name}")
    page.get_by_role("link", name=re.compile(f"^{name}")).first.click()
    page.wait_for_selector(READY, state="attached")


def _new(page: Page) -> None:
    page.goto(NEW)
    page.wait_for_selector(READY, state="attached")


def _card(page: Page, result: str) -> Locator:
    return page.locator(".llm-flow-item", has=page.locator(f"[data-step-result]:text-is('{result}')")).last


def empty(page: Page) -> None:
    _new(page)
    page.evaluate("scrollTo(0, 0)")


def nested(page: Page) -> None:
    """From the branch within the loop on."""
    _studio(page, "Answer every question")
    _card(page, "answer").evaluate("card => scrollTo(0, card.getBoundingClientRect().top + scrollY - 80)")


def diagram(page: Page) -> None:
    """All cards folded, so that the flow stands beside its steps."""
    nested(page)
    page.locator("#llm-map").evaluate("map => { map.open = true; }")
    page.get_by_role("button", name="Fold all").click()


def chooser(page: Page) -> None:
    nested(page)
    page.get_by_role("button", name="Insert a step before step 1.2", exact=True).click()
    page.get_by_role("dialog").wait_for()


def errors(page: Page) -> None:
    nested(page)
    _card(page, "short").get_by_label("Text", exact=True).fill("About {{nothing}}")
    page.click("[name=_publish]")
    page.wait_for_selector(READY, state="attached")
    page.locator(".llm-problems").first.wait_for()


def delete_used(page: Page) -> None:
    nested(page)
    _card(page, "kind").get_by_role("button", name="Remove").first.click()
    page.get_by_role("alertdialog").wait_for()


def trying(page: Page) -> None:
    nested(page)
    _card(page, "kind").get_by_role("button", name="Try this step").first.click()
    dialog = page.get_by_role("dialog")
    dialog.locator("textarea, input[type=text]").first.fill("I want my money back.")
    dialog.get_by_role("button", name="Run this step").click()
    dialog.locator(".llm-run-head .llm-status-succeeded").wait_for(timeout=WAIT_MS)


def _run(page: Page, name: str, ended: str) -> None:
    _studio(page, name)
    page.click("#llm-run-button")
    page.locator(f"#llm-answer .llm-run-head {ended}").wait_for(timeout=WAIT_MS)


def _run_page(page: Page, name: str, ended: str) -> None:
    _run(page, name, ended)
    page.locator("#llm-answer").get_by_role("link", name="Open run").click()
    page.wait_for_url("**/run/*/change/")


def run_in_studio(page: Page) -> None:
    _run(page, "Route a support ticket", ".llm-status-succeeded")


def run_live(page: Page) -> None:
    _run_page(page, "Draft, slowly", ".llm-status-running")
    page.wait_for_function("(document.querySelector('[data-run-text]')?.textContent || '').length > 20")


def run_failed(page: Page) -> None:
    _run_page(page, "Price of an offer", ".llm-status-failed")


def run_finished(page: Page) -> None:
    _run_page(page, "Answer every question", ".llm-status-succeeded")


def run_again(page: Page) -> None:
    run_finished(page)
    page.get_by_role("link", name="Run again…").click()


def run_kept(page: Page) -> None:
    run_finished(page)
    page.get_by_role("button", name=re.compile("^Run again from here.*Put together")).click()
    page.locator(".llm-step-kept").first.wait_for(timeout=WAIT_MS)
    page.locator(".llm-run-head .llm-status-succeeded").wait_for(timeout=WAIT_MS)


def run_waiting(page: Page) -> None:
    _run_page(page, "Rewrite in our voice, with approval", ".llm-status-waiting")


def inbox(page: Page) -> None:
    run_waiting(page)
    page.goto(f"{ADMIN}/approval/")


def decision(page: Page) -> None:
    """With the text edited: what changes stands below it."""
    inbox(page)
    page.get_by_role("link", name=re.compile("Is this fit to be published")).first.click()
    text = page.locator("#llm-approval-text")
    text.fill(text.input_value().replace("the solution", "made", 1) + "\n\nBook in May.")
    page.get_by_text("your text is what goes on").wait_for()


def decided(page: Page) -> None:
    decision(page)
    address = page.url
    page.get_by_role("button", name="Approve").first.click()
    page.get_by_text("Approved: Is this fit").wait_for()
    page.goto(address)


WORKFLOW_SCENES: dict[str, Callable[[Page], None]] = {
    "workflow-empty": empty,
    "workflow-nested": nested,
    "workflow-diagram": diagram,
    "workflow-chooser": chooser,
    "workflow-errors": errors,
    "workflow-delete-used": delete_used,
    "workflow-try": trying,
    "workflow-run": run_in_studio,
    "run-live": run_live,
    "run-step-failed": run_failed,
    "run-finished": run_finished,
    "run-again": run_again,
    "run-kept": run_kept,
    "run-waiting": run_waiting,
    "approvals": inbox,
    "approval": decision,
    "approval-decided": decided,
}
