"""See bin/screenshots."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from tests.servers.console import Console  # noqa: E402

FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
GUIDE = {
    "home": "/admin/",
    "prompts": "/admin/llm_admin/prompt/",
    "prompt-studio": "/admin/llm_admin/prompt/1/change/",
    "workflow-studio": "/admin/llm_admin/workflow/1/change/",
    "logs": "/admin/llm_admin/interactionlog/",
}
ALL = GUIDE | {
    "prompt-new": "/admin/llm_admin/prompt/add/",
    "import": "/admin/llm_admin/prompt/import/",
    "export": "/admin/llm_admin/prompt/export/",
    "workflows": "/admin/llm_admin/workflow/",
    "workflow-new": "/admin/llm_admin/workflow/add/",
    "runs": "/admin/llm_admin/run/",
    "models": "/admin/llm_admin/languagemodel/",
    "model": "/admin/llm_admin/languagemodel/1/change/",
    "connections": "/admin/llm_admin/connection/",
    "connection-new": "/admin/llm_admin/connection/add/",
    "members": "/admin/llm_admin/membership/",
    "settings": "/admin/llm_admin/workspace/1/change/",
    "help": "/admin/help/",
}


def demo_console(folder: Path) -> Console:
    console = Console(folder)
    console.environment["DEMO"] = "1"
    console.manage("migrate", "--verbosity", "0")
    console.manage("demo")
    console.start()
    return console


def page_of(browser: Browser, console: Console, *, width: int = 1440, scheme: str = "light") -> Page:
    context = browser.new_context(
        base_url=console.address,
        viewport={"width": width, "height": 1000},
        color_scheme=scheme,  # type: ignore[arg-type]
    )
    page = context.new_page()
    page.goto("/admin/login/")
    page.fill("#id_username", "admin")
    page.fill("#id_password", "demo")
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    return page


def shoot(page: Page, path: str, target: Path, *, whole: bool) -> None:
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.screenshot(path=target, full_page=whole)
    print(target)


def run_first(page: Page, path: str, button: str, ended: str) -> None:
    """With an answer beside it, a studio shows what it is for."""
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.locator(button).first.click()
    page.locator(ended).first.wait_for(timeout=30_000)


def guide(browser: Browser, console: Console, target: Path) -> None:
    page = page_of(browser, console)
    for name, path in GUIDE.items():
        if name == "prompt-studio":
            run_first(page, path, "#llm-run-button", "#llm-answer .llm-status-succeeded")
            page.screenshot(path=target / f"{name}.png")
            print(target / f"{name}.png")
        else:
            shoot(page, path, target / f"{name}.png", whole=False)


def everything(browser: Browser, console: Console, target: Path) -> None:
    for width in (1440, 390):
        for scheme in ("light", "dark"):
            page = page_of(browser, console, width=width, scheme=scheme)
            for name, path in ALL.items():
                shoot(page, path, target / f"{name}-{width}-{scheme}.png", whole=True)
            page.context.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bin/screenshots")
    parser.add_argument("--all", type=Path, metavar="DIR")
    options = parser.parse_args()
    target = options.all or ROOT / "docs" / "images"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        console = demo_console(Path(folder))
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        try:
            (everything if options.all else guide)(browser, console, target)
        finally:
            browser.close()
            console.kill()


if __name__ == "__main__":
    main()
