"""Distinctive keys, one of each provider, in a server that repeats them in its errors: found nowhere afterwards."""

from __future__ import annotations

import re

import pytest

from tests.servers.console import Console, wait_until
from tests.servers.echo import EchoServer

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
KEYS = {
    "openai": "sk-proj-PLANTEDopenai0123456789abcdefghijklmnop",
    "anthropic": "sk-ant-api03-PLANTEDanthropic0123456789abcdefghij",
    "google": "AIzaPLANTEDgoogle0123456789abcdefghijklm",
    "huggingface": "hf_PLANTEDhuggingface0123456789abcdefg",
}
MAKE = """
from django.contrib.auth import get_user_model
from llm_admin.models import *
from llm_admin.services import actors, connections, library, workspaces
from llm_admin.tenancy import workspace_scope
ws = workspaces.default()
get_user_model().objects.create_user("boss", password="demo", is_staff=True, is_superuser=True)
library.import_demo(actors.system(ws))
with workspace_scope(ws):
    for provider, key in {keys!r}.items():
        made = Connection(name=provider, provider=provider, base_url={url!r} + ("/v1" if provider == "openai" else ""))
        made = connections.save(made, actor=actors.system(ws), key=key)
        model = LanguageModel.objects.create(workspace=ws, alias=provider, name=provider)
        Deployment.objects.create(model=model, connection=made, provider_model="some-model")
"""
ERRORS = "select status, error_message from llm_admin_run order by created_at desc limit ?"


@pytest.fixture
def console(tmp_path):
    made = Console(tmp_path)
    made.environment["DEBUG"] = "1"  # Django's own pages of errors show local variables
    made.manage("migrate", "--verbosity", "0")
    yield made
    made.kill()


def test_no_key_is_found_anywhere(console):
    with EchoServer() as server:
        console.code(MAKE.format(keys=KEYS, url=server.url))
        console.start()
        boss = console.browser()
        pages = [boss.try_prompt(model=provider) for provider in KEYS]
        wait_until(lambda: not {"pending", "running"} & set(console.statuses()[-len(KEYS) :]), what="the runs")
        assert {status for status, _ in console.rows(ERRORS, len(KEYS))} == {"failed"}
        for provider, key in KEYS.items():
            assert any(key in said for said in server.seen), f"{provider}: the server was never sent the key"
        pages += [found.text for found in walk(boss, console)]
    texts = {"pages": "\n".join(pages), "log": console.log.read_text(errors="replace")}
    console.stop()
    for file in console.folder.rglob("*"):
        if file.is_file():
            texts[file.name] = file.read_bytes().decode("latin-1")
    for provider, key in KEYS.items():
        middle = re.search("PLANTED[a-z]+[0-9]+", key)[0]
        found = [where for where, text in texts.items() if middle in text]
        assert not found, f"the key of {provider} is in {found}"


def walk(boss, console):
    """Lists, the pages of runs, logs, connections and models, tests of connections, exports."""
    for noun in ("run", "interactionlog", "connection", "languagemodel"):
        yield boss.http.get(f"/admin/llm_admin/{noun}/")
        ids = console.rows(f"select id from llm_admin_{noun} order by id desc limit 8")
        for (pk,) in ids:
            yield boss.http.get(f"/admin/llm_admin/{noun}/{pk}/change/")
    for (pk,) in console.rows("select id from llm_admin_connection"):
        yield boss.post(f"/admin/llm_admin/connection/{pk}/test/", {})
    yield boss.http.get("/admin/llm_admin/prompt/export/")
    yield boss.post("/admin/llm_admin/prompt/export/", {"format": "json"})
    for path in ("", "numbers/", "numbers/part/", "numbers/csv/?csv=prompt"):
        yield boss.http.get(f"/admin/{path}")
    yield boss.http.get("/admin/llm_admin/run/not-a-run/change/")
