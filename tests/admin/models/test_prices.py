"""The prices on a model's page."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from llm_admin.models import Deployment, DeploymentPrice
from llm_admin.services import catalogue, prices
from tests.admin.models.pages import add_price, delete_price, page, price, used_by_a_log

AMOUNTS = {"input_per_million": Decimal(1), "output_per_million": Decimal(2)}


def test_a_price_is_added_and_shown_exactly(operator, place):
    response = add_price(operator, place, input_per_million="1.1034", output_per_million="0.000001")
    html = response.content.decode()
    assert response.status_code == 200
    assert "$1.1034" in html
    assert "$0.000001" in html
    assert "as input" in html
    assert "Valid now" in html
    assert "<html" not in html
    assert LogEntry.objects.get().change_message.startswith("Added the price $1.1034 in")


def test_a_price_from_a_date(operator, place):
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    price(place, "9", starts_at=timezone.now() - dt.timedelta(days=3))
    html = add_price(operator, place, starts_at=tomorrow.isoformat()).content.decode()
    assert "Planned" in html
    with_price = prices.with_prices(Deployment.objects.filter(pk=place.pk)).get()
    assert prices.current(with_price).input_per_million == 9
    later = timezone.now() + dt.timedelta(days=2)
    assert prices.current(with_price, at=later).input_per_million == Decimal("0.15")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"input_per_million": "abc"}, "Enter a number"),
        ({"output_per_million": "-1"}, "greater than or equal to 0"),
        ({"output_per_million": ""}, "required"),
        ({"starts_at": "yesterday"}, "valid date"),
        ({"starts_at": "9999-12-31"}, "between the years 2000 and 2100"),
    ],
)
def test_a_bad_price_is_said_at_its_field(operator, place, fields, words):
    response = add_price(operator, place, **fields)
    assert response.status_code == 422
    assert words in response.content.decode()
    assert not DeploymentPrice.objects.exists()


@pytest.mark.parametrize("amount", ["NaN", "1e999", "-Infinity", "-0.1", "1000000", "0.0000001", "1,5", "9" * 400])
@pytest.mark.parametrize("field", ["input_per_million", "cache_write_per_million", "per_request", "tier1_input"])
def test_no_odd_amount_gets_in(operator, place, field, amount):
    response = add_price(operator, place, **{"tier1_above": "1000", field: amount})
    assert response.status_code == 422
    assert 'class="llm-p-error"' in response.content.decode()
    assert not DeploymentPrice.objects.exists()


def test_the_rare_amounts_stand_under_more_and_are_shown(operator, place):
    response = add_price(
        operator,
        place,
        cache_write_per_million="3.75",
        reasoning_per_million="20",
        per_request="0.005",
        tier1_above="200000",
        tier1_input="6",
        tier2_above="500000",
        tier2_output="30",
    )
    html = response.content.decode()
    for words in ("Cache write $3.75", "Reasoning $20.00", "$0.005 per request", "Entered here"):
        assert words in html
    assert "Above 200,000 input tokens: input $6.00" in html
    assert "Above 500,000 input tokens: output $30.00" in html
    assert DeploymentPrice.objects.get().tiers == [{"above": 200000, "input": "6"}, {"above": 500000, "output": "30"}]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"tier1_input": "6"}, "Say above how many input tokens these rates hold."),
        ({"tier1_above": "1000"}, "Give at least one rate for calls above this number."),
        ({"tier1_above": "0", "tier1_input": "1"}, "greater than or equal to 1"),
        ({"tier1_above": "1e9", "tier1_input": "1"}, "whole number"),
        (
            {"tier1_above": "5", "tier1_input": "1", "tier2_above": "5", "tier2_input": "2"},
            "There are two tiers above 5 tokens.",
        ),
    ],
)
def test_bad_tiers_are_said_where_they_stand(operator, place, fields, words):
    response = add_price(operator, place, **fields)
    html = response.content.decode()
    assert response.status_code == 422
    assert words in html
    assert '<details class="llm-price-more" open>' in html
    assert not DeploymentPrice.objects.exists()


def test_a_published_price_says_so_and_cannot_be_deleted(operator, place, fast):
    price(place, source="published", origin="acme acme-1, list 1.0", starts_at=timezone.now() - dt.timedelta(days=3))
    html = operator.get(page(fast)).content.decode()
    assert "Published: acme acme-1, list 1.0" in html
    assert "Delete the price" not in html
    assert delete_price(operator, DeploymentPrice.objects.get()).status_code == 409
    html = add_price(operator, place).content.decode()
    assert "Replaced by your own" in html


def test_two_prices_from_one_moment(operator, place):
    assert add_price(operator, place, starts_at="2026-01-01").status_code == 200
    response = add_price(operator, place, starts_at="2026-01-01")
    assert response.status_code == 422
    assert "from this moment on already" in response.content.decode()


def test_prices_work_without_javascript(operator, place, fast):
    assert add_price(operator, place, headers={}).url == page(fast)
    bad = add_price(operator, place, headers={}, input_per_million="abc")
    assert bad.status_code == 422
    assert "Enter a number" in bad.content.decode()
    assert delete_price(operator, DeploymentPrice.objects.get(), headers={}).url == page(fast)


def test_an_unused_price_is_deleted(operator, place):
    one = price(place)
    assert "No price yet" in delete_price(operator, one).content.decode()
    assert not DeploymentPrice.objects.exists()


def test_a_price_that_logs_use_stays(operator, place, fast, workspace, system):
    one = price(place)
    used_by_a_log(workspace=workspace, price=one)
    assert "Stands in the logs" in operator.get(page(fast)).content.decode()
    response = delete_price(operator, one)
    assert response.status_code == 409
    assert "Add a later one instead" in response.content.decode()
    assert DeploymentPrice.objects.filter(pk=one.pk).exists()


def test_the_page_takes_equally_many_queries_for_few_and_many_prices(operator, place, fast, workspace):
    counts = []
    for more in (3, 297):
        first = timezone.now() - dt.timedelta(days=more)
        days = [first + dt.timedelta(minutes=number) for number in range(more)]
        rows = [DeploymentPrice(deployment=place, starts_at=day, **AMOUNTS) for day in days]
        used_by_a_log(workspace=workspace, price=DeploymentPrice.objects.bulk_create(rows)[0])
        operator.get(page(fast))
        catalogue.forget()  # what is cached for a second would make the counts differ
        with CaptureQueriesContext(connection) as queries:
            operator.get(page(fast))
        counts.append(len(queries))
    assert counts[0] == counts[1]
