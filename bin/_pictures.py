"""A page of the console in a browser, and a picture of it, for bin/screenshots."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page

from tests.servers.console import Console

# Charts are drawn anew in the frame after the one in which the window got its size.
DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 250))))"


def page_of(
    browser: Browser, console: Console, *, width: int = 1440, scheme: str = "light", username: str = "admin"
) -> Page:
    context = browser.new_context(
        base_url=console.address,
        viewport={"width": width, "height": 1000},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.goto("/admin/login/")
    page.fill("#id_username", username)
    page.fill("#id_password", "demo")
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    return page


def shoot(page: Page, path: str, target: Path, *, whole: bool) -> None:
    page.goto(path)
    keep(page, target, whole=whole)


def keep(page: Page, target: Path, *, whole: bool = True) -> None:
    page.wait_for_load_state("networkidle")
    size = page.viewport_size
    if whole and size and not page.locator("dialog[open]").count():
        # What sticks to an edge of the window shall not stand in the middle of the picture.
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": size["width"], "height": min(max(height, size["height"]), 12_000)})
        page.evaluate(DRAWN)
    page.screenshot(path=target, full_page=whole)
    if size:
        page.set_viewport_size(size)
    print(target)
