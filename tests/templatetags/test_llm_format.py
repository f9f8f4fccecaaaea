from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.utils import timezone

from llm_admin.templatetags import llm_format
from llm_admin.templatetags.llm_format import ago, ago_text, cost, duration, exact_cost, in_out, per_million, tokens

EUROS = SimpleNamespace(currency="EUR", currency_rate=Decimal("0.5"))
NOW = dt.datetime(2026, 5, 3, 14, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("nano", "shown"),
    [
        (None, "unknown"),
        (0, "$0.00"),
        (1, "$0.000000001"),
        (420_000, "$0.00042"),
        (22_200, "$0.0000222"),
        (500_000_000, "$0.50"),
        (99_999_999, "$0.10"),
        (1_234_567_890, "$1.23"),
        (12_345_678_900_000, "$12,345.68"),
    ],
)
def test_costs_have_enough_digits(nano, shown):
    assert cost(nano) == shown


def test_costs_in_the_workspaces_currency():
    assert cost(420_000, EUROS) == "€0.00021"
    assert cost(2_000_000_000, SimpleNamespace(currency="SEK", currency_rate=Decimal(10))) == "SEK 20.00"
    assert exact_cost(55_055, EUROS) == "0.0000275275 EUR"
    assert exact_cost(None) == ""


def test_prices_per_million():
    assert per_million(Decimal("0.150000")) == "$0.15/M"
    assert per_million(Decimal("3"), EUROS) == "€1.50/M"


@pytest.mark.parametrize(
    ("ms", "shown"),
    [
        (None, "unknown"),
        (0, "0 ms"),
        (842, "842 ms"),
        (999.6, "1.0 s"),
        (3_400, "3.4 s"),
        (61_000, "1 min 1 s"),
        (3_700_000, "1 h 1 min"),
    ],
)
def test_durations(ms, shown):
    assert duration(ms) == shown


def test_what_a_template_does_not_find_is_unknown():
    assert {cost(""), duration(""), tokens("")} == {"unknown"}


def test_tokens_are_unknown_or_counted():
    assert (tokens(None), tokens(0), tokens(12_345)) == ("unknown", "0", "12,345")
    assert in_out(SimpleNamespace(input_tokens=None, output_tokens=None)) == "unknown"
    assert in_out(SimpleNamespace(input_tokens=12, output_tokens=None)) == "12 in, unknown out"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (3, "just now"),
        (42, "42 s ago"),
        (200, "3 min ago"),
        (7_300, "2 h ago"),
        (90_000, "1 day ago"),
        (500_000, "5 days ago"),
        (40 * 86_400, "24 Mar 2026"),
        (-600, "3 May 2026, 14:10"),
    ],
)
def test_times_are_relative(seconds, shown):
    assert ago_text(NOW - dt.timedelta(seconds=seconds), now=NOW) == shown


def test_the_exact_time_stands_on_hover(monkeypatch):
    monkeypatch.setattr(llm_format.timezone, "now", lambda: NOW)
    html = ago(NOW - dt.timedelta(minutes=3))
    assert html == '<time datetime="2026-05-03T13:57:00+00:00" title="3 May 2026, 13:57:00 UTC">3 min ago</time>'
    with timezone.override("Europe/Berlin"):
        assert "15:57:00 CEST" in ago(NOW - dt.timedelta(minutes=3))
    assert ago(None) == "never"
