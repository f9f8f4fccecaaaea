"""Every state of the prompt studio, for bin/screenshots: what is reached by an address, and what by doing something."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

REPLY = "/admin/llm_admin/prompt/3"  # “Support reply draft”: four versions, two labels, two test inputs
ADD = "/admin/llm_admin/prompt/add/"
STUDIO_PAGES = {
    "studio-versions": f"{REPLY}/versions/",
    "studio-diff": f"{REPLY}/diff/?from=2&to=4",
    "studio-labels": f"{REPLY}/labels/",
    "studio-at": f"{REPLY}/at/?label=production&at=2030-05-03T14:00",
    "studio-at-nothing": f"{REPLY}/at/?label=production&at=2001-05-03T14:00",
    "studio-publish": f"{REPLY}/publish/?number=4&label=production",
    "studio-compare": f"{REPLY}/compare/?c=3&c=4",
    "studio-rename": f"{REPLY}/rename/",
    "studio-shelf": f"{REPLY}/shelf/",
    "studio-archive": f"{REPLY}/archive/",
    "studio-rename-variable": f"{REPLY}/rename-variable/?name=tone",
}


def _open(page: Page, path: str = f"{REPLY}/change/") -> None:
    page.goto(path)
    page.wait_for_load_state("networkidle")


def settings(page: Page) -> None:
    _open(page, "/admin/llm_admin/prompt/4/change/")  # answers in JSON
    page.evaluate("document.querySelectorAll('#prompt_form details').forEach(one => one.open = true)")


def offers(page: Page) -> None:
    _open(page)
    last = page.get_by_label("Text of message").last
    last.press("Control+End")
    last.press_sequentially(" {{t")


def review(page: Page) -> None:
    _open(page)
    page.get_by_label("Text of message").last.fill("Answer {{customer_message}} kindly, in {{language}}.")
    page.keyboard.press("Control+s")
    page.locator("#llm-review").wait_for()


def draft(page: Page) -> None:
    """Typed, kept, the tab closed, and opened again."""
    _open(page)
    page.get_by_label("Text of message").last.fill("A first line for {{customer_message}}.")
    page.wait_for_timeout(4_000)
    _open(page)


def tests(page: Page) -> None:
    _open(page)
    page.get_by_role("button", name="Run all").first.click()
    page.wait_for_timeout(8_000)
    page.locator("#llm-tests").scroll_into_view_if_needed()


def compare(page: Page) -> None:
    _open(page, f"{REPLY}/compare/?c=3&c=4&by=tests")
    page.locator("input[name=by][value=tests]").check()
    page.click("#llm-compare-run")
    page.wait_for_timeout(8_000)


def too_many(page: Page) -> None:
    _open(page, f"{REPLY}/compare/?c=3&c=4")
    page.get_by_label("Repeat").fill("80")
    page.click("#llm-compare-run")


def rename_plan(page: Page) -> None:
    _open(page, "/admin/llm_admin/prompt/1/rename-variable/?name=product")
    page.get_by_label("New name").fill("offer")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Rename everywhere").wait_for()


def refused(page: Page) -> None:
    _open(page, ADD)
    page.get_by_label("Text of message").fill("Write to {{name}}.")
    page.click("#llm-run-button")


STUDIO_SCENES: dict[str, Callable[[Page], None]] = {
    "studio-settings": settings,
    "studio-offers": offers,
    "studio-review": review,
    "studio-draft": draft,
    "studio-tests": tests,
    "studio-compare-results": compare,
    "studio-compare-refused": too_many,
    "studio-rename-plan": rename_plan,
    "studio-refused": refused,
}
