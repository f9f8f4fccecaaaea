"""What tests of the numbers read from a page."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from llm_admin.choices import CallStatus, ErrorKind
from tests.log_rows import log, minutes_ago

HOME, NUMBERS, CSV = (reverse(f"admin:{name}") for name in ("index", "llm_admin_numbers", "llm_admin_numbers_csv"))
PART = reverse("admin:llm_admin_numbers_part")
DAY = 24 * 60


def cards(response):
    return {card.title: card for card in response.context["panel"]["cards"]}


def charts(response):
    return {chart.key: chart for chart in response.context["panel"]["charts"]}


def tables(response):
    return {table.key: table for table in response.context["panel"]["tables"]}


def chips(response):
    return {chip.name: chip for chip in response.context["panel"]["chips"]}


def row(response, table, name):
    return next(row for row in tables(response)[table].rows if row.name == name)


def listed(client, url):
    """How many logs the list behind a link has."""
    response = client.get(url)
    assert response.status_code == 200, url
    return len(response.context["cl"].result_list)


def milliseconds(text):
    """What "842 ms", "9.1 s" and "1 min 0 s" say."""
    units = {"ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000}
    words = text.split()
    return sum(float(number) * units[unit] for number, unit in zip(words[::2], words[1::2], strict=True))


def about(ms):
    """Times are kept in steps of at most 2.5 %, and said with few digits."""
    return pytest.approx(ms, rel=0.035)


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def some_calls(scope):
    """Of the last day: 4 calls; of the week: 6; and one of eight days ago."""
    log(scope, cost_nano=2_000_000, latency_ms=400)
    log(scope, cost_nano=None, latency_ms=900)
    log(scope, status=CallStatus.FAILED, error_kind=ErrorKind.TIMEOUT, cost_nano=None, latency_ms=60_000)
    log(scope, status=CallStatus.CANCELLED, error_kind=ErrorKind.CANCELLED, cost_nano=None, latency_ms=50)
    log(scope, at=minutes_ago(3 * DAY), cost_nano=1_000_000, latency_ms=500)
    log(scope, at=minutes_ago(3 * DAY), status=CallStatus.FAILED, error_kind=ErrorKind.TIMEOUT, latency_ms=600)
    log(scope, at=minutes_ago(8 * DAY), cost_nano=4_000_000, latency_ms=2_000)
