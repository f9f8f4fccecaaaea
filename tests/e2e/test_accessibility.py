"""axe-core (npm) finds nothing to complain about on any page, in light and dark, wide and on a phone."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.waiting import COUNT_REQUESTS, settled
from tests.servers.console import wait_until

AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
ADMIN = "/admin/llm_admin"
LISTS = {
    name: f"{ADMIN}/{model}/"
    for name, model in {
        "prompts": "prompt",
        "workflows": "workflow",
        "runs": "run",
        "approvals": "approval",
        "logs": "interactionlog",
        "models": "languagemodel",
        "connections": "connection",
        "budgets": "budget",
        "monitors": "monitor",
        "members": "membership",
    }.items()
}
FORMS = {
    "new prompt": f"{ADMIN}/prompt/add/",
    "import": f"{ADMIN}/prompt/import/",
    "export": f"{ADMIN}/prompt/export/",
    "new workflow": f"{ADMIN}/workflow/add/",
    "new model": f"{ADMIN}/languagemodel/add/",
    "new connection": f"{ADMIN}/connection/add/",
    "new budget": f"{ADMIN}/budget/add/",
    "new monitor": f"{ADMIN}/monitor/add/",
    "new member": f"{ADMIN}/membership/add/",
    "new user": "/admin/auth/user/add/",
}
# The newest of its table.
OBJECTS = {
    "prompt studio": ("prompt", "change"),
    "workflow studio": ("workflow", "change"),
    "run": ("run", "change"),
    "log": ("interactionlog", "change"),
    "model": ("languagemodel", "change"),
    "connection": ("connection", "change"),
    "key of a connection": ("connection", "key"),
    "prices again": ("languagemodel", "reprice"),
    "budget": ("budget", "change"),
    "monitor": ("monitor", "change"),
    "member": ("membership", "change"),
    "settings": ("workspace", "change"),
    "delete a prompt": ("prompt", "delete"),
    "history of a model": ("languagemodel", "history"),
}
OTHERS = {
    "home": "/admin/",
    "home, filtered": "/admin/?range=30d&source=studio&status=succeeded",
    "help": "/admin/help/",
    "health": "/admin/health/",
    "users": "/admin/auth/user/",
    "nowhere": f"{ADMIN}/prompt/999/change/",
    "logs, searched": f"{ADMIN}/interactionlog/?q=order&sort=latency&status=succeeded",
    "delete calls": f"{ADMIN}/interactionlog/delete/?status=succeeded",
    "templates": "/admin/gallery/",
}
# Of one workflow with steps within steps and an approval at its end, and of a run of it that failed.
FLOWS = {
    "run that waits": "run/{waits}/change/",
    "run that went on": "run/{decided}/change/",
    "run that failed": "run/{failed}/change/",
    "run again": "run/{failed}/again/",
    "approval": "approval/{waits_for}/change/",
    "approval that is decided": "approval/{was_decided}/change/",
}
NUMBER = {"type": "parser", "id": "number", "title": "Read the number", "source": "item", "format": "number"}
NESTED = {
    "inputs": [{"name": "lines", "type": "list", "label": "Lines", "default": "3 lamps\n4 chairs"}],
    "steps": [
        {"type": "for_each", "id": "numbers", "title": "Every line", "items": "lines", "steps": [
            NUMBER,
            {"type": "branch", "id": "many", "title": "Many?",
             "conditions": [{"value": "number", "operator": "more_than", "to": "3"}],
             "yes": [{"type": "llm", "id": "offer", "title": "Offer", "text": "Offer {{item}}"}], "no": []},
        ]},
        {"type": "approval", "id": "fine", "title": "Is this fine?", "question": "Look at it.", "text": "{{lines}}"},
    ],
}  # fmt: skip
# Of a prompt with several versions, labels and test inputs.
STUDIO = {
    "versions": "versions/",
    "difference": "diff/?from=2&to=4",
    "labels": "labels/",
    "live at": "at/?label=production&at=2030-05-03T14:00",
    "publish": "publish/?number=4&label=production",
    "compare": "compare/?c=3&c=4",
    "rename": "rename/",
    "folder and tags": "shelf/",
    "archive": "archive/",
    "rename a variable": "rename-variable/?name=tone",
    "a prompt with tests": "change/",
}
# With a person's budget that is used up, a call that a second place answered, and connections that do not work.
FILL = """
from llm_admin.models import *
from llm_admin.services import actors, budgets, monitor_delivery, monitor_watch, monitors, workspaces
from llm_admin.tenancy import workspace_scope
from django.contrib.auth import get_user_model
ws, users = workspaces.default(), get_user_model()._default_manager
viewer, operator = users.get(username="viewer"), users.get(username="operator")
with workspace_scope(ws):
    one = Budget(name="A viewer's budget", scope="user", user=viewer, owner=operator, unit="calls", limit=1)
    one.period, one.warn_at = "month", [50]
    actor = actors.system(ws)
    budgets.save(one, actor=actor)
    budgets.override(one, actor=actor, amount=1, reason="For a day")
    BudgetUse.objects.filter(budget=one).update(used=2, refused_calls=3, unknown_calls=1)
    failed = {"deployment": "gpt at Nowhere", "error_kind": "provider_down", "error": "no answer", "latency_ms": 12}
    newest = InteractionLog.objects.order_by("pk").last()
    InteractionLog.objects.filter(pk=newest.pk).update(tried=[failed | {"waited_ms": 500}, failed])
    nowhere = Connection(workspace=ws, name="Nowhere", provider="openai", api_key="sk-proj-Nowhere0123456789")
    nowhere.healthy, nowhere.problem, nowhere.checked_at = False, "Key refused.", newest.created_at
    nowhere.save()
    busy = Monitor(name="Busy", measure="calls", warn=0, window=1440, addresses=["team@example.org"], note="Look.")
    monitors.save(busy, actor=actor)
    monitor_watch.look_now(busy, actor=actor)
    monitor_delivery.send_due()
    monitors.mute(busy, actor=actor, hours=8)
    empty = Workspace.objects.create(name="Nothing yet", slug="nothing-yet")
    newcomer = users.create_user("newcomer", password="demo", is_staff=True)
    Membership.objects.with_scopes_disabled().create(workspace=empty, user=newcomer, role="admin")
"""
EMPTY = ["home", "models", "connections", "budgets", "monitors", "health", "new model", "new budget"]
OPENED = ["home, filtered", "log", "model", "budget", "monitor"]  # what is folded on these is looked at, too
EVERY = [*OTHERS, *LISTS, *FORMS, *OBJECTS, *STUDIO, *FLOWS]
PHONE = ["home", "home, filtered", "prompts", "prompt studio", "workflow studio", "help"]
PHONE += ["logs", "logs, searched", "log", "run"]
PHONE += ["models", "model", "connections", "connection", "key of a connection", "budgets", "budget", "new budget"]
PHONE += ["health", "prices again", "settings", "monitors", "monitor", "new monitor"]
PHONE += [*STUDIO, *FLOWS, "new connection", "templates", "approvals"]
WRONG = {
    "new connection": "[name=_save]",
    "new budget": "[name=_save]",
    "new monitor": "[name=_save]",
    "budget": "#llm-budget-panel form button",
    "key of a connection": "main form .llm-button-strong",
    "prices again": ".llm-reprice-form button",
    "new model": "[name=_save]",
    "new member": "[name=_save]",
    "new prompt": "[name=_publish]",
    "new workflow": "[name=_publish]",
    "import": "main form .llm-button-primary",
    "approval": "[value=decline]",
}


@pytest.fixture(scope="module")
def axe():
    if not AXE.exists():
        missing = "axe-core is missing: bin/test installs it where it finds npm"
        if os.environ.get("REQUIRE_SERVICES"):
            pytest.fail(missing)
        pytest.skip(missing)
    return AXE


@pytest.fixture(scope="module")
def paths(console, provider_server):
    """With a run and its log, so that there is something on every page."""
    console.browser().try_prompt()
    wait_until(lambda: "succeeded" in console.statuses(), what="a run")
    console.code(FILL)
    found = OTHERS | LISTS | FORMS
    for name, (model, action) in OBJECTS.items():
        ((key,),) = console.rows(f"select id from llm_admin_{model} order by id desc limit 1")
        found[name] = f"{ADMIN}/{model}/{key}/{action}/"
    ((key,),) = console.rows("select id from llm_admin_prompt where slug = 'support-reply'")
    found |= {name: f"{ADMIN}/prompt/{key}/{path}" for name, path in STUDIO.items()}
    made = flows(console)
    return found | {name: f"{ADMIN}/{path.format(**made)}" for name, path in FLOWS.items()}


def flows(console):
    """The keys of runs and approvals."""
    browser = console.browser()

    def status_of(key):
        return console.rows("select status from llm_admin_run where id = ?", key)[0][0]

    def run(lines, status):
        before = {key for (key,) in console.rows("select id from llm_admin_run")}
        data = {"spec": json.dumps(NESTED), "input-lines": lines, "client_key": uuid.uuid4().hex}
        answer = browser.post(f"{ADMIN}/workflow/run/", data)
        assert answer.status_code == 200, answer.text
        ((key,),) = [row for row in console.rows("select id from llm_admin_run") if row[0] not in before]
        wait_until(
            lambda: console.rows("select status from llm_admin_run where id = ?", key) == [(status,)], what=status
        )
        return key

    def approval(key):
        return console.rows("select id from llm_admin_approval where run_id = ?", key)[0][0]

    waits, decided, failed = run("3 lamps\n4 chairs", "waiting"), run("5 lamps", "waiting"), run("no lamps", "failed")
    asked = {"waits_for": approval(waits), "was_decided": approval(decided)}
    data = {"decision": "approve", "text": "5 lamps, and a chair", "word": "Better so."}
    assert browser.post(f"{ADMIN}/approval/{asked['was_decided']}/decide/", data).status_code < 400
    wait_until(lambda: status_of(decided) == "succeeded", what="the run that goes on")
    keys = {"waits": waits, "decided": decided, "failed": failed}
    return asked | {name: uuid.UUID(key) for name, key in keys.items()}


def violations(page, axe) -> str:
    """In the light, and, since only the colours differ, those of them in the dark that are hard to read."""
    settled(page)
    page.add_script_tag(path=axe)
    page.add_style_tag(content="*, ::before, ::after { transition: none !important; animation: none !important }")
    found = complaints(page, "{resultTypes: ['violations']}")
    page.emulate_media(color_scheme="dark")
    if page.evaluate("!!window.Alpine"):  # not on the page that says that there is none
        page.evaluate("Alpine.$data(document.documentElement).switchTheme('dark')")
        expect(page.locator("html.dark")).to_have_count(1)
    in_the_dark = complaints(page, "{resultTypes: ['violations'], runOnly: ['color-contrast']}")
    return "\n".join(filter(None, [found, in_the_dark]))


def complaints(page, options: str) -> str:
    found = page.evaluate(f"axe.run(document, {options}).then(result => result.violations)")
    lines = []
    for one in found:
        lines.append(f"{one['id']}: {one['help']}")
        for node in one["nodes"][:4]:
            why = [check["message"] for check in node["any"] + node["all"] + node["none"]][:2]
            lines.append(f"    {node['target']} {node['html'][:300]}\n        {why}")
    return "\n".join(lines)


def unfold(page, name):
    if name in OPENED:
        settled(page)
        page.evaluate("document.querySelectorAll('main details').forEach(fold => fold.open = true)")


def test_axe_sees_what_is_wrong(open_as, paths, axe):
    page = open_as("boss")
    page.goto(paths["new connection"])
    settled(page)
    page.evaluate("document.querySelector('label[for=id_name]').remove()")
    page.add_style_tag(content="h1, h1 * { color: #ddd !important }")
    assert [line.split(":")[0] for line in violations(page, axe).splitlines() if line[0] != " "] == [
        "color-contrast",
        "label",
    ]


@pytest.mark.parametrize("name", EVERY)
def test_a_page(name, open_as, paths, axe):
    page = open_as("boss")
    page.goto(paths[name])
    unfold(page, name)
    assert violations(page, axe) == ""


@pytest.mark.parametrize("name", EMPTY)
def test_a_workspace_with_nothing_in_it(name, open_as, paths, axe):
    page = open_as("newcomer")
    page.goto(paths[name])
    assert violations(page, axe) == ""


@pytest.mark.parametrize("name", PHONE)
def test_a_page_on_a_phone(name, open_as, paths, axe):
    page = open_as("boss", width=390)
    page.goto(paths[name])
    unfold(page, name)
    assert violations(page, axe) == ""
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("name", WRONG)
def test_a_form_that_was_refused(name, open_as, paths, axe):
    page = open_as("boss")
    page.goto(paths[name])
    unfold(page, name)
    page.evaluate("document.querySelectorAll('form').forEach(form => form.noValidate = true)")
    page.locator(WRONG[name]).first.click()
    assert violations(page, axe) == ""


def test_the_login(chromium, console, axe):
    page = chromium.new_page(base_url=console.address)
    page.add_init_script(COUNT_REQUESTS)
    page.goto("/admin/login/")
    assert violations(page, axe) == ""
    page.fill("#id_username", "nobody")
    page.fill("#id_password", "wrong")
    page.click("button[type=submit]")
    assert violations(page, axe) == ""
    page.close()
