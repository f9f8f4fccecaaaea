"""Every state of the numbers, for bin/screenshots: home, filters, errors, panels about one thing, charts of logs."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, Route

from bin._workflow_scenes import ADMIN, WAIT_MS

HOME = "/admin/?range=30d"
NUMBERS = "**/admin/numbers/?*"
PROMPT = "Support reply draft"


def _loaded(page: Page) -> None:
    page.locator("#llm-dash").wait_for(timeout=WAIT_MS)
    page.wait_for_load_state("networkidle")


def home(page: Page, path: str = HOME) -> None:
    page.goto(path)
    _loaded(page)


def _headed(page: Page, words: str) -> None:
    page.locator("#llm-dash-title", has_text=words).wait_for(timeout=WAIT_MS)


def filtered(page: Page) -> None:
    home(page)
    page.get_by_role("region", name="Numbers of prompts", exact=True).get_by_role(
        "link", name=PROMPT, exact=True
    ).click()
    page.locator(".llm-dash-chip").wait_for(timeout=WAIT_MS)
    page.get_by_role("region", name="Numbers of models", exact=True).locator("tbody a").first.click()
    page.locator(".llm-dash-chip").nth(1).wait_for(timeout=WAIT_MS)
    for summary in page.locator("details.llm-dash-table > summary").all()[:2]:
        summary.click()


def zoomed(page: Page) -> None:
    home(page)
    page.get_by_role("link", name="Highest p95").first.click()
    page.get_by_role("link", name="Zoom out to").wait_for(timeout=WAIT_MS)


def menus(page: Page) -> None:
    """Both at once: a menu closes when one clicks elsewhere."""
    home(page)
    page.evaluate("document.querySelectorAll('.llm-dash-pick, .llm-dash-zone').forEach((one) => { one.open = true; })")


def all_rows(page: Page) -> None:
    home(page)
    page.locator("#llm-sort-prompt-p95").click()
    page.locator("[aria-sort] #llm-sort-prompt-p95").wait_for(timeout=WAIT_MS)
    page.locator("#llm-all-prompt").click()
    page.get_by_role("link", name="Show fewer").first.wait_for(timeout=WAIT_MS)


def wrong_range(page: Page) -> None:
    home(page, "/admin/?from=2026-03-04&to=2026-03-01")


def nothing_fits(page: Page) -> None:
    home(page, "/admin/?range=24h&error=declined")


def _broken(route: Route) -> None:
    route.fulfill(status=500, body="")


def failed(page: Page) -> None:
    page.route(NUMBERS, _broken)
    page.goto(HOME)
    page.locator(".llm-dash-failed").wait_for(timeout=WAIT_MS)
    page.unroute(NUMBERS)


def loading(page: Page) -> None:
    """What is seen until the numbers are there; they never come."""
    page.route(NUMBERS, lambda route: None)
    page.goto(HOME, wait_until="domcontentloaded")
    page.locator(".llm-dash-loading").wait_for(timeout=WAIT_MS)


def leave_loading(page: Page) -> None:
    page.unroute(NUMBERS)
    page.goto("about:blank")


def _of_first(page: Page, kind: str, link: str = "#result_list tbody th a") -> None:
    page.goto(f"{ADMIN}/{kind}/")
    page.locator(link).first.click()
    page.wait_for_load_state("networkidle")
    page.locator(".llm-dash-part").scroll_into_view_if_needed(timeout=WAIT_MS)
    _loaded(page)


def version(page: Page) -> None:
    page.goto(f"{ADMIN}/prompt/1/at/?label=production")
    page.locator(".llm-dash-part").scroll_into_view_if_needed(timeout=WAIT_MS)
    _loaded(page)


def of_prompt(page: Page) -> None:
    home(page, f"{ADMIN}/prompt/1/change/")


def of_workflow(page: Page) -> None:
    home(page, f"{ADMIN}/workflow/1/change/")


def logs(page: Page) -> None:
    page.goto(f"{ADMIN}/interactionlog/?status=failed&when=30d&q=the")
    page.locator(".llm-dash-above > summary").click()
    _loaded(page)


NUMBERS_SCENES: dict[str, Callable[[Page], None]] = {
    "home-numbers": home,
    "home-filtered": filtered,
    "home-zoomed": zoomed,
    "home-menus": menus,
    "home-all-rows": all_rows,
    "home-nothing-fits": nothing_fits,
    "home-wrong-range": wrong_range,
    "error-home-part": failed,
    "numbers-prompt": of_prompt,
    "numbers-version": version,
    "numbers-workflow": of_workflow,
    "numbers-model": lambda page: _of_first(page, "languagemodel"),
    "numbers-connection": lambda page: _of_first(page, "connection"),
    "numbers-member": lambda page: _of_first(page, "membership"),
    "logs-charts": logs,
}
