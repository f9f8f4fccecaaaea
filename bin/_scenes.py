"""What bin/screenshots does on a page before it takes the picture: forms refused, things missing, runs that failed."""

from __future__ import annotations

import time

from playwright.sync_api import Page

REFUSED = {
    "prompt": ("/admin/llm_admin/prompt/add/", "[name=_publish]"),
    "workflow": ("/admin/llm_admin/workflow/add/", "[name=_publish]"),
    "connection": ("/admin/llm_admin/connection/add/", "[name=_save]"),
    "model": ("/admin/llm_admin/languagemodel/add/", "[name=_save]"),
    "member": ("/admin/llm_admin/membership/add/", "[name=_save]"),
    "settings": ("/admin/llm_admin/workspace/1/change/", "[name=_save]"),
    "import": ("/admin/llm_admin/prompt/import/", "main form .llm-button-primary"),
}


def refused(page: Page, path: str, button: str) -> None:
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.querySelectorAll('form').forEach(form => form.noValidate = true)")
    page.evaluate("document.querySelectorAll('#content input[type=text]').forEach(field => field.value = '')")
    page.locator(button).first.click()


def refuse_try(page: Page) -> None:
    """Run, with the messages empty."""
    page.goto("/admin/llm_admin/prompt/add/")
    page.wait_for_load_state("networkidle")
    page.click("#llm-run-button")


def break_step(page: Page) -> None:
    page.goto("/admin/llm_admin/workflow/add/")
    page.wait_for_load_state("networkidle")
    page.get_by_role("button", name="Add prompt step").click()
    page.wait_for_load_state("networkidle")
    page.fill("[name=name]", "Broken")
    page.click("[name=_publish]")


def break_import(page: Page) -> None:
    page.goto("/admin/llm_admin/prompt/import/")
    file = {"name": "broken.json", "mimeType": "application/json", "buffer": b'{"prompts": [{"name": '}
    page.set_input_files("input[type=file]", file)  # type: ignore[arg-type]
    page.click("main form .llm-button-primary")


def conflict(page: Page) -> None:
    """Saved meanwhile in another tab."""
    other = page.context.new_page()
    for tab in (page, other):
        tab.goto("/admin/llm_admin/prompt/2/change/")
        tab.wait_for_load_state("networkidle")
    for tab in (other, page):
        tab.get_by_label("Text of message").last.fill(f"Changed {{{{text}}}} at {time.time()}")
        tab.click("[name=_draft]")
        tab.click("#llm-review [value=_draft]")
        tab.wait_for_load_state("networkidle")
    other.close()


def first_of(page: Page, path: str) -> None:
    page.goto(path)
    page.goto(page.locator("#result_list tbody a").first.get_attribute("href") or path)


def wrong_password(page: Page) -> None:
    page.fill("#id_username", "nobody")
    page.fill("#id_password", "wrong")
    page.click("button[type=submit]")


SCENES = {
    "error-try": refuse_try,
    "error-step": break_step,
    "error-file": break_import,
    "error-conflict": conflict,
    "error-404": lambda page: page.goto("/admin/llm_admin/prompt/999999/change/"),
    "run-failed": lambda page: first_of(page, "/admin/llm_admin/run/?status__exact=failed"),
    "log-failed": lambda page: first_of(page, "/admin/llm_admin/interactionlog/?status__exact=failed"),
    "nothing-found": lambda page: page.goto("/admin/llm_admin/prompt/?q=qqqq"),
    "login": lambda page: (page.context.clear_cookies(), page.goto("/admin/login/")),
    "error-login": wrong_password,
}
