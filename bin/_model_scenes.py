"""Every state of models, prices, connections, budgets and health, for bin/screenshots."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page

from bin._workflow_scenes import ADMIN, WAIT_MS

REPLY = f"{ADMIN}/prompt/3/change/"  # “Support reply draft”, whose budget is used up
TICKET = f"{ADMIN}/prompt/4/change/"  # “Ticket summary”, at temperature 0
KEPT: dict[str, str] = {}  # where the call is that a fallback answered
MODEL_PAGES = {
    "models": f"{ADMIN}/languagemodel/",
    "model-new": f"{ADMIN}/languagemodel/add/",
    "connections": f"{ADMIN}/connection/",
    "connection-new": f"{ADMIN}/connection/add/",
    "budgets": f"{ADMIN}/budget/",
    "budget-new": f"{ADMIN}/budget/add/",
    "monitors": f"{ADMIN}/monitor/",
    "monitor-new": f"{ADMIN}/monitor/add/",
    "health": "/admin/health/",
    "home-budgets": "/admin/",
    "settings-models": f"{ADMIN}/workspace/1/change/",
}


def _named(page: Page, kind: str, name: str) -> None:
    page.goto(f"{ADMIN}/{kind}/")
    page.locator("#result_list").get_by_role("link", name=name).first.click()
    page.wait_for_load_state("networkidle")


def model(page: Page) -> None:
    _named(page, "languagemodel", "Customer texts")


def monitor(page: Page) -> None:
    """In alarm, with a message that nobody took and what it would have told before."""
    _named(page, "monitor", "Slow answers")
    page.locator(".llm-monitor-picture").wait_for()


def price_refused(page: Page) -> None:
    model(page)
    last = page.locator(".llm-prices").last
    last.locator("summary").click()
    last.get_by_label("Output, $", exact=True).first.fill("twelve")
    last.get_by_label("Output, $", exact=True).nth(1).fill("3")
    last.get_by_role("button", name="Add price").click()
    page.locator(".llm-p-error").first.wait_for()


def reprice(page: Page, name: str = "Careful (demo)") -> None:
    _named(page, "languagemodel", name)
    page.get_by_role("link", name="Price past calls again").click()


def _since(page: Page, day: str) -> None:
    page.get_by_label("Since").fill(day)
    page.get_by_role("button", name="Show what would change").click()
    page.wait_for_load_state("networkidle")


def reprice_preview(page: Page) -> None:
    reprice(page, "Fast (demo)")
    _since(page, "2026-01-01")


def reprice_refused(page: Page) -> None:
    reprice(page)
    _since(page, "")


def connection(page: Page) -> None:
    _named(page, "connection", "Demo (no AI)")


def _test(page: Page, name: str) -> None:
    _named(page, "connection", name)
    page.get_by_role("button", name="Test connection").click()
    page.locator("#test-result .llm-p-result").wait_for(timeout=WAIT_MS)


def key(page: Page) -> None:
    _named(page, "connection", "Office server")
    page.get_by_role("link", name="Replace the key").click()


def key_refused(page: Page) -> None:
    key(page)
    page.get_by_label("New key").fill("sk-proj-Other0123456789abcdefghijklmnopqrst")
    page.get_by_role("button", name="Try it and replace").click()
    page.get_by_role("alert").first.wait_for(timeout=WAIT_MS)


def budget_full(page: Page) -> None:
    _named(page, "budget", "Trial of the support reply")


def override_refused(page: Page) -> None:
    budget_full(page)
    page.get_by_text("Allow more in this period").click()
    page.get_by_label("Allow more").first.fill("1.5")
    page.get_by_role("button", name="Allow", exact=True).click()
    page.locator(".llm-p-error").first.wait_for()


def budget_refused(page: Page) -> None:
    page.goto(f"{ADMIN}/budget/add/")
    page.evaluate("document.querySelectorAll('form').forEach(form => form.noValidate = true)")
    page.get_by_label("One person").check()
    page.locator("[name=_save]").first.click()


def _run(page: Page, path: str, model_name: str, ended: str) -> None:
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.locator("#llm-try-form [name=model]").select_option(label=model_name)
    page.locator("#llm-run-button").click()
    page.locator(f"#llm-answer {ended}").first.wait_for(timeout=WAIT_MS)


def run_refused(page: Page) -> None:
    _run(page, REPLY, "Customer texts", "[role=alert]")


def run_fallback(page: Page) -> None:
    """Once: a place that failed is left in peace for a while, so the next call would not try it."""
    if not KEPT:
        _fall_back(page)
    page.goto(KEPT["run"])
    page.locator("details.llm-call").first.evaluate("call => { call.open = true; }")


def _fall_back(page: Page) -> None:
    _run(page, f"{ADMIN}/prompt/1/change/", "Customer texts", ".llm-status-succeeded")
    KEPT["run"] = page.locator("#llm-answer").get_by_role("link", name="Open run").get_attribute("href") or ""
    page.goto(f"{ADMIN}/interactionlog/")
    KEPT["log"] = page.locator("#result_list tbody a").first.get_attribute("href") or ""


def home_cached(page: Page) -> None:
    """After the second of two equal calls of a prompt at temperature 0."""
    for _ in range(2):
        _run(page, TICKET, "Fast (demo)", ".llm-status-succeeded")
    page.goto("/admin/")


def log_fallback(page: Page) -> None:
    run_fallback(page)
    page.goto(KEPT["log"])
    page.get_by_text("How was this computed?").click()


def run_page_refused(page: Page) -> None:
    run_refused(page)
    page.locator("#llm-answer").get_by_role("link", name="Open run").click()
    page.wait_for_url("**/run/*/change/")


MODEL_SCENES: dict[str, Callable[[Page], None]] = {
    "connection-tested": lambda page: _test(page, "Demo (no AI)"),
    "monitor": monitor,
    "connection-broken": lambda page: _test(page, "Office server"),
    "connection": connection,
    "connection-key": key,
    "error-connection-key": key_refused,
    "run-fallback": run_fallback,
    "log-fallback": log_fallback,
    "run-refused": run_refused,
    "run-page-refused": run_page_refused,
    "home-cached": home_cached,
    "model": model,
    "error-price": price_refused,
    "reprice": reprice,
    "reprice-preview": reprice_preview,
    "error-reprice": reprice_refused,
    "budget": lambda page: _named(page, "budget", "The team's month"),
    "budget-full": budget_full,
    "error-override": override_refused,
    "error-budget": budget_refused,
}
