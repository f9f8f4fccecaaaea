"""An operator connects a provider, makes a model with a fallback, sets a price and a budget; an author meets them."""

from __future__ import annotations

import re
import socket

import pytest

from tests.servers.openai_server import Behaviour, error

expect = pytest.importorskip("playwright.sync_api").expect

ADMIN = "/admin/llm_admin"
KEY = "sk-proj-Operator0123456789abcdefghijklmnopqrst"
TEXT = "Name a colour that {{thing}} has."
# At $10 in and $20 out per million tokens: exactly the budget of three cents.
USAGE = {"prompt_tokens": 600, "completion_tokens": 1200, "total_tokens": 1800}
NEWCOMER = """
from django.contrib.auth import get_user_model
from llm_admin.models import Membership
from llm_admin.services import workspaces
user = get_user_model().objects.create_user("nadia", password="demo", is_staff=True)
Membership.objects.with_scopes_disabled().create(workspace=workspaces.default(), user=user, role="author")
"""
BUDGET, MODEL = "Nadia's trial", "Writer"
REFUSES = error(500, "The server had an error while processing your request.", kind="server_error")


@pytest.fixture
def newcomer(console):
    """An author of whom no other test made calls, which the budget would count."""
    console.code(NEWCOMER)
    return "nadia"


@pytest.fixture
def dead_url():
    """Of a port that nobody else gets, and where nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/v1"


def connect(page, name, url):
    page.goto("/admin/")
    page.get_by_role("link", name="Connections").first.click()
    page.get_by_role("link", name="Add connection").first.click()
    page.get_by_label(re.compile("^Name")).fill(name)
    page.get_by_label("Kind").select_option(label="OpenAI or compatible")
    page.get_by_label("Base URL").fill(url)
    page.get_by_label("Key", exact=True).fill(KEY)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Test connection").click()
    return page.locator("#test-result")


def row_of(page, path, name):
    page.goto(f"{ADMIN}/{path}/")
    return page.locator("#result_list tr", has_text=name)


def place(page, number, connection, name, priority):
    page.get_by_label("Connection").nth(number).select_option(label=connection)
    page.get_by_label("Provider's model name").nth(number).fill(name)
    page.get_by_label("Priority").nth(number).fill(str(priority))


def make_model(page):
    page.goto(f"{ADMIN}/languagemodel/add/")
    page.get_by_label(re.compile("^Name")).fill(MODEL)
    page.get_by_label("Alias").fill("writer")
    place(page, 0, "Office server", "large", 1)
    page.get_by_role("link", name="Add another place").click()
    place(page, 1, "Office server", "small", 2)
    page.get_by_role("button", name="Save and continue editing").click()
    words = "Calls go to large at Office server; if that fails, to small at Office server. If that fails as"
    expect(page.get_by_role("region", name="Where calls go")).to_contain_text(words)


def set_price(page, deployment, day):
    prices = page.locator(".llm-prices", has=page.get_by_role("heading", name=deployment))
    prices.get_by_label("Input, $", exact=True).first.fill("10")
    prices.get_by_label("Output, $", exact=True).first.fill("20")
    prices.get_by_label("From").fill(day)
    prices.get_by_role("button", name="Add price").click()
    line = prices.locator("tbody tr", has_text="Valid now")
    expect(line).to_contain_text(re.compile(r"1 Jan 2024.*\$10.*\$20", re.DOTALL))


def set_budget(page):
    page.goto("/admin/")
    page.get_by_role("link", name="Budgets").first.click()
    page.get_by_role("link", name="Add budget").first.click()
    page.get_by_label(re.compile("^Name")).fill(BUDGET)
    page.get_by_label("One person").check()
    page.get_by_label("Which person").select_option(label="nadia")
    page.get_by_label("How much").fill("0.03")
    page.get_by_label("Owner").select_option(label="operator")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="In this period")).to_be_visible()
    return page.url


def try_it(page, thing):
    page.locator("[name=input-thing]").fill(thing)
    page.locator("#llm-try-form [name=model]").select_option(label=MODEL)
    page.locator("#llm-run-button").click()
    return page.locator("#llm-answer")


def newest_log(console):
    names = "id, status, cost_nano, input_tokens, output_tokens"
    return console.rows(f"select {names} from llm_admin_interactionlog order by id desc limit 1")[0]


def test_from_a_connection_to_a_refusal_and_on(open_as, provider, console, newcomer):
    provider.model_list = {"object": "list", "data": [{"id": "small"}, {"id": "large"}]}
    provider.script("small", Behaviour(text="Blue, mostly.", usage=USAGE))
    operator, author = open_as("operator"), open_as(newcomer)

    result = connect(operator, "Office server", provider.base_url)
    expect(result).to_contain_text("It works.")
    expect(result).to_contain_text("with 2 models")
    expect(result).to_contain_text(re.compile(r"A call of large took [\d.]+ m?s, the first word"))
    result.get_by_text("Show the names").click()
    expect(result.get_by_text("small", exact=True)).to_be_visible()
    expect(row_of(operator, "connection", "Office server")).to_contain_text("Works")

    make_model(operator)
    set_price(operator, "small at Office server", "2024-01-01")
    expect(row_of(operator, "languagemodel", MODEL)).to_contain_text("then small at Office server")
    budget = set_budget(operator)
    provider.script("large", REFUSES)

    author.goto(f"{ADMIN}/prompt/add/")
    author.get_by_label("Text of message").last.fill(TEXT)
    panel = try_it(author, "the sky")
    expect(panel.locator(".llm-status")).to_have_text("Succeeded")
    expect(panel.locator(".llm-answer")).to_have_text("Blue, mostly.")
    assert [one.model for one in provider.requests][-2:] == ["large", "small"]
    log, *outcome = newest_log(console)
    assert outcome == ["succeeded", 30_000_000, 600, 1200]
    author.goto(f"{ADMIN}/interactionlog/{log}/change/")
    expect(author.locator(".llm-tried li")).to_have_count(1)
    expect(author.locator(".llm-tried li")).to_contain_text("large at Office server: Provider not reachable")
    author.get_by_text("How was this computed?").click()
    computed = author.locator(".llm-log-computed")
    expect(computed.locator("tbody tr")).to_have_text(["Input600$10.00$0.006", "Output1,200$20.00$0.024"])
    expect(computed.locator("tfoot")).to_contain_text("$0.03")
    expect(computed).to_contain_text("valid from 1 Jan 2024")

    author.goto(f"{ADMIN}/prompt/add/")
    author.get_by_label("Text of message").last.fill(TEXT)
    asked = len(provider.requests)
    panel = try_it(author, "the sea")
    expect(panel.locator(".llm-status")).to_have_text("Failed")
    words = f"This call was not made, and cost nothing (the budget “{BUDGET}” (owner: operator) is used up: $0.03; it"
    expect(panel.get_by_role("alert")).to_contain_text(words)
    assert len(provider.requests) == asked
    assert newest_log(console)[0] == log  # there was no call
    failed = "select cost_nano, calls from llm_admin_run where error_kind = 'budget'"
    assert console.rows(failed) == [(0, 0)]
    author.goto("/admin/")
    expect(author.get_by_role("region", name="Budgets")).to_contain_text("$0.03 of $0.03 used (100%)")

    operator.goto(budget)
    expect(operator.get_by_text("1 call was refused.")).to_be_visible()
    operator.get_by_text("Allow more in this period").click()
    operator.get_by_label("Allow more, USD").fill("0.1")
    operator.get_by_label("Why (it stays on record)").fill("The campaign goes out today")
    operator.get_by_role("button", name="Allow", exact=True).click()
    allowed = operator.get_by_role("region", name="Allowed on top")
    expect(allowed).to_contain_text(re.compile(r"\$0\.10?.*operator.*The campaign goes out today", re.DOTALL))

    author.goto(f"{ADMIN}/prompt/add/")
    author.get_by_label("Text of message").last.fill(TEXT)
    panel = try_it(author, "the sea")
    expect(panel.locator(".llm-status")).to_have_text("Succeeded")


def test_a_server_that_is_not_there_says_what_to_do(open_as, dead_url):
    operator = open_as("operator")
    result = connect(operator, "Old server", dead_url)
    expect(result).to_contain_text("It does not work yet.")
    expect(result).to_contain_text("Check the base URL (many end in /v1), and that the server runs")
    expect(row_of(operator, "connection", "Old server")).to_contain_text("Does not work")
    operator.goto("/admin/")
    operator.get_by_role("link", name="Health").first.click()
    expect(operator.locator(".llm-health-list")).to_contain_text("Old server")
