"""A console of its own process, an OpenAI-compatible server in this one, and Debian's Chromium."""

from __future__ import annotations

import os
import shutil

import pytest

from tests.e2e.waiting import COUNT_REQUESTS
from tests.servers.console import SET_UP, Console
from tests.servers.openai_server import OpenAIServer
from tests.servers.snippets import Snippets

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 30_000  # of every wait; the machine may be slow, or busy with other tests
ACCOUNTS = """
from llm_admin.models import Membership
from llm_admin.services import library
from llm_admin.services.actors import system
User = get_user_model()
for role in ("author", "operator", "viewer"):
    user = User.objects.create_user(role, password="demo", is_staff=True)
    Membership.objects.with_scopes_disabled().create(workspace=ws, user=user, role=role)
library.import_demo(system(ws))
"""


def pytest_collection_modifyitems(items):
    for item in items:
        if "/e2e/" in str(item.path):
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def chromium():
    if CHROMIUM is None:
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail("Chromium is missing: apt-get install chromium")
        pytest.skip("Chromium is missing: apt-get install chromium")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def provider_server():
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def provider(provider_server):
    """Scripted anew by each test: `provider.script("words", Behaviour(...))`."""
    provider_server.forget()
    yield provider_server
    provider_server.forget()


@pytest.fixture(scope="session")
def console(tmp_path_factory, provider_server):
    made = Console(tmp_path_factory.mktemp("console"))
    made.manage("migrate", "--verbosity", "0")
    made.snippets = Snippets(made.environment)
    key = "sk-proj-E2E0123456789abcdefghijklmnopqrstuvwxyz"
    made.code(SET_UP.format(url=provider_server.base_url, key=key, model="words") + ACCOUNTS)
    made.start()
    yield made
    made.kill()
    made.snippets.end()


@pytest.fixture(scope="session")
def sessions(console, chromium):
    """Cookies of people who are logged in, by name."""
    found = {}

    def cookies(username: str):
        if username not in found:
            context = chromium.new_context(base_url=console.address)
            page = context.new_page()
            page.goto("/admin/login/")
            page.fill("#id_username", username)
            page.fill("#id_password", "demo")
            page.click("button[type=submit]")
            page.wait_for_url("**/admin/")
            found[username] = context.storage_state()
            context.close()
        return found[username]

    return cookies


@pytest.fixture(scope="session")
def contexts(console, chromium, sessions):
    """One for each person and kind of screen: they keep what the browser has loaded, which is most of a page's time."""
    made = {}

    def context(username: str, width: int, height: int, scheme: str):
        key = username, width, height, scheme
        if key not in made:
            made[key] = chromium.new_context(
                base_url=console.address,
                storage_state=sessions(username),
                viewport={"width": width, "height": height},
                color_scheme=scheme,
            )
            made[key].set_default_timeout(PATIENCE_MS)
            made[key].add_init_script(COUNT_REQUESTS)
        return made[key]

    yield context
    for one in made.values():
        one.close()


@pytest.fixture
def open_as(console, contexts, sessions):
    """open_as("author", width=390) -> a page; what the browser complains about fails the test."""
    used, complaints = [], []

    def make(username: str = "author", *, width: int = 1440, height: int = 1000, scheme: str = "light"):
        context = contexts(username, width, height, scheme)
        page = context.new_page()
        if context not in used:
            used.append(context)
            forget(context, page, console.address, sessions(username))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield make
    for page in [page for context in used for page in context.pages]:
        page.close()
    assert complaints == []


def forget(context, page, origin, session):
    """What the test before left with the browser; only files that never change are kept."""
    context.clear_cookies()
    context.add_cookies(session["cookies"])
    link = context.new_cdp_session(page)
    link.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "local_storage,indexeddb"})
    link.detach()
