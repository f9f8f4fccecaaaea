"""See bin/screenshots."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from bin._log_scenes import LOG_SCENES, MENUS  # noqa: E402
from bin._model_documents import PREPARE_MODELS  # noqa: E402
from bin._model_scenes import MODEL_PAGES, MODEL_SCENES  # noqa: E402
from bin._numbers_scenes import NUMBERS_SCENES, leave_loading, loading  # noqa: E402
from bin._pictures import keep, page_of, shoot  # noqa: E402
from bin._rows_scenes import ROWS_SCENES, list_action  # noqa: E402
from bin._scenes import REFUSED, SCENES, conflict, first_of, refused  # noqa: E402
from bin._studio_scenes import STUDIO_PAGES, STUDIO_SCENES  # noqa: E402
from bin._watch_scenes import PREPARE_WATCH, WATCH_SCENES  # noqa: E402
from bin._workflow_documents import PREPARE  # noqa: E402
from bin._workflow_scenes import FLAT, LONG, WORKFLOW_PAGES, WORKFLOW_SCENES  # noqa: E402
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
    "members": "/admin/llm_admin/membership/",
    "settings": "/admin/llm_admin/workspace/1/change/",
    "help": "/admin/help/",
    "users": "/admin/auth/user/",
    "member-new": "/admin/llm_admin/membership/add/",
    "prompt-delete": "/admin/llm_admin/prompt/1/delete/",
    "approvals": "/admin/llm_admin/approval/",
    "batches": "/admin/llm_admin/batch/",
}
FIRST_OF_A_LIST = {"run": "/admin/llm_admin/run/", "log": "/admin/llm_admin/interactionlog/"}
# Without a workspace's content these look different.
EMPTY = [
    "home", "prompts", "workflows", "runs", "logs", "models", "connections", "members", "prompt-new", "workflow-new",
    "approvals", "batches", "budgets", "monitors", "settings", "health"
]  # fmt: skip
WORKSPACE = """
from django.contrib.auth import get_user_model
from llm_admin.services import workspaces
workspaces.default()
for name, superuser in (("admin", True), ("stranger", False)):
    get_user_model().objects.create_user(name, password="demo", is_staff=True, is_superuser=superuser)
"""
Shots = Callable[[Browser, Console, Path], None]


def demo_console(folder: Path) -> Console:
    console = Console(folder)
    console.environment["DEMO"] = "1"
    console.manage("migrate", "--verbosity", "0")
    console.manage("demo")
    console.manage("demo_shop")
    console.start()
    return console


def empty_console(folder: Path) -> Console:
    console = Console(folder)
    console.manage("migrate", "--verbosity", "0")
    console.code(WORKSPACE)
    console.start()
    return console


def run_first(page: Page, path: str, button: str, ended: str) -> None:
    """With an answer beside it, a studio shows what it is for."""
    page.goto(path)
    page.wait_for_load_state("networkidle")
    page.locator(button).first.click()
    page.locator(ended).first.wait_for(timeout=30_000)


def guide(browser: Browser, console: Console, target: Path, parts: list[str]) -> None:
    page = page_of(browser, console)
    for part in parts:
        if part in GUIDE_PARTS:
            folder = target if part == "pages" else target / part
            folder.mkdir(exist_ok=True)
            GUIDE_PARTS[part](page, console, folder)


def guide_pages(page: Page, console: Console, target: Path) -> None:
    for name, path in GUIDE.items():
        if name == "prompt-studio":
            run_first(page, path, "#llm-run-button", "#llm-answer .llm-status-succeeded")
            keep(page, target / f"{name}.png", whole=False)
        else:
            shoot(page, path, target / f"{name}.png", whole=False)


def guide_studio(page: Page, console: Console, target: Path) -> None:
    studio(page, target, "")
    conflict(page)
    keep(page, target / "studio-merge.png")
    narrow = page_of(page.context.browser, console, width=390, scheme="dark")
    shoot(narrow, GUIDE["prompt-studio"], target / "studio-phone.png", whole=True)


def guide_workflows(page: Page, console: Console, target: Path) -> None:
    console.code(PREPARE)
    workflows(page, target, "")


def guide_models(page: Page, console: Console, target: Path) -> None:
    console.code(PREPARE_MODELS)
    for name in ("model", "budget-full", "reprice-preview"):
        MODEL_SCENES[name](page)
        keep(page, target / f"{name}.png", whole=False)


# The pages first: what the others prepare is not on them.
GUIDE_PARTS = {"pages": guide_pages, "studio": guide_studio, "workflows": guide_workflows, "models": guide_models}


def studio(page: Page, target: Path, suffix: str) -> None:
    """Every state of the prompt studio."""
    for name, path in STUDIO_PAGES.items():
        shoot(page, path, target / f"{name}{suffix}.png", whole=True)
    for name, scene in STUDIO_SCENES.items():
        scene(page)
        keep(page, target / f"{name}{suffix}.png")


def workflows(page: Page, target: Path, suffix: str) -> None:
    """Every state of the workflow studio, of runs, approvals, batches, and rows of one's own."""
    for name, scene in (WORKFLOW_SCENES | ROWS_SCENES).items():
        scene(page)
        keep(page, target / f"{name}{suffix}.png", whole=_whole(name, suffix))
    for name, path in WORKFLOW_PAGES.items():
        shoot(page, path, target / f"{name}{suffix}.png", whole=_whole(name, suffix))
    if page.viewport_size and page.viewport_size["width"] > 768:
        list_action(page)
        keep(page, target / f"shop-action{suffix}.png", whole=False)


def _whole(name: str, suffix: str) -> bool:
    return name not in FLAT and (bool(suffix) or name not in LONG)


def looks() -> Iterator[tuple[str, dict[str, Any]]]:
    for width in (1440, 390):
        for scheme in ("light", "dark"):
            yield f"{width}-{scheme}", {"width": width, "scheme": scheme}


def models(page: Page, target: Path, suffix: str) -> None:
    """Connections, models, prices, budgets and health, and what they refuse."""
    for name, path in MODEL_PAGES.items():
        shoot(page, path, target / f"{name}{suffix}.png", whole=True)
    for name, scene in MODEL_SCENES.items():
        scene(page)
        keep(page, target / f"{name}{suffix}.png")


def pages(page: Page, target: Path, suffix: str) -> None:
    """What the other parts do not show."""
    for name, path in ALL.items():
        shoot(page, path, target / f"{name}{suffix}.png", whole=True)
    for name, path in FIRST_OF_A_LIST.items():
        first_of(page, path)
        keep(page, target / f"{name}{suffix}.png")
    for name, (path, button) in REFUSED.items():
        refused(page, path, button)
        keep(page, target / f"error-{name}{suffix}.png")
    for name, scene in SCENES.items():
        scene(page)
        keep(page, target / f"{name}{suffix}.png")


def numbers(page: Page, target: Path, suffix: str) -> None:
    """Home in all its states, panels about one thing, the charts above the logs."""
    for name, scene in NUMBERS_SCENES.items():
        scene(page)
        keep(page, target / f"{name}{suffix}.png")
    loading(page)
    page.screenshot(path=target / f"home-loading{suffix}.png")
    leave_loading(page)


def logs(page: Page, target: Path, suffix: str) -> None:
    """Logs and what is done with many, dialogs that run, test inputs; monitors, retention, feedback."""
    for name, scene in (LOG_SCENES | WATCH_SCENES).items():
        scene(page)
        keep(page, target / f"{name}{suffix}.png", whole=name not in MENUS)


PARTS = {
    "studio": studio,
    "workflows": workflows,
    "models": models,
    "numbers": numbers,
    "logs": logs,
    "pages": pages,
}


def everything(browser: Browser, console: Console, target: Path, parts: list[str]) -> None:
    console.code(PREPARE)
    console.code(PREPARE_MODELS)
    console.code(PREPARE_WATCH)
    for look, options in looks():
        page = page_of(browser, console, **options)
        for part in parts:
            PARTS[part](page, target, f"-{look}")
        page.context.close()
        if "pages" not in parts:
            continue
        page = page_of(browser, console, username="viewer", **options)
        shoot(page, MODEL_PAGES["connection-new"], target / f"error-403-{look}.png", whole=True)
        shoot(page, ALL["prompt-studio"], target / f"viewer-prompt-{look}.png", whole=True)
        page.context.close()


def nothing(browser: Browser, console: Console, target: Path) -> None:
    for look, options in looks():
        page = page_of(browser, console, **options)
        for name in EMPTY:
            shoot(page, (ALL | MODEL_PAGES)[name], target / f"empty-{name}-{look}.png", whole=True)
        page.context.close()
        page = page_of(browser, console, username="stranger", **options)
        shoot(page, "/admin/", target / f"empty-stranger-{look}.png", whole=True)
        page.context.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="bin/screenshots")
    parser.add_argument("--all", type=Path, metavar="DIR")
    parser.add_argument("--part", choices=PARTS, action="append", help="only this one; may be repeated")
    options = parser.parse_args()
    target = options.all or ROOT / "docs" / "images"
    target.mkdir(parents=True, exist_ok=True)
    if options.all:
        some: Shots = partial(everything, parts=options.part or list(PARTS))
    else:
        some = partial(guide, parts=options.part or list(GUIDE_PARTS))
    rounds = [(demo_console, some)]
    if options.all and not options.part:
        rounds.append((empty_console, nothing))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for start, shots in rounds:
            with tempfile.TemporaryDirectory() as folder:
                console = start(Path(folder))
                try:
                    shots(browser, console, target)
                finally:
                    console.kill()
        browser.close()


if __name__ == "__main__":
    main()
