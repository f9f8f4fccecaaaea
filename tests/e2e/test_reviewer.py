"""Somebody who never saw the code asks what last week cost and what was slow, and takes the calls away in a file."""

from __future__ import annotations

import csv
import datetime as dt
import json
from zoneinfo import ZoneInfo

import pytest

expect = pytest.importorskip("playwright.sync_api").expect

BERLIN = ZoneInfo("Europe/Berlin")
MOST_CLICKS = 10
# The answers, which the calls below are made for.
DEAREST, PEAK, CULPRIT, CALLS = "Support reply", "14:00–15:00", "Careful", 7
WORLD = """
import json
from django.contrib.auth import get_user_model
from django.utils.dateparse import parse_datetime
from llm_admin.models import InteractionLog, LanguageModel, Membership, Prompt, Workspace
from llm_admin.tenancy import workspace_scope
rows = json.loads({rows!r})
ws = Workspace.objects.create(name="Reviewed", slug="reviewed")
user = get_user_model().objects.create_user("reviewer", password="demo", is_staff=True)
Membership.objects.with_scopes_disabled().create(workspace=ws, user=user, role="operator")
with workspace_scope(ws):
    named = {{"": None}}
    for name in ("Support reply", "Product text", "Ticket summary"):
        named[name] = Prompt.objects.create(workspace=ws, name=name, slug=name.lower().replace(" ", "-"))
    for name in ("Careful", "Fast"):
        named[name] = LanguageModel.objects.create(workspace=ws, name=name, alias=name.lower())
    InteractionLog.objects.bulk_create(
        InteractionLog(workspace=ws, created_at=parse_datetime(at), status="succeeded", source="code",
            prompt=named[prompt], model=named[model], cost_nano=cents * 10**7, latency_ms=ms, input_tokens=10,
            output_tokens=20)
        for at, prompt, model, cents, ms in rows
    )
"""


def monday() -> dt.date:
    """Of last week, in Berlin."""
    today = dt.datetime.now(BERLIN).date()
    return today - dt.timedelta(days=today.weekday() + 7)


def calls() -> list[tuple[str, str, str, int, int]]:
    """(when, prompt, model, cents, milliseconds)"""
    made = []

    def call(day: int, time: str, prompt: str, model: str, cents: int, ms: int) -> None:
        at = dt.datetime.combine(monday() + dt.timedelta(days=day), dt.time.fromisoformat(time), tzinfo=BERLIN)
        made.append((at.isoformat(), prompt, model, cents, ms))

    for day in range(7):
        for hour in range(8, 18):
            call(day, f"{hour:02}:10", "Support reply", "Fast", 20, 900)
            call(day, f"{hour:02}:20", "Product text", "Fast", 15, 1_200)
            call(day, f"{hour:02}:30", "Ticket summary", "Careful", 5, 5_000)
    for minute in range(6):  # the peak of Tuesday, with the call at 14:30: seven of one model
        call(1, f"14:{40 + minute}", "Product text", "Careful", 1, 40_000)
    call(1, "15:00", "Product text", "Careful", 1, 1_000)  # the next hour already
    for minute in range(8):  # Thursday was slower still, and the week before dearer
        call(3, f"10:{minute:02}", "Support reply", "Fast", 1, 90_000)
    call(-1, "23:59", "Product text", "Fast", 90_000, 1_000)
    call(7, "00:00", "Ticket summary", "Fast", 80_000, 1_000)
    return made


class Hand:
    """Counts what a person would press."""

    def __init__(self, page) -> None:
        self.page, self.clicks = page, 0

    def click(self, locator, **options) -> None:
        self.clicks += 1
        locator.click(**options)

    def heading(self, text: str) -> None:
        expect(self.page.locator("#llm-dash-title")).to_contain_text(text)


@pytest.fixture(scope="module")
def world(console):
    console.code(WORLD.format(rows=json.dumps(calls())))


@pytest.fixture
def page(console, chromium, world):
    context = chromium.new_context(
        base_url=console.address, timezone_id="Europe/Berlin", viewport={"width": 1440, "height": 1000}
    )
    page = context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/admin/login/")
    page.fill("#id_username", "reviewer")
    page.fill("#id_password", "demo")
    page.click("button[type=submit]")
    page.wait_for_url("**/admin/")
    yield page
    context.close()
    assert complaints == []


def bar_of(page, title: str, number: int) -> tuple[object, dict[str, float]]:
    """The canvas of a chart, and where its bar is drawn."""
    canvas = page.locator("figure", has=page.get_by_text(title, exact=True)).first.locator("canvas")
    script = (
        "(canvas, number) => { const {x, y} = Chart.getChart(canvas).getDatasetMeta(1).data[number]; return {x, y} }"
    )
    return canvas, canvas.evaluate(script, number)


def first_row(page, table: str):
    return page.get_by_role("region", name=f"Numbers of {table.lower()}", exact=True).locator("tbody tr").first


def test_what_cost_most_what_was_slow_and_why(page, tmp_path):
    hand, tuesday = Hand(page), monday() + dt.timedelta(days=1)
    expect(page.locator(".llm-dash-zone summary")).to_have_text("Times in Europe/Berlin")

    # Which prompt cost most last week?
    hand.click(page.locator("#llm-range-pick"))
    hand.click(page.get_by_role("link", name="Last week", exact=True))
    hand.heading("Last week")
    expect(first_row(page, "Prompts")).to_contain_text(DEAREST)
    expect(first_row(page, "Prompts")).to_contain_text("$14.08")
    week = page.url
    assert week.endswith("?range=last-week")

    # Which hour on Tuesday had the p95 peak?
    canvas, place = bar_of(page, "Time of a call in s", 1)
    hand.click(canvas, position=place)
    hand.heading(tuesday.strftime("Tue %-d %b %Y"))
    peak = page.get_by_role("link", name="Highest p95").first
    expect(peak).to_contain_text(PEAK)

    # And which model caused it?
    hand.click(peak)
    hand.heading("14:00 – 15:00")
    hand.click(page.locator("#llm-sort-model-p95"))
    expect(page.locator("#llm-sort-model-p95").locator("xpath=..")).to_have_attribute("aria-sort", "descending")
    expect(first_row(page, "Models")).to_contain_text(CULPRIT)

    # Export those calls.
    hand.click(first_row(page, "Models").get_by_role("link", name=CULPRIT, exact=True))
    expect(page.locator(".llm-dash-chip")).to_contain_text(CULPRIT)
    narrowed = page.url
    hand.click(page.get_by_role("link", name="Logs of these calls"))
    expect(page.locator("#result_list tbody tr")).to_have_count(CALLS)
    hand.click(page.locator("main summary", has_text="Export"))
    with page.expect_download() as download:
        hand.click(page.get_by_role("link", name="CSV, for spreadsheets"))
    download.value.save_as(tmp_path / "calls.csv")
    rows = list(csv.DictReader((tmp_path / "calls.csv").open(encoding="utf-8-sig")))
    assert len(rows) == CALLS
    assert {value for row in rows for value in row.values()} >= {CULPRIT, "Product text", "Ticket summary"}
    assert hand.clicks <= MOST_CLICKS

    # The way back: the browser's own, and the page's.
    page.goto(narrowed)
    expect(page.locator(".llm-dash-chip")).to_contain_text(CULPRIT)
    page.get_by_role("link", name="Remove the filter Model: Careful").click()
    expect(page.locator(".llm-dash-chip")).to_have_count(0)
    page.go_back()
    expect(page.locator(".llm-dash-chip")).to_contain_text(CULPRIT)
    page.get_by_role("link", name="Zoom out to").click()
    hand.heading(tuesday.strftime("Tue %-d %b %Y"))


def test_a_part_that_fails_says_so_and_can_be_tried_again(page):
    failing = []

    def answer(route):
        failing.append(route.request.url)
        route.fulfill(status=500, body="<h1>Server error</h1>")

    page.route("**/admin/numbers/?*", answer)
    page.goto("/admin/?range=90d")
    alert = page.locator(".llm-dash-failed")
    expect(alert).to_contain_text("The numbers could not be loaded: something went wrong on the server.")
    expect(page.get_by_role("heading", name="Recent runs")).to_be_visible()  # the others are there
    page.unroute("**/admin/numbers/?*")
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator("#llm-dash-title")).to_have_text("Last 90 days")
    expect(alert).to_have_count(0)
    page.route("**/admin/numbers/?*", lambda route: route.abort())
    page.locator("#llm-range-24h").click()
    expect(alert).to_contain_text("the server does not answer")
    expect(page.locator("#llm-dash-title")).to_have_text("Last 90 days")  # what was there stays
    page.unroute("**/admin/numbers/?*")
    alert.get_by_role("button", name="Try again").click()
    expect(page.locator("#llm-dash-title")).to_have_text("Last 24 hours")


def test_by_keyboard(page):
    page.locator("#llm-range-30d").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#llm-dash-title")).to_have_text("Last 30 days")
    expect(page.locator("#llm-range-30d")).to_be_focused()
    expect(page.locator("#llm-dash-status")).to_have_text("Showing: Last 30 days")
