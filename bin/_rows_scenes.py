"""Batches and workflows on the host's own rows, for bin/screenshots."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page

from bin._workflow_scenes import ADMIN, WAIT_MS

PEOPLE = "Name,Age,City\nAda Lovelace,36,London\nNadia Okafor,41,Lagos\nTom Hale,,York\nPriya Raman,29,Pune\n"
MORE = "Name,Age\n" + "".join(f"Customer {number},{20 + number % 50}\n" for number in range(1, 17))
WRONG = "Name,Age\nAda Lovelace,36\nNadia Okafor,forty\n,29\n"
PRICES = "Price\n12\n480\non request\n7.50\n"


def choose(page: Page, workflow: str, rows: str) -> None:
    page.goto(f"{ADMIN}/batch/add/")
    page.get_by_label("Workflow").select_option(label=workflow)
    file = {"name": "customers.csv", "mimeType": "text/csv", "buffer": rows.encode()}
    page.get_by_label("File (CSV or Excel)").set_input_files(file)  # type: ignore[arg-type]
    page.wait_for_load_state("networkidle")


def mapped(page: Page, workflow: str = "Greet everybody", rows: str = PEOPLE) -> None:
    choose(page, workflow, rows)
    page.get_by_role("button", name="Next: look at the rows").click()
    page.wait_for_url("**/batch/new/*/")


def upload(page: Page) -> None:
    choose(page, "Greet everybody", PEOPLE)


def upload_refused(page: Page) -> None:
    page.goto(f"{ADMIN}/batch/add/")
    page.get_by_role("button", name="Next: look at the rows").click()
    page.get_by_role("alert").first.wait_for()


def problems(page: Page) -> None:
    mapped(page, rows=WRONG)


def _started(page: Page, workflow: str, rows: str) -> None:
    mapped(page, workflow, rows)
    page.locator("#llm-batch-start").click()
    page.wait_for_url("**/change/")


def running(page: Page) -> None:
    _started(page, "Greet everybody, slowly", MORE)
    page.wait_for_function("Number(document.querySelector('#llm-batch-progress').dataset.done) >= 3", timeout=WAIT_MS)


def paused(page: Page) -> None:
    running(page)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Resume").wait_for()
    page.locator(".llm-batch-count-running").wait_for(state="detached", timeout=WAIT_MS)


def stopped(page: Page) -> None:
    """Goes on from `paused`."""
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped").first.wait_for()


def finished(page: Page) -> None:
    _started(page, "Greet everybody", PEOPLE)
    page.locator("#llm-batch-progress[data-status=finished]").wait_for(timeout=WAIT_MS)


def partly_failed(page: Page) -> None:
    _started(page, "Read prices", PRICES)
    page.locator("#llm-batch-progress[data-status=finished]").wait_for(timeout=WAIT_MS)


def delete(page: Page) -> None:
    partly_failed(page)
    page.get_by_role("link", name="Delete…").click()


def list_action(page: Page) -> None:
    page.goto("/admin/shop/product/")
    boxes = page.locator("input[name=_selected_action]")
    for at in range(5):
        boxes.nth(at).check()
    page.locator("select[name=action]").select_option(label="Run a workflow…")


def mapping(page: Page) -> None:
    """Lists have their actions on wide screens only."""
    size = page.viewport_size
    page.set_viewport_size({"width": 1440, "height": 1000})
    list_action(page)
    page.locator("#changelist-form button[name=index]").first.click()
    page.get_by_label("Which workflow shall run").select_option(label="Product tagline")
    page.locator("#llm-host-preview li").first.wait_for()
    if size:
        page.set_viewport_size(size)


def review(page: Page) -> None:
    mapping(page)
    page.get_by_role("button", name="Run on 5 products").click()
    page.wait_for_url("**/workflow/*-*/")
    page.locator("[data-tick-one]").nth(9).wait_for(timeout=WAIT_MS)


def applied(page: Page) -> None:
    review(page)
    page.locator("[data-tick-one]").nth(3).uncheck()
    page.locator("[data-apply]").click()
    page.locator(".llm-chip-live", has_text="Applied").first.wait_for()


def undone(page: Page) -> None:
    """Goes on from `applied`, so that the products are as before."""
    page.get_by_role("button", name=re.compile("^Undo all")).click()
    page.locator(".llm-chip", has_text="Undone").first.wait_for()


ROWS_SCENES: dict[str, Callable[[Page], None]] = {
    "batch-upload": upload,
    "batch-upload-refused": upload_refused,
    "batch-mapping": mapped,
    "batch-problems": problems,
    "batch-running": running,
    "batch-paused": paused,
    "batch-stopped": stopped,
    "batch-finished": finished,
    "batch-failed-rows": partly_failed,
    "batch-delete": delete,
    "shop-mapping": mapping,
    "shop-review": review,
    "shop-applied": applied,
    "shop-undone": undone,
}
