"""A workflow on twenty products: run, reviewed, fifteen applied, undone, and the table is as before."""

from __future__ import annotations

import json
import re

import pytest

from tests.e2e.test_accessibility import axe, violations  # noqa: F401 - a fixture
from tests.servers.openai_server import Behaviour

expect = pytest.importorskip("playwright.sync_api").expect

LIST = "/admin/shop/product/"
ANSWER = json.dumps({"tagline": "Made to be used", "audience": "People who cook"})


@pytest.fixture
def products(console):
    console.code("from console.shop import demo; demo.prepare({'DEMO': '1'})")
    console.code("from console.shop.models import Product as P; P.objects.update(audience='Nobody yet')")
    return lambda: console.rows("select * from shop_product order by id")


def choose(page, count):
    page.goto(LIST)
    boxes = page.locator("input[name=_selected_action]")
    for at in range(count):
        boxes.nth(at).check()
    page.locator("select[name=action]").select_option(label="Run a workflow…")
    page.locator("#changelist-form button[name=index]").first.click()
    expect(page.get_by_role("heading", name=f"Run a workflow on {count} products")).to_be_visible()
    page.get_by_label("Which workflow shall run").select_option(label="Product tagline")
    expect(page.get_by_label("Product", exact=True)).to_have_value("name")
    expect(page.locator("#llm-host-preview li")).to_have_count(min(count, 3))


def start(page, count):
    choose(page, count)
    page.get_by_role("button", name=f"Run on {count} products").click()
    page.wait_for_url("**/workflow/*-*/")
    expect(page.locator(".llm-host-progress")).to_contain_text(f"{count} of {count} answered", timeout=60_000)
    expect(page.locator("[data-tick-one]")).to_have_count(count * 2)


def test_twenty_products_fifteen_applied_and_undone(open_as, provider, products, console):
    provider.script("words", Behaviour(text=ANSWER))
    before = products()
    page = open_as("author")
    start(page, 20)
    assert products() == before, "nothing is changed by running"
    expect(page.get_by_role("button", name="Apply the 40 ticked")).to_be_visible()
    rows = page.locator("[data-row]")
    expect(rows.first.locator("del")).to_have_text(re.compile("Nobody yet|Nobody"))
    for at in range(15, 20):
        rows.nth(at).locator("[data-tick-row]").uncheck()
    page.get_by_role("button", name="Apply the 30 ticked").click()
    expect(page.get_by_text("Applied 30 values to 15 products.")).to_be_visible()
    expect(page.locator(".llm-chip-live", has_text="Applied")).to_have_count(30)
    changed = [(old, new) for old, new in zip(before, products(), strict=True) if old != new]
    assert len(changed) == 15
    assert all("Made to be used" in new and "People who cook" in new for _, new in changed)
    rows.first.get_by_role("link").first.click()
    page.goto(page.url.replace("/change/", "/history/"))
    expect(page.locator("main")).to_contain_text("Changed Tagline and Audience with the workflow “Product tagline v2”.")
    page.go_back()
    page.go_back()
    page.get_by_role("button", name="Undo all that is applied").click()
    expect(page.get_by_text("Undid 30 values in 15 products: as before.")).to_be_visible()
    assert products() == before, "byte for byte"


def opened_in_the_middle(page, provider, console):
    """Ten rows, of which the page shows some; the others are answered while it is looked at."""
    provider.script("words", Behaviour(text=ANSWER, delay_ms=150))
    choose(page, 10)
    page.get_by_role("button", name="Run on 10 products").click()
    page.wait_for_url("**/workflow/*-*/")
    expect(page.locator(".llm-host-progress")).to_contain_text(re.compile(r"[1-9] of 10 answered"), timeout=60_000)
    page.reload()
    expect(page.locator("[data-tick-one]").first).to_be_visible()
    return page.locator("[data-tick-one]").count()


def test_what_is_answered_while_the_page_is_open_appears_at_the_end(open_as, provider, products, console):
    page = open_as("author")
    assert opened_in_the_middle(page, provider, console) < 20
    expect(page.locator("[data-tick-one]")).to_have_count(20)
    expect(page.get_by_role("button", name="Apply the 20 ticked")).to_be_enabled()


def test_what_somebody_has_ticked_is_not_lost_by_it(open_as, provider, products, console):
    page = open_as("author")
    shown = opened_in_the_middle(page, provider, console)
    page.locator("[data-tick-one]").first.uncheck()
    expect(page.get_by_text("More answers have arrived.")).to_be_visible()
    expect(page.locator(".llm-host-progress")).to_contain_text("10 of 10 answered")
    expect(page.locator("[data-tick-one]")).to_have_count(shown)
    expect(page.locator("[data-tick-one]").first).not_to_be_checked()


def test_ticks_by_row_all_and_none(open_as, provider, products):
    provider.script("words", Behaviour(text=ANSWER))
    page = open_as("author")
    start(page, 2)
    page.get_by_role("button", name="Tick none").click()
    expect(page.get_by_role("button", name="Apply the ticked")).to_be_disabled()
    row = page.locator("[data-row]").first
    row.locator("[data-tick-one]").first.check()
    expect(row.locator("[data-tick-row]")).to_have_js_property("indeterminate", True)
    row.locator("[data-tick-row]").check()
    expect(page.get_by_role("button", name="Apply the 2 ticked")).to_be_enabled()
    page.get_by_role("button", name="Tick all").click()
    expect(page.get_by_role("button", name="Apply the 4 ticked")).to_be_enabled()


def test_a_fixed_value_and_the_preview_follow_the_choice(open_as, products):
    page = open_as("author")
    choose(page, 2)
    page.get_by_label("Category (optional)").select_option(label="A value that I type")
    typed = page.get_by_label("Value of Category for all rows")
    typed.fill("Presents")
    typed.blur()
    expect(page.locator("#llm-host-preview dd", has_text="Presents")).to_have_count(2)
    page.get_by_label("Product", exact=True).select_option(label="Its default")
    expect(page.locator("#llm-host-preview dd", has_text="Alba kettle")).to_have_count(2)
    expect(typed).to_have_value("Presents")


def test_who_may_only_look_sees_no_action(open_as, products):
    page = open_as("viewer")
    page.goto(LIST)
    expect(page.get_by_role("link", name="Acre desk pad")).to_be_visible()
    assert "Run a workflow" not in page.content()


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")])
def test_every_state_is_readable(open_as, provider, products, axe, width, scheme):  # noqa: F811
    provider.script("words", Behaviour(text=ANSWER))
    page = open_as("author", width=width, scheme=scheme)

    def check():
        assert violations(page, axe) == ""
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    if width == 390:
        page.set_viewport_size({"width": 1440, "height": 1000})
    choose(page, 3)
    page.set_viewport_size({"width": width, "height": 1000})
    check()
    page.get_by_label("Tagline", exact=True).select_option(label="Audience")
    page.get_by_label("Rows at the same time").fill("500")
    page.get_by_role("button", name="Run on 3 products").click()
    expect(page.get_by_text("“Audience” gets two results. Choose one.")).to_be_visible()
    check()
    page.get_by_label("Rows at the same time").fill("5")
    page.get_by_label("Tagline", exact=True).select_option(label="Tagline")
    page.get_by_label("Audience", exact=True).select_option(label="Audience")
    page.get_by_role("button", name="Run on 3 products").click()
    expect(page.locator("[data-tick-one]")).to_have_count(6, timeout=60_000)
    check()
    page.locator("[data-apply]").click()
    expect(page.locator(".llm-chip-live", has_text="Applied")).to_have_count(6)
    check()
    page.get_by_role("button", name="Undo all that is applied").click()
    expect(page.locator(".llm-chip", has_text="Undone")).to_have_count(6)
    check()
