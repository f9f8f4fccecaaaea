"""Prices of deployments: entered here, published by the provider, and which of them a call has."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from llm_admin.choices import PriceSource
from llm_admin.exceptions import Conflict, InvalidInput
from llm_admin.models import Connection, Deployment, DeploymentPrice, LanguageModel
from llm_admin.runtime import published_prices
from llm_admin.runtime.published_prices import Published
from llm_admin.schemas.plans import PricePlan, PriceTier
from llm_admin.services import catalogue, models, prices, published, resolving
from llm_admin.services.resolving import ModelResolver, load_model

DAY = dt.timedelta(days=1)


@pytest.fixture
def openai(workspace, scope):
    return Connection.objects.create(workspace=workspace, name="OpenAI", provider="openai", api_key="sk-1")


@pytest.fixture
def make(workspace, openai):
    """A model with one deployment, stored as a form would, or without asking anybody."""

    def make(provider_model="gpt-4o", *, alias="fast", connection=None, actor=None, **fields):
        model = LanguageModel.objects.create(workspace=workspace, alias=alias, name=alias)
        one = Deployment(model=model, connection=connection or openai, provider_model=provider_model, **fields)
        if actor:
            return models.save_deployment(one, actor=actor)
        one.save()
        return one

    return make


def rows(place):
    return list(DeploymentPrice.objects.filter(deployment=place).order_by("starts_at", "id"))


def own(place, amount="9", **fields):
    fields = {"starts_at": timezone.now()} | fields
    return DeploymentPrice.objects.create(
        deployment=place, input_per_million=Decimal(amount), output_per_million=Decimal(1), **fields
    )


# ---- published


def test_saving_a_deployment_fills_in_the_published_price(make, system):
    place = make(actor=system)
    (row,) = rows(place)
    assert (row.source, row.input_per_million, row.output_per_million) == (PriceSource.PUBLISHED, Decimal("2.5"), 10)
    assert row.cached_input_per_million == Decimal("1.25")
    assert row.origin == f"openai gpt-4o, genai-prices {published_prices.data_version()}"
    assert row.starts_at == place.created_at


def test_the_first_need_fills_it_in_and_the_log_can_name_the_row(make, workspace):
    place = make("gpt-5.4")
    (plan,) = load_model(workspace.pk, "fast").deployments
    (row,) = rows(place)
    assert plan.price.id == row.pk
    assert plan.price.tiers == (
        PriceTier(272_000, input=Decimal(5), output=Decimal("22.5"), cached_input=Decimal("0.5")),
    )


async def test_a_run_reads_the_list_in_a_thread_of_its_own(make, workspace, monkeypatch, transactional_db):
    from asgiref.sync import sync_to_async

    await sync_to_async(make)()
    loaded = []
    monkeypatch.setattr(published, "is_loaded", lambda: bool(loaded))
    monkeypatch.setattr(published, "load", lambda: loaded.append(1))
    plan = await ModelResolver(workspace.pk).model("fast")
    assert loaded == [1]
    assert plan.deployments[0].price.input == Decimal("2.5")


def test_nothing_is_asked_twice(make, workspace, monkeypatch):
    make("no-such-model")
    asked = []
    monkeypatch.setattr(published_prices, "published", lambda source: asked.append(source) or ())
    for _ in range(3):
        assert load_model(workspace.pk, "fast").deployments[0].price is None
    assert len(asked) == 1


def test_a_deployment_with_its_price_costs_no_more_queries_than_one_without(make, workspace):
    make()
    load_model(workspace.pk, "fast")
    with CaptureQueriesContext(database) as found:
        load_model(workspace.pk, "fast")
    assert len(found) == 3  # the model, its deployments with their connections, their prices


@pytest.mark.parametrize("address", ["http://localhost:11434/v1", "https://llm.example.com/v1"])
def test_a_server_of_ones_own_has_no_openai_prices(make, workspace, address, system):
    server = Connection.objects.create(workspace=workspace, name="Own", provider="openai", base_url=address)
    assert rows(make(connection=server, actor=system)) == []
    assert load_model(workspace.pk, "fast").deployments[0].price is None


def test_the_demo_provider_has_none(make, scope, system):
    fake = Connection.objects.get(provider="fake")
    assert rows(make(connection=fake, actor=system)) == []


def plan(amount, **fields):
    return PricePlan(id=0, input=Decimal(amount), output=Decimal(1), **fields)


def say(monkeypatch, *found, version="9.9"):
    monkeypatch.setattr(published_prices, "published", lambda source: found)
    monkeypatch.setattr(published_prices, "data_version", lambda: version)


def test_a_changed_list_makes_a_new_row_and_leaves_the_old_one(make, workspace, monkeypatch):
    place = make()
    load_model(workspace.pk, "fast")
    (before,) = rows(place)
    say(monkeypatch, Published(None, plan(7)))
    assert load_model(workspace.pk, "fast").deployments[0].price.input == 7
    old, new = rows(place)
    assert (old.pk, old.input_per_million, old.ends_at) == (before.pk, Decimal("2.5"), None)
    assert old.starts_at < new.starts_at
    assert new.origin.endswith("genai-prices 9.9")


def test_a_newer_list_that_says_the_same_makes_no_row(make, workspace, monkeypatch):
    place = make()
    load_model(workspace.pk, "fast")
    same = published_prices.published(published_prices.source_of("openai", "", "gpt-4o"))
    say(monkeypatch, *same)
    load_model(workspace.pk, "fast")
    assert len(rows(place)) == 1


def test_announced_prices_are_planned_and_may_still_change(make, workspace, monkeypatch):
    tomorrow = timezone.now().astimezone(dt.UTC).date() + DAY
    place = make()
    say(monkeypatch, Published(None, plan(1)), Published(tomorrow, plan(2)))
    assert load_model(workspace.pk, "fast").deployments[0].price.input == 1
    assert [(row.input_per_million, row.starts_at > timezone.now()) for row in rows(place)] == [(1, False), (2, True)]
    assert prices.in_force(rows(place), timezone.now() + 2 * DAY).input_per_million == 2
    say(monkeypatch, Published(None, plan(1)), Published(tomorrow, plan(3)), version="9.10")
    published.refresh(place)
    assert [row.input_per_million for row in rows(place)] == [1, 3]


def test_the_past_of_a_deployment_has_the_prices_of_its_time(make, workspace, monkeypatch):
    place = make()
    began = timezone.now() - 10 * DAY
    Deployment.objects.filter(pk=place.pk).update(created_at=began)
    cut = (timezone.now() - 4 * DAY).astimezone(dt.UTC).date()
    say(monkeypatch, Published(None, plan(8)), Published(cut, plan(4)))
    load_model(workspace.pk, "fast")
    found = rows(place)
    assert [row.input_per_million for row in found] == [8, 4]
    assert found[0].starts_at == began
    assert prices.in_force(found, timezone.now() - 6 * DAY).input_per_million == 8


def test_what_runs_something_else_now_has_that_ones_price(make, workspace, system):
    place = make(actor=system)
    place.provider_model = "gpt-4o-mini"
    models.save_deployment(place, actor=system)
    assert [row.input_per_million for row in rows(place)] == [Decimal("2.5"), Decimal("0.15")]
    assert load_model(workspace.pk, "fast").deployments[0].price.input == Decimal("0.15")


def test_what_runs_something_unpublished_now_costs_unknown(make, openai, workspace, system):
    place = make(actor=system)
    openai.base_url = "http://localhost:11434/v1"
    openai.save()
    assert load_model(workspace.pk, "fast").deployments[0].price is None
    (row,) = rows(place)
    assert row.ends_at is not None
    assert prices.in_force([row], row.starts_at) == row  # what was called before still has its price
    openai.base_url = ""
    openai.save()
    catalogue.forget()
    published._looked.clear()  # as in another process, or after a restart
    assert load_model(workspace.pk, "fast").deployments[0].price.input == Decimal("2.5")


def test_two_processes_at_once_make_one_row(make):
    place = make()
    for one in (Deployment.objects.get(pk=place.pk), Deployment.objects.get(pk=place.pk)):
        rows_before = published._periods((Published(None, plan(1)),), place.created_at)
        made = [published._row(one, published._source(one), start, price) for start, price in rows_before]
        DeploymentPrice._base_manager.bulk_create(made, ignore_conflicts=True)
    assert len(rows(place)) == 1


# ---- own


def test_ones_own_price_beats_a_published_one_from_its_date(make, workspace, system, monkeypatch):
    place = make(actor=system)
    later = own(place, "9", starts_at=timezone.now() + DAY)
    assert load_model(workspace.pk, "fast").deployments[0].price.input == Decimal("2.5")
    now = own(place, "8")
    say(monkeypatch, Published(None, plan(7)))
    published.refresh(place)  # newer than ours, and still not used
    found = rows(place)
    assert prices.in_force(found, timezone.now()) == now
    assert prices.in_force(found, timezone.now() + 2 * DAY) == later
    assert load_model(workspace.pk, "fast").deployments[0].price.id == now.pk


def test_a_deployment_with_its_own_price_does_not_ask_the_list(make, workspace, monkeypatch):
    own(make(), starts_at=timezone.now() - DAY)
    monkeypatch.setattr(published, "refresh", lambda *args, **more: pytest.fail("asked"))
    assert load_model(workspace.pk, "fast").deployments[0].price.input == 9


def test_an_own_and_a_published_price_may_begin_at_the_same_moment(make, system):
    place = make(actor=system)
    own(place, starts_at=rows(place)[0].starts_at)
    assert prices.in_force(rows(place), timezone.now()).source == PriceSource.OWN


def test_every_kind_of_amount_is_stored_exactly(make, system):
    tiers = [
        PriceTier(500_000, input=Decimal(9)),
        PriceTier(200_000, input=Decimal("6.000001"), output=Decimal("22.50"), reasoning=Decimal(0)),
    ]
    price = prices.add(
        make(),
        actor=system,
        input_per_million=Decimal("3"),
        output_per_million=Decimal("15"),
        cache_write_per_million=Decimal("3.75"),
        reasoning_per_million=Decimal("20"),
        per_request=Decimal("0.005"),
        tiers=tiers,
    )
    price.refresh_from_db()
    plan = prices.plan_of(price)
    assert (plan.cached_input, plan.cache_write, plan.reasoning) == (None, Decimal("3.75"), Decimal(20))
    assert (plan.per_request, plan.tiers) == (Decimal("0.005"), (tiers[1], tiers[0]))
    assert prices.further(price) == [
        "Cache write $3.75",
        "Reasoning $20.00",
        "$0.005 per request",
        "Above 200,000 input tokens: input $6.000001, output $22.50, reasoning $0.00",
        "Above 500,000 input tokens: input $9.00",
    ]


@pytest.mark.parametrize(
    ("tiers", "words"),
    [
        ([PriceTier(0, input=Decimal(1))], "above how many input tokens"),
        ([PriceTier(10**9, input=Decimal(1))], "above how many input tokens"),
        ([PriceTier(5)], "at least one rate"),
        ([PriceTier(5, input=Decimal(1)), PriceTier(5, input=Decimal(2))], "two tiers above 5 tokens"),
        ([PriceTier(5, input=Decimal(-1))], "between 0 and 999,999"),
        ([PriceTier(5, output=Decimal("NaN"))], "between 0 and 999,999"),
        ([PriceTier(5, output=Decimal("1e999"))], "between 0 and 999,999"),
        ([PriceTier(n + 1, input=Decimal(1)) for n in range(11)], "at most 10 tiers"),
    ],
)
def test_bad_tiers_are_refused_in_words(make, system, tiers, words):
    place = make()
    with pytest.raises(InvalidInput, match=words):
        prices.add(place, actor=system, input_per_million=Decimal(1), output_per_million=Decimal(1), tiers=tiers)
    assert rows(place) == []


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "1e999", "1000000", "0.0000001"])
def test_bad_amounts_are_refused(make, system, amount):
    place = make()
    with pytest.raises(InvalidInput):
        prices.add(place, actor=system, input_per_million=Decimal(amount), output_per_million=Decimal(1))
    assert rows(place) == []


def test_a_published_price_is_not_deleted(make, system):
    (row,) = rows(make(actor=system))
    with pytest.raises(Conflict, match="Add a price of your own"):
        prices.delete(row, actor=system)


# ---- what a run is given


def test_limits_and_shares_reach_the_plan(make, workspace):
    make(priority=2, weight=7, requests_per_minute=60, tokens_per_minute=90_000, max_concurrency=4)
    (plan,) = load_model(workspace.pk, "fast").deployments
    assert (plan.priority, plan.weight) == (2, 7)
    assert (plan.requests_per_minute, plan.tokens_per_minute, plan.max_concurrency) == (60, 90_000, 4)
    assert plan.connection_id == Connection.objects.get(name="OpenAI").pk


def test_the_module_is_not_needed_to_resolve_a_priced_model(make, workspace, monkeypatch):
    """A restart of a console whose prices are stored imports nothing."""
    make()
    load_model(workspace.pk, "fast")
    published._looked.clear()
    monkeypatch.setattr(resolving.published, "is_loaded", lambda: False)
    assert load_model(workspace.pk, "fast", may_load=False).deployments[0].price.input == Decimal("2.5")
